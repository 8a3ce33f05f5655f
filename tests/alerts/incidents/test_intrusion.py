"""The alerts of an intrusion, from a guessed password to a door left open: one incident that tells them in order."""

import random

import pytest

from alerts.incidents.explain import explained
from alerts.incidents.gather import Findings
from alerts.model import Alert
from tests.alerts.examples import T
from tests.alerts.incidents.test_grouping import GRAPH, fires, run

SITE = {"site": "shop.example"}
STEPS = (
    ("BruteForce", "info", {"class": "bruteforce", **SITE}),
    ("LoginAfterBruteforce", "critical", {"class": "bruteforce_then_success", **SITE}),
    ("PhpInUploads", "critical", {"class": "security", "layer": "host", **SITE}),
    ("WebShell", "critical", {"class": "webshell", **SITE}),
    ("NewPrivilege", "critical", {"class": "security", "layer": "host"}),
    ("NewListener", "warning", {"class": "security", "layer": "host"}),
)
"""As rules and events have them: some are of the site, some of its host."""


def intrusion(apart: float) -> list[Alert]:
    return [
        fires(name, T + apart * number, severity=severity, **labels)
        for number, (name, severity, labels) in enumerate(STEPS)
    ]


@pytest.mark.parametrize("apart", [0.5, 20, 600])
def test_it_is_one_incident_in_order(apart: float) -> None:
    alerts = intrusion(apart)
    cycles = [(T + apart * number + 10, [one for one in alerts if one.active_at <= T + apart * number + 10])
              for number in range(len(alerts))]  # fmt: skip
    for _, seen in cycles:
        random.Random(1).shuffle(seen)
    (found,) = run(*cycles)
    assert [member.name for member in found.alerts] == [name for name, _, _ in STEPS]
    assert (found.severity, found.host, found.site) == ("critical", "web1", "shop.example")


def test_what_came_first_is_named_first() -> None:
    alerts = intrusion(20)
    (found,) = run((T + 200, alerts))
    causes = [cause.alert for cause in explained(found, Findings(), GRAPH).causes]
    assert causes[0] == "LoginAfterBruteforce"
    assert causes.index("PhpInUploads") < causes.index("NewListener")
