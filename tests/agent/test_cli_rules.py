"""`raingauge rules`: check, test, list and explain."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from agent.cli import main
from alerts.engine import RuleState, identity
from alerts.explain import parts, why
from alerts.model import Alert, Rule
from alerts.state import save
from collectors import nginx
from collectors.model import Gauge, Target
from history.database import open_database
from history.model import Point, QueryError
from history.store import Store

RULES = """\
groups:
- name: own
  rules:
  - alert: Busy
    expr: (nginx_connections_active > 5) and on (instance) nginx_up == 1
    for: 1m
    keep_firing_for: 2m
    labels: {severity: warning}
    annotations:
      raingauge_resolve_expr: nginx_connections_active < 3
      raingauge_depends_on: NginxDown
      raingauge_no_data: ok
  - {record: twice, expr: nginx_connections_active * 2}
  - {alert: Failing, expr: nginx_up > on () nginx_up}
"""
TESTS = """\
rule_files: [rules.yml]
tests:
- input_series: [{series: nginx_connections_active, values: 1x5}]
  promql_expr_test: [{expr: twice, eval_time: 1m, exp_samples: [{labels: twice, value: 2}]}]
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tests.yml").write_text(TESTS)
    config = tmp_path / "raingauge.yml"
    config.write_text(f"host: lab\ndiscovery: false\nshipped_rules: false\nrules: [{tmp_path}/rules.yml]\n")
    monkeypatch.setenv("RAINGAUGE_CONFIG", str(config))
    return tmp_path / "rules.yml"


@pytest.fixture
def history(rules: Path, tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "state")
    store, now = Store(engine), time.time() - 1
    for port, active in ((80, 9.0), (81, 1.0)):
        target = Target("nginx", f"lab:{port}", "lab")
        store.append(target, now, [nginx.UP(1), nginx.ACTIVE(active)])
    own = ("target_job", "target_instance", "part")
    store.append(Target("raingauge", "lab", "lab"), now, [
        Gauge("raingauge_part_up", "", own)(1.0, "nginx", "lab:80", "status"),
        Gauge("raingauge_part_last_success_timestamp_seconds", "", own)(now, "nginx", "lab:80", "status"),
        Gauge("raingauge_rule_group_last_evaluation_timestamp_seconds", "", ("group",))(1_700_000_000.0, "own"),
    ])  # fmt: skip
    labels = {"alertname": "Busy", "instance": "lab:80", "job": "nginx", "host": "lab", "severity": "warning"}
    alert = Alert(labels, {}, "pending", 9.0, active_at=1_700_000_000.0)
    with engine.begin() as connection:
        save(connection, {}, {"rules.yml/own/Busy/0": RuleState({identity(labels): alert})})
    yield engine
    engine.dispose()


def raingauge(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="raingauge")


def test_check_says_what_is_good(rules: Path) -> None:
    result = raingauge("rules", "check", rules)
    assert (result.exit_code, result.output) == (0, f"good: {rules}: 3 rules\n")


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("for: 1m", "fo: 1m", ":6: fo: expected one of "),
    ("keep_firing_for: 2m", "keep_firing_for: 2 m", ":7: keep_firing_for: expected a duration"),
    ("nginx_up == 1", "nginx_up ==", ":5: expr: expected a PromQL expression"),
    ("raingauge_no_data: ok", "raingauge_no_data: no", ":12: annotations.raingauge_no_data: expected keep, fire or ok"),
    ("raingauge_no_data: ok", "summary: '{{ end }}'", ":12: annotations.summary: expected a template"),
    ("on: NginxDown", "on: NobodysAlert", ":1: Busy.raingauge_depends_on: expected the name of an alert"),
])  # fmt: skip
def test_check_says_what_is_wrong_where(rules: Path, old: str, new: str, expected: str) -> None:
    rules.write_text(RULES.replace(old, new))
    good = rules.with_name("good.yml")
    good.write_text("groups: []")
    result = raingauge("rules", "check", rules, good)
    assert result.exit_code == 1
    assert f"{rules}{expected}" in result.output
    assert f"good: {good}: 0 rules" in result.output
    assert f"good: {rules}" not in result.output


def test_check_of_a_file_that_is_not_there(rules: Path) -> None:
    result = raingauge("rules", "check", rules.with_name("none.yml"))
    assert result.exit_code == 1
    assert "none.yml:0: file: expected a readable rule file" in result.output


def test_test(rules: Path) -> None:
    tests = rules.with_name("tests.yml")
    result = raingauge("rules", "test", tests)
    assert (result.exit_code, result.output) == (0, f"Unit Testing:  {tests}\n  SUCCESS\n\n")
    tests.write_text(TESTS.replace("value: 2}", "value: 3}"))
    result = raingauge("rules", "test", tests)
    assert result.exit_code == 1
    assert result.output == (
        f"Unit Testing:  {tests}\n  FAILED:\n"
        '    expr: "twice", time: 1m,\n        exp: twice 3E+00\n        got: twice 2E+00\n\n'
    )


