"""/api/v1/rules and /api/v1/alerts: chosen as asked, and with the fields of Debian's Prometheus over the same file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts.model import Alert, RuleHealth, State
from alerts.rulefile import parse
from dashboard.api_rules import Asked, alerts, boolean, rules
from tests.dashboard.world import NOW, Alerting, World
from tests.lab import prometheus
from tests.lab.ports import wait_until
from tests.lab.prometheus import Prometheus

FILE = """
groups:
  - name: second
    interval: 1s
    limit: 5
    rules:
      - record: one:sum
        expr: sum(vector(1))
        labels: {team: web}
      - alert: Always
        expr: vector(12345.5) > 0
        labels: {severity: warning}
        annotations: {summary: "It is {{ $value }}."}
      - alert: Always
        expr: vector(1) > 3
        for: 5m
        labels: {severity: critical}
  - name: first
    interval: 1s
    rules:
      - alert: Waiting
        expr: vector(2)
        for: 1h
        labels: {host: '{{ "a" }}'}
"""


def alert(name: str, state: State, value: float, **labels: str) -> Alert:
    return Alert({"alertname": name, **labels}, {}, state, value, NOW - 100)


def alerting() -> Alerting:
    groups = parse(FILE, "rules.yml")
    found = [
        replace(alert("Always", "firing", 12345.5, severity="warning"), annotations={"summary": "It is 12345.5."}),
        alert("Waiting", "pending", 2.0, host="a"),
        alert("Always", "resolved", 4.0, severity="critical"),
        alert("Elsewhere", "firing", 1.0),
    ]
    health = [
        RuleHealth(group.name, rule, "ok", "", NOW - at, 0.25)
        for at, group in enumerate(groups)
        for rule in group.rules
    ]
    return Alerting(found, groups, health)


def names(asked: Asked, of: Alerting | None = None) -> list[tuple[str, list[str]]]:
    groups = rules(of or alerting(), asked)["groups"]
    return [(group["name"], [rule["name"] for rule in group["rules"]]) for group in groups]


ALL = [("first", ["Waiting"]), ("second", ["one:sum", "Always", "Always"])]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(), ALL),
        (Asked(kind="record"), [("second", ["one:sum"])]),
        (Asked(kind="alert"), [("first", ["Waiting"]), ("second", ["Always", "Always"])]),
        (Asked(names=["Waiting", "one:sum"]), [("first", ["Waiting"]), ("second", ["one:sum"])]),
        (Asked(groups=["second"]), ALL[1:]),
        (Asked(groups=["second"], names=["Waiting"]), []),
        (Asked(files=["rules.yml"]), ALL),
        (Asked(files=["other.yml"]), []),
        (Asked(selectors=['{severity="critical"}']), [("second", ["Always"])]),
        (Asked(selectors=['{severity=~".+"}', '{team="web"}']), ALL[1:]),
    ],
)
def test_rules_are_chosen(asked: Asked, expected: list[Any]) -> None:
    assert names(asked) == expected


def test_an_alert_is_of_the_rule_whose_labels_it_has() -> None:
    first, second = rules(alerting(), Asked())["groups"]
    [waiting] = first["rules"]
    assert (waiting["state"], [each["labels"]["host"] for each in waiting["alerts"]]) == ("pending", ["a"])
    states = [(rule["state"], len(rule["alerts"])) for rule in second["rules"] if rule["type"] == "alerting"]
    assert states == [("firing", 1), ("inactive", 0)]


def test_without_alerts_the_state_is_still_said() -> None:
    groups = rules(alerting(), Asked(kind="alert", without_alerts=True))["groups"]
    assert [(rule["state"], rule["alerts"]) for group in groups for rule in group["rules"]] == [
        ("pending", []), ("firing", []), ("inactive", []),
    ]  # fmt: skip


def test_a_group_says_when_and_how_long() -> None:
    second = rules(alerting(), Asked(groups=["second"], kind="record"))["groups"][0]
    assert second["evaluationTime"] == 0.75  # of all its rules, shown or not
    assert second["lastEvaluation"] == "2026-09-21T14:13:20Z"


def test_what_was_never_evaluated() -> None:
    groups = parse(FILE, "rules.yml")
    found = rules(Alerting((), groups, ()), Asked(groups=["first"]))["groups"][0]
    assert found["lastEvaluation"] == found["rules"][0]["lastEvaluation"] == "0001-01-01T00:00:00Z"
    assert (found["rules"][0]["health"], found["rules"][0]["state"]) == ("unknown", "inactive")


def test_an_error_is_told() -> None:
    group = parse(FILE, "rules.yml")[0]
    health = RuleHealth(group.name, group.rules[0], "err", "too many", NOW, 0.1)
    found = rules(Alerting((), [group], [health]), Asked())["groups"][0]["rules"]
    assert (found[0]["health"], found[0]["lastError"]) == ("err", "too many")
    assert "lastError" not in found[1]


def test_what_is_resolved_is_no_alert_and_one_without_a_rule_is() -> None:
    found = alerts(alerting())["alerts"]
    assert [each["labels"]["alertname"] for each in found] == ["Always", "Waiting", "Elsewhere"]
    held = replace(alert("Held", "firing", 0.0), false_since=NOW - 7.5)
    assert alerts(Alerting([held]))["alerts"][0]["keepFiringSince"] == "2026-09-21T14:13:12.5Z"


@pytest.mark.parametrize(("text", "value"), [("", False), ("true", True), ("False", False), ("1", True), ("0", False)])
def test_booleans(text: str, value: bool) -> None:
    assert boolean("exclude_alerts", text) is value


@pytest.mark.parametrize("query", ["type=x", "exclude_alerts=2", "match[]=node_load1[5m]", "match[]=1", "match[]=("])
def test_what_is_refused(query: str, tmp_path: Path) -> None:
    answer = World(tmp_path).client().get(f"/api/v1/rules?{query}")
    assert answer.json
    assert (answer.status_code, answer.json["errorType"]) == (400, "bad_data")


def test_the_parameters_of_the_address(tmp_path: Path) -> None:
    client = World(tmp_path, alerting=alerting()).client()
    for query, count in (
        ("", 4), ("type=ALERT", 3), ("rule_name[]=Always", 2), ("rule_group[]=first&rule_group[]=second", 4),
        ("file[]=rules.yml", 4), ("file[]=x", 0), ("match[]={severity=%22warning%22}", 1),
    ):  # fmt: skip
        answer = client.get(f"/api/v1/rules?{query}")
        assert answer.json
        assert sum(len(group["rules"]) for group in answer.json["data"]["groups"]) == count, query
    answer = client.get("/api/v1/rules?type=alert&exclude_alerts=true&rule_name[]=Waiting")
    assert answer.json
    assert answer.json["data"]["groups"][0]["rules"][0]["alerts"] == []


VOLATILE = ("evaluationTime", "lastEvaluation", "activeAt")


def steady(found: Any) -> Any:
    """What two servers can agree on: without times, queries as the file has them."""
    if isinstance(found, dict):
        return {
            key: None if key in VOLATILE else value.replace(" ", "") if key == "query" else steady(value)
            for key, value in found.items()
        }
    return [steady(each) for each in found] if isinstance(found, list) else found


def evaluated(url: str) -> bool:
    status, found = prometheus.ask(url, "rules")
    rows = [rule for group in found["data"]["groups"] for rule in group["rules"]] if status == 200 else []
    return bool(rows) and all(rule["health"] == "ok" for rule in rows)


def by_name(found: dict[str, Any]) -> Any:
    return steady(sorted(found["alerts"], key=lambda each: str(each["labels"]["alertname"])))


@pytest.mark.servers
def test_prometheus_shows_the_same(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(FILE)
    with Prometheus(tmp_path, "rule_files: [rules.yml]\n") as running:
        wait_until(lambda: evaluated(running.url), 20, "Prometheus evaluates the rules")
        theirs, their_alerts = (prometheus.ask(running.url, path)[1]["data"] for path in ("rules", "alerts"))
    ours = alerting()
    ours.found = [each for each in ours.found if each.name != "Elsewhere"]
    assert steady(rules(ours, Asked())) == steady(theirs)
    assert by_name(alerts(ours)) == by_name(their_alerts)
