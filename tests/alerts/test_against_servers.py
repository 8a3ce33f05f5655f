"""`alerts.mode: prometheus` beside Debian's Prometheus and Alertmanager: the same rules, series and timeline.

docs/prometheus-mode.md lists where they differ, and why.
"""

from pathlib import Path

import pytest

from tests.alerts.both import Series, both
from tests.alerts.test_alertmanager import BY_HOST
from tests.patience import of_many_trials

pytestmark = [pytest.mark.servers, pytest.mark.trials, of_many_trials]

RULES = {
    "groups": [{
        "name": "g", "interval": "1s", "rules": [
            {"record": "host:heat", "expr": "max by (host) (heat)"},
            {"alert": "Hot", "expr": "host:heat > 5", "for": "2s", "labels": {"severity": "warning"},
             "annotations": {"summary": "{{ $labels.host }} is hot"}},
            {"alert": "Boils", "expr": "heat > 8", "labels": {"severity": "critical"}},
            {"alert": "Short", "expr": "heat > 8", "for": "1m"},
            {"alert": "AllCold", "expr": "sum(heat) < 3", "for": "1s"},
        ],
    }],
}  # fmt: skip


def heat(**hosts: int) -> Series:
    """What is not named has no series any more."""
    return {f'heat{{host="{host}"}}': value for host, value in hosts.items()}


def test_the_same_alerts_transitions_and_groups(tmp_path: Path) -> None:
    with both(tmp_path, RULES, BY_HOST) as two:
        for series in (heat(a=1, b=1), heat(a=9, b=6), heat(a=4)):
            two.serve(series, 5)
        two.until_ended(["Hot a", "Hot b", "Boils a", "AllCold"])
    assert two.here.states == two.there.states
    assert two.here.told == two.there.told
    assert two.there.states["Hot a"] == ["pending", "firing", "over"]
    assert two.there.states["Short a"] == ["pending", "over"]


MANNERS = {
    "groups": [
        {"name": "g", "interval": "1s", "rules": [
            {"alert": "HostDown", "expr": "down > 0", "labels": {"severity": "critical"}},
            {"alert": "Hot", "expr": "heat > 5", "labels": {"severity": "warning"}},
            {"alert": "Full", "expr": "disk > 0", "labels": {"team": "disk"}},
            {"alert": "Brief", "expr": "brief > 0"},
            {"alert": "Kept", "expr": "kept > 0", "keep_firing_for": "9s"},
            {"alert": "Flick", "expr": "flick > 0"},
            {"alert": "Level", "expr": "level > 0",
             "labels": {"level": "{{ if gt $value 5.0 }}high{{ else }}low{{ end }}"}},
            {"alert": "Paired", "expr": "pair > 0", "labels": {"disk": ""}},
        ]},
        {"name": "limited", "interval": "1s", "limit": 1, "rules": [{"alert": "Limited", "expr": "limited > 0"}]},
    ],
}  # fmt: skip
ROUTING = {
    "route": {
        **BY_HOST["route"],
        "routes": [
            {"matchers": ['team="disk"'], "group_by": ["host"], "group_wait": "2s", "repeat_interval": "3s"},
            {"matchers": ['alertname="Brief"'], "group_wait": "12s"},
        ],
    },
    "inhibit_rules": [
        {"source_matchers": ['alertname="HostDown"'], "target_matchers": ['severity="warning"'], "equal": ["host"]}
    ],
}
STEP_SECONDS = 6.0
STEPS = {
    'down{host="hidden"}': "1 1 - - - -", 'heat{host="hidden"}': "- 9 9 1 - -",
    'heat{host="told"}': "9 9 1 - - -", 'down{host="told"}': "- 1 1 1 - -",
    'heat{host="quiet"}': "9 9 9 1 - -", 'heat{host="noisy"}': "9 9 1 - - -",
    'disk{host="a",disk="sda"}': "1 1 - - - -", 'disk{host="a",disk="sdb"}': "1 1 1 - - -",
    'disk{host="a",disk="sdc"}': "- 1 1 - - -",
    'brief{host="a"}': "1 - - - - -",
    'kept{host="a"}': "1 - 1 - - -",
    'flick{host="a"}': "1 - 1 - 1 -",
    'level{host="a"}': "9 3 - - - -",
    'pair{host="a",disk="sda"}': "1 1 - - - -", 'pair{host="a",disk="sdb"}': "- 1 1 - - -",
    'limited{host="a"}': "1 1 1 - - -", 'limited{host="b"}': "- 1 - - - -",
}  # fmt: skip
"""The value of each series in each step; without one there is no series."""
COMES_AND_GOES = ["firing", "resolved"]
TOLD = {
    "HostDown hidden": COMES_AND_GOES, "Hot hidden": COMES_AND_GOES, "HostDown told": COMES_AND_GOES,
    "Hot quiet": COMES_AND_GOES, "Full sda a": COMES_AND_GOES, "Full sdb a": COMES_AND_GOES,
    "Full sdc a": COMES_AND_GOES, "Kept a": COMES_AND_GOES, "Level a high": COMES_AND_GOES,
    "Level a low": COMES_AND_GOES, "Paired a": COMES_AND_GOES, "Limited a": COMES_AND_GOES,
}  # fmt: skip
TOLD_THERE = TOLD | {"Hot told": ["firing"], "Hot noisy": ["firing"], "Flick a": COMES_AND_GOES * 3}
TOLD_HERE = TOLD | {"Hot told": COMES_AND_GOES, "Hot noisy": COMES_AND_GOES, "Flick a": [*COMES_AND_GOES, "firing"]}
"""What ends while it is silenced or inhibited is told here; what flaps is told there again and again."""
AT_ONCE = ["firing", "over"]
LIMITED = {"Limited a"}
"""There an alert of a rule over its limit is forgotten, and fires anew."""


def at(step: int) -> Series:
    values = {series: row.split()[step] for series, row in STEPS.items()}
    return {series: int(value) for series, value in values.items() if value != "-"}


def test_the_same_manners(tmp_path: Path) -> None:
    """Inhibitions, groups, silences, holds, limits, repeats, and what is over before it could be told."""
    with both(tmp_path, MANNERS, ROUTING) as two:
        two.silence("quiet")
        for step in range(6):
            if step == 1:
                two.silence("noisy")
            if step == 2:
                two.end_silence("quiet")
            two.serve(at(step), STEP_SECONDS)
        two.until_ended(list(TOLD))
    there, here = two.there, two.here
    assert statuses(there.told) == TOLD_THERE
    assert statuses(here.told) == TOLD_HERE
    assert {name: there.told[name] for name in TOLD} == {name: here.told[name] for name in TOLD}
    disks = '{"host": "a"}'
    assert here.messages[disks] == there.messages[disks]
    assert there.repeated == {disks}
    assert here.repeated == {disks, '{"alertname": "Flick", "host": "a"}'}  # that it flaps
    assert without(here.states, LIMITED) == without(there.states, LIMITED)
    assert (here.states["Limited a"], there.states["Limited a"]) == (AT_ONCE, AT_ONCE * 2)
    assert here.states["Kept a"] == here.states["Paired a"] == here.states["Brief a"] == AT_ONCE


def statuses(told: dict[str, list[tuple[str, str]]]) -> dict[str, list[str]]:
    return {alert: [status for _, status in each] for alert, each in told.items()}


def without(states: dict[str, list[str]], names: set[str]) -> dict[str, list[str]]:
    return {alert: each for alert, each in states.items() if alert not in names}
