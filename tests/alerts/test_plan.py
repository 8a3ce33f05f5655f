"""The routing tree: made from the configuration, and walked as Alertmanager walks it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.path.plan import Route
from alerts.path.written import configuration
from tests.alerts.walk import NAMES, routes

TREE = """
route:
  receiver: ops
  group_by: [site]
  group_wait: 1s
  repeat_interval: 1h
  escalate: [{after: 5m, receiver: boss}]
  routes:
    - matchers: ['severity="critical"']
      group_interval: 1m
      continue: true
      routes:
        - {receiver: boss, group_by: ["..."], matchers: [team=web]}
    - receiver: ""
      matchers: ['severity="critical"', 'host!=""']
"""


def taken(tree: str, **labels: str) -> list[Route]:
    return list(routes(tree).root.taken(labels))


@pytest.mark.a3(
    "Routing", "The first route that fits is taken unless it goes on; what is not set is the route above's."
)
def test_inherited() -> None:
    [deep] = taken(TREE, severity="critical", team="web")
    assert (deep.receiver, deep.group_wait, deep.group_interval, deep.repeat_interval) == ("boss", 1, 60, 3600)
    assert deep.group_labels({"a": "b"}) == {"a": "b"}
    assert deep.escalate == ()
    assert deep.key == '{}/{severity="critical"}/{team="web"}'
    assert [route.receiver for route in taken(TREE, severity="critical", host="x")] == ["ops", ""]
    [root] = taken(TREE, severity="warning")
    assert (root.key, root.group_labels({"a": "b", "site": "s"}), root.escalate) == (
        "{}",
        {"site": "s"},
        ((300, "boss"),),
    )
    assert routes(TREE).receivers() == {"ops", "boss"}


def test_without_settings_the_times_are_alertmanagers() -> None:
    [root] = taken("route: {receiver: ops}")
    assert (root.group_wait, root.group_interval, root.repeat_interval) == (30, 300, 14400)


LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2)
MATCHER = st.tuples(
    st.sampled_from("ab"), st.sampled_from(["=", "!=", "=~", "!~"]), st.sampled_from(["", "x", "y", "x|y"])
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    below = draw(st.lists(trees(depth - 1), max_size=3)) if depth else []
    matchers = draw(st.lists(MATCHER, min_size=1, max_size=2))
    return {
        "receiver": draw(st.sampled_from(NAMES)),
        "matchers": [f'{name}{op}"{value}"' for name, op, value in matchers],
        "continue": draw(st.booleans()),
        "routes": below,
    }


@pytest.mark.servers
@pytest.mark.a3("Routing", "Random trees lead random labels to the receivers that amtool says.")
def test_the_same_receivers_as_amtool(tmp_path: Path) -> None:
    program = shutil.which("amtool")
    assert program, "amtool is not installed: apt-get install prometheus-alertmanager"

    @given(st.lists(trees(2), max_size=3), LABELS)
    @settings(max_examples=40, deadline=None)
    def check(below: list[dict[str, Any]], labels: dict[str, str]) -> None:
        plan = routes(json.dumps({"route": {"receiver": "ops", "routes": below}}))
        file = tmp_path / "alertmanager.yml"
        file.write_text(configuration(plan, NAMES))
        words = [f"{name}={value}" for name, value in labels.items()]
        command = [program, "config", "routes", "test", f"--config.file={file}", *words]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert said.split(",") == [route.receiver for route in plan.root.taken(labels)]

    check()