def test_test_of_a_wrong_file(rules: Path) -> None:
    tests = rules.with_name("tests.yml")
    tests.write_text("rule_file: []")
    result = raingauge("rules", "test", tests)
    assert result.exit_code == 1
    assert f"    {tests}:1: rule_file: expected one of rule_files, " in result.output


def test_list(history: Engine) -> None:
    result = raingauge("rules", "list")
    assert result.exit_code == 0
    assert re.search(r"^own +Busy +warning +pending 1 +2023-11-14T22:13:20Z", result.output, re.MULTILINE)
    busy, twice, failing = (json.loads(line) for line in raingauge("rules", "list", "--json").output.splitlines())
    assert (busy["state"], busy["error"], twice["state"]) == ("pending 1", "", "recorded")
    assert (failing["state"], failing["severity"]) == ("inactive", "")
    assert failing["error"]
    assert failing["error"] in result.output  # whole, also in a pipe


def test_list_says_which_file_is_refused(rules: Path) -> None:
    rules.write_text("groups: [{nam: a}]")
    assert f"{rules}:1: nam: expected " in raingauge("rules", "list").output


def test_explain(history: Engine) -> None:
    result = raingauge("rules", "explain", "Busy")
    assert result.exit_code == 0
    text = result.output
    for expected in (
        "Busy: rules.yml, group own, every 10s\n  warning, for 1m, kept for 2m after\n  no data: ok\n",
        "depends on NginxDown",
        '    nginx_connections_active > 5\n      = nginx_connections_active{host="lab", instance="lab:80", ',
        'instance="lab:81", job="nginx"} 1\n',
        "    nginx_up == 1\n",
        "Ends when this has an element for the alert\n  nginx_connections_active < 3\n",
        "  nginx status, lab:80: answers, last read at 20",
        "  pending {alertname=",
        "    true since 2023-11-14T22:13:20Z; fires at 2023-11-14T22:14:20Z if it stays true",
    ):
        assert expected in text, expected


def test_explain_a_recording_rule_and_one_that_fails(history: Engine) -> None:
    assert "nginx_connections_active * 2\n    = {" in raingauge("rules", "explain", "twice").output
    assert "many-to-many" in raingauge("rules", "explain", "Failing").output


def test_explain_of_nothing_names_what_is_near(rules: Path) -> None:
    result = raingauge("rules", "explain", "Buzy")
    assert (result.exit_code, result.output) == (1, "Error: no rule is called 'Buzy': Busy\n")


def test_parts_are_the_sides_of_comparisons_and_sets() -> None:
    asked = []

    def ask(expr: str) -> list[Point]:
        asked.append(expr)
        if expr.startswith("c"):
            raise QueryError("timeout", "too slow")
        return []

    found = list(parts("(a + 1 > 5 and b) or (c unless on (x) d != 0)", ask))
    assert [(part.depth, part.expr) for part in found] == [
        (0, "(a + 1 > 5 and b) or (c unless on (x) d != 0)"), (1, "a + 1 > 5 and b"), (2, "a + 1 > 5"), (3, "a + 1"),
        (2, "b"), (1, "c unless on (x) d != 0"), (2, "c"), (2, "d != 0"), (3, "d"),
    ]  # fmt: skip
    assert [part.error for part in found if part.error] == ["too slow"] * 2
    assert asked == [part.expr for part in found]


def test_why() -> None:
    rule = Rule("x", alert="A", hold=60, keep_firing_for=120)
    firing = Alert({}, {}, "firing", 1.0, 0.0, fired_at=60.0, last_true=100.0, seen=100.0)
    pending = replace(firing, state="pending", fired_at=None)
    resolved = replace(firing, state="resolved", resolved_at=200.0)
    for alert, expected in (
        (firing, "true; fired at 1970-01-01T00:01:00Z, last true at 1970-01-01T00:01:40Z"),
        (pending, "fires at 1970-01-01T00:01:00Z if it stays true"),
        (replace(pending, missing_since=110.0), "that time does not count"),
        (replace(firing, missing_since=110.0), "kept: its data is missing since 1970-01-01T00:01:50Z"),
        (replace(firing, false_since=110.0), "keep_firing_for holds it until 1970-01-01T00:03:50Z"),
        (replace(firing, seen=110.0), "raingauge_resolve_expr has no element for it yet"),
        (resolved, "over since 1970-01-01T00:03:20Z; fired at 1970-01-01T00:01:00Z"),
    ):
        assert expected in why(alert, rule)
