"""/api/v2 as Alertmanager's: shapes, filters, silences."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from alerts.model import Alert
from alerts.notices import fingerprint
from alerts.state import alert_table
from history.access import Scope
from tests.alerts.walk import routes
from tests.dashboard.world import NOW, World

ROUTES = """
inhibit_rules: [{source_matchers: ['alertname="Cause"'], target_matchers: ['alertname="Effect"'], equal: [host]}]
time_intervals: [{name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]}]
route:
  receiver: ops
  group_by: [alertname]
  routes:
    - {receiver: boss, matchers: ['severity="critical"'], group_by: ["..."], continue: true}
    - {matchers: ['host=~"web.*"'], group_by: [host, job], mute_time_intervals: [night]}
"""
ALERTS: tuple[dict[str, str], ...] = (
    {"alertname": "Cause", "host": "web1", "severity": "critical"},
    {"alertname": "Effect", "host": "web1"},
    {"alertname": "Effect", "host": "web2"},
    {"alertname": "Other", "host": "db1", "job": "mysql"},
)
SILENCE = {
    "matchers": [{"name": "alertname", "value": "Oth.*", "isRegex": True}],
    "startsAt": "2026-09-21T14:13:20Z",
    "endsAt": "2026-09-21T15:13:20.000Z",
    "createdBy": "kim",
    "comment": "known",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, plan=routes(ROUTES))
    fire(world, *ALERTS)
    return world


def fire(world: World, *all_labels: dict[str, str]) -> None:
    with world.engine.begin() as connection:
        for labels in all_labels:
            alert = Alert(labels, {"summary": "x"}, "firing", 1.0, NOW - 60, fired_at=NOW - 60, seen=NOW)
            row = {"rule": "r", "fingerprint": fingerprint(labels), "alert": json.dumps(asdict(alert))}
            connection.execute(insert(alert_table).values(**row))


class Api:
    def __init__(self, world: World, scope: Scope = "write") -> None:
        self.client = world.stranger()
        self.headers = {"Authorization": f"Bearer {world.token(scope)}"}

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(f"/api/v2/{path}", query_string=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = self.client.open(f"/api/v2/{path}", method=method, json=body, headers=self.headers)
        return answer.status_code, answer.json


def names(alerts: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{one['labels']['alertname']}@{one['labels']['host']}" for one in alerts)


@pytest.mark.a3("Interop", "GET /api/v2/alerts gives Alertmanager's fields, and what suppresses an alert.")
def test_alerts(world: World) -> None:
    found = {fingerprint(one["labels"]): one for one in Api(world).get("alerts")}
    cause, effect = (found[fingerprint(labels)] for labels in ALERTS[:2])
    assert cause == {
        "annotations": {"summary": "x"},
        "endsAt": "2026-09-21T14:18:20Z",
        "startsAt": "2026-09-21T14:12:20Z",
        "updatedAt": "2026-09-21T14:13:20Z",
        "fingerprint": fingerprint(ALERTS[0]),
        "receivers": [{"name": "boss"}, {"name": "ops"}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
        "generatorURL": "",
        "labels": ALERTS[0],
    }
    assert effect["status"] == {
        "state": "suppressed", "silencedBy": [], "inhibitedBy": [cause["fingerprint"]], "mutedBy": [],
    }  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), [
    ({"filter": 'alertname="Effect"'}, ["Effect@web1", "Effect@web2"]),
    ({"filter": ["alertname=Effect", "host!=web1"]}, ["Effect@web2"]),
    ({"receiver": "bo.*"}, ["Cause@web1"]), ({"receiver": "bo"}, []),
    ({"inhibited": "false"}, ["Cause@web1", "Effect@web2", "Other@db1"]),
    ({"silenced": "false"}, ["Cause@web1", "Effect@web1", "Effect@web2"]),
    ({"active": "false"}, ["Effect@web1", "Other@db1"]),
])  # fmt: skip
def test_chosen_alerts(world: World, query: dict[str, Any], expected: list[str]) -> None:
    api = Api(world)
    assert api.send("POST", "silences", SILENCE)[0] == 200
    assert names(api.get("alerts", **query)) == expected
    assert sorted({one for group in api.get("alerts/groups", **query) for one in names(group["alerts"])}) == expected


@pytest.mark.parametrize("query", [{"filter": "x"}, {"receiver": "("}, {"active": "maybe"}])
def test_wrong_questions(world: World, query: dict[str, str]) -> None:
    api = Api(world)
    answer = api.client.get("/api/v2/alerts", query_string=query, headers=api.headers)
    assert answer.status_code == 400
    assert isinstance(answer.json, str)


@pytest.mark.a3("Interop", "Silences are made, changed, listed and ended by /api/v2/silences as in Alertmanager.")
def test_silences(world: World) -> None:
    api = Api(world)
    status, made = api.send("POST", "silences", SILENCE)
    assert status == 200
    [one] = api.get("silences")
    assert one == {
        **SILENCE, "id": made["silenceID"], "status": {"state": "active"}, "updatedAt": "2026-09-21T14:13:20Z",
        "kind": "silence", "endsAt": "2026-09-21T15:13:20Z",
        "matchers": [{"name": "alertname", "value": "Oth.*", "isRegex": True, "isEqual": True}],
    }  # fmt: skip
    assert api.get(f"silence/{one['id']}") == one
    assert names(api.get("alerts", active="false", inhibited="false")) == ["Other@db1"]
    status, changed = api.send("POST", "silences", {**one, "comment": "longer"})
    assert (status, changed) == (200, made)
    assert api.get("silences", filter='alertname="Oth.*"')[0]["comment"] == "longer"
    assert api.get("silences", filter='host="x"') == []
    assert api.send("DELETE", f"silence/{one['id']}") == (200, None)
    assert api.get("silences")[0]["status"] == {"state": "expired"}
    assert api.send("DELETE", "silence/none")[0] == 404
    assert api.send("POST", "silences", {**SILENCE, "id": "none"})[0] == 404


@pytest.mark.parametrize("change", [
    {"matchers": []}, {"matchers": "x"}, {"matchers": [{"name": "a b", "value": "x"}]}, {"comment": ""},
    {"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, {"createdBy": 5}, {"endsAt": "soon"},
    {"endsAt": "2026-09-21T13:00:00Z"}, {"endsAt": "2030-01-01T00:00:00"},
    {"matchers": [{"name": "a", "value": "x", "isEqual": False}]},
])  # fmt: skip
def test_refused_silences(world: World, change: dict[str, Any]) -> None:
    api = Api(world)
    status, words = api.send("POST", "silences", {**SILENCE, **change})
    assert (status, type(words)) == (400, str)
    assert api.get("silences") == []


@pytest.mark.a3("Interop", "POST /api/v2/alerts takes others' alerts; where some are wrong, the good ones are taken.")
def test_posted_alerts(world: World) -> None:
    api = Api(world)
    good = {"labels": {"alertname": "Theirs", "host": "db2"}, "startsAt": "2026-09-21T14:00:00.123456789Z"}
    assert api.send("POST", "alerts", [good]) == (200, None)
    assert names(api.get("alerts", filter="alertname=Theirs")) == ["Theirs@db2"]
    ended = {**good, "endsAt": "2026-09-21T14:13:00Z"}
    status, words = api.send("POST", "alerts", [{"labels": {}}, ended, {"labels": {"a": 1}}, "x"])
    assert (status, words.count("expected")) == (400, 3)
    assert api.get("alerts", filter="alertname=Theirs") == []
    wrong: Any
    for wrong in ({}, [{"labels": {"a": "b"}, "startsAt": "x"}]):
        assert api.send("POST", "alerts", wrong)[0] == 400


@pytest.mark.parametrize(("method", "path", "body"), [
    ("POST", "silences", SILENCE), ("POST", "alerts", []), ("DELETE", "silence/x", None),
])  # fmt: skip
@pytest.mark.a3("Interop", "Who silences or posts needs a token that may write.")
def test_a_token_that_only_reads_changes_nothing(world: World, method: str, path: str, body: Any) -> None:
    assert Api(world, "read").send(method, path, body)[0] == 403
    stranger = world.stranger().open(f"/api/v2/{path}", method=method, json=body)
    assert stranger.status_code == 401
    without_csrf = world.client().open(f"/api/v2/{path}", method=method, json=body)
    assert without_csrf.status_code == 400


def test_receivers_and_status(world: World) -> None:
    api = Api(world, "read")
    assert api.get("receivers") == [{"name": "ops"}, {"name": "boss"}]
    status = api.get("status")
    assert status["cluster"]["status"] == "disabled"
    assert status["uptime"] == "2026-09-21T13:13:20Z"
