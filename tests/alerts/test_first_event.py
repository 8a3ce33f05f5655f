"""The first event ever: a counter that was not there before has no increase, and is told of all the same."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts.evaluator import Evaluator
from alerts.model import Alert
from alerts.rulefile import load
from collectors.model import Counter, Target
from history.embedded import Embedded
from history.store import Store
from tests.alerts.examples import T
from tests.alerts.kept import Kept

RULES = Path(__file__).parents[2] / "alerts" / "rules"
EVENTS = Counter(
    "security_requests_total", "", ("site", "class", "outcome")
)  # fmt: skip


def walked(engine: Engine, counts: list[int | None]) -> list[Alert]:
    """One count each 15 s; None: no series."""
    store = Store(engine)
    groups, errors = load([RULES / "security.yml"])
    assert errors == []
    evaluator = Evaluator(Embedded(store), engine, groups, sink=Kept(store), clock=lambda: T)
    fired: list[Alert] = []
    for tick, count in enumerate(counts):
        labels = ("shop", "drupal_exploit", "success_suspected")
        samples = [] if count is None else [EVENTS(count, *labels)]
        store.append(Target("security", "web1", "web1"), T + 15 * tick, samples)
        evaluator.run_due(T + 15 * tick)
        fired += [alert for alert in evaluator.alerts() if alert.state == "firing"]
    return fired


@pytest.mark.a3("Data that is missing", "The first event ever is told of: its counter is there at 0 from the start.")
def test_the_first_one_ever_is_told(engine: Engine) -> None:
    assert "ExploitLikelySucceeded" in {alert.name for alert in walked(engine, [0, 0, 0, 1, 1])}


def test_nothing_is_told_of_what_did_not_happen(engine: Engine) -> None:
    assert walked(engine, [0] * 8) == []
