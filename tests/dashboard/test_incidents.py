"""The pages of incidents: what they say, and what people do there."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from flask.testing import FlaskClient

from alerts.incidents import store
from alerts.incidents.graph import Graph
from alerts.incidents.grouping import step
from alerts.incidents.model import Cause, Change, Incident, Mover
from alerts.model import Alert
from alerts.notices import fingerprint
from alerts.path import store as path_store
from dashboard.incident_cards import card
from dashboard.moments import Zone
from dashboard.verdict import Known, verdict
from tests.alerts.incidents.test_grouping import fires, over
from tests.alerts.walk import routes
from tests.dashboard import situations
from tests.dashboard.world import NOW, World

ALERTS = fires("MysqlDown", NOW - 600, host="web-01"), fires("ProbeFailed", NOW - 540, host="web-01")
ROUTES = "route: {receiver: ops, group_by: [alertname]}"
JSON = {"Accept": "application/json"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, plan=routes(ROUTES))
    world.alerting.found = ALERTS
    situations.fire(world)
    seen(world, ALERTS)
    return world


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.client()


def seen(world: World, alerts: Sequence[Alert], **explained: Any) -> None:
    with world.engine.begin() as connection:
        before = store.current(connection, world.now)
        store.save(connection, before, step(before, alerts, world.now, Graph()), world.now)
        for found in store.incidents(connection) if explained else ():
            store.explain(connection, replace(found, **explained), world.now)


def text(client: FlaskClient, path: str = "/incidents/1") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())


def post(client: FlaskClient, path: str, **form: str) -> int:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/alerts").get_data(as_text=True))
    assert found
    return client.post(path, data={"csrf_token": found[1], **form}).status_code


def test_a_cause_names_its_server_in_short_and_what_is_only_good_to_know_is_last(world: World) -> None:
    restarted = fires("MysqlRestarted", NOW - 700, host="web-01", severity="info")
    causes = [
        Cause("database", f"Statements of {name} take long", (), NOW - 600, "")
        for name in ("web-01:/run/mysqld/mysqld.sock", "web-01:3306", "db2:3306")
    ]
    seen(world, (*ALERTS, restarted), causes=tuple(causes))
    page = world.client().get("/incidents/1", headers=JSON).get_json()
    assert [each["words"] for each in page["causes"]] == [
        f"Statements of {name} take long" for name in ("mysqld", ":3306", "db2:3306")
    ]
    assert [each["name"] for each in page["alerts"]] == ["MysqlDown", "ProbeFailed", "MysqlRestarted"]


def test_without_a_cause_that_is_said(client: FlaskClient) -> None:
    said = text(client)
    assert "No clear cause: no known trouble has these signs" in said
    assert "not told yet" in said
    assert "Nothing that is recorded: no deploy" in said


def test_a_sockets_host_is_not_said_again(world: World, client: FlaskClient) -> None:
    socket = f"{ALERTS[0].labels['host']}:/run/mysqld/mysqld.sock"
    cause = Cause("database", f"Statements of {socket} take long", (f"Slow queries of {socket}: 2 /s",), NOW, "X")
    mover = Mover(f"Slow queries of {socket}", "x", "database", 1.0, 9.0, "count", NOW, 30.0)
    seen(world, ALERTS, causes=(cause,), movers=(mover,))
    said = text(client)
    assert "Statements of mysqld take long" in said
    assert "Slow queries of /run/mysqld/mysqld.sock: 2 /s" in said
    assert "Slow queries of /run/mysqld/mysqld.sock left its usual course" in said
    assert socket not in said


def test_a_viewer_is_offered_what_helps_and_nothing_to_do(world: World) -> None:
    with patch("history.users.hashed", str):
        world.access.users.add("vera", "correct horse", "viewer", NOW)
    viewer = world.as_user("vera")
    said = viewer.get("/incidents/1").get_data(as_text=True).partition("<main")[2].partition("</main>")[0]
    assert [word for word in ("Acknowledge", "Silence", "Add note") if word in said] == []
    alerts = viewer.get("/alerts").get_data(as_text=True)
    assert alerts.count(">Runbook</a>") == len(ALERTS)
    assert "<form" not in alerts.partition("<main")[2].partition("</main>")[0]


def test_what_was_found_is_told_in_the_order_of_time(world: World, client: FlaskClient) -> None:
    changes = (Change(NOW - 900, "deploy", "Deployed 4.2"),)
    cause = Cause("database", "It is down", ("no connection to mysqld",), NOW - 610, "MysqlDown")
    seen(world, ALERTS, symptom="Pages are slow", causes=(cause,), changes=changes, command="systemctl restart mariadb")
    world.now = NOW + 30
    assert post(client, "/incidents/1/notes", text="I look at the log") == 303
    page = client.get("/incidents/1", headers=JSON).get_json()
    assert [each["kind"] for each in page["story"]] == ["change", "alert", "alert", "note"]
    assert page["card"]["cause"] == "It is down"
    assert page["harmless"] is False
    said = text(client)
    assert "may change something: read the runbook first" in said
    assert "Deployed 4.2 5 min before it began" in said
    assert "the dashboard: I look at the log" in said


def test_one_button_takes_all_of_it_and_nothing_else(world: World, client: FlaskClient) -> None:
    assert post(client, "/incidents/1/acknowledge", hours="1", comment="mine") == 303
    assert world.services.desk
    found = world.services.desk.silences()
    assert {(each.kind, each.ends, each.fingerprint) for each in found} == {
        ("ack", NOW + 3600, fingerprint(alert.labels)) for alert in ALERTS
    }
    assert "Acknowledged by the dashboard: mine" in text(client)


def test_a_silence_lasts_its_time(world: World, client: FlaskClient) -> None:
    assert post(client, "/incidents/1/silence", hours="24") == 303
    assert world.services.desk
    assert {(each.kind, each.ends) for each in world.services.desk.silences()} == {("silence", NOW + 86400)}


def test_an_empty_note_is_none_and_a_strangers_is_text(world: World, client: FlaskClient) -> None:
    assert post(client, "/incidents/1/notes", text="  ") == 303
    assert post(client, "/incidents/1/notes", text=EVIL) == 303
    page = client.get("/incidents/1").get_data(as_text=True)
    assert EVIL not in page
    assert page.count("&lt;script&gt;") == 2  # among the notes and in the timeline
    with world.engine.connect() as connection:
        found = store.incident(connection, 1)
    assert found
    assert [note.text for note in found.notes] == [EVIL]


@pytest.mark.parametrize("what", ["acknowledge", "silence", "notes"])
def test_forms_need_our_page_and_an_incident(world: World, client: FlaskClient, what: str) -> None:
    assert client.post(f"/incidents/1/{what}").status_code == 400
    assert world.stranger().post(f"/incidents/1/{what}").status_code in (302, 401)
    assert client.get(f"/incidents/1/{what}").status_code == 405
    assert post(client, f"/incidents/99/{what}", text="x") == 404
    assert client.get("/incidents/99").status_code == 404
    assert world.services.desk
    assert world.services.desk.silences() == []


def test_one_that_is_over_says_so_and_offers_nothing_to_take(world: World, client: FlaskClient) -> None:
    seen(world, [over(alert, NOW - 60) for alert in ALERTS])
    said = text(client)
    assert "It is over: it lasted 9 min" in said
    assert "Yes: it is over." in said
    assert "Acknowledge all" not in said
    listed = client.get("/incidents", headers=JSON).get_json()
    assert ([each["id"] for each in listed["open"]], [each["id"] for each in listed["over"]]) == ([], [1])


def test_who_was_told_is_part_of_it(world: World, client: FlaskClient) -> None:
    key = fingerprint(ALERTS[0].labels)
    told = path_store.Decision(NOW - 590, "ops", "g", (key,), "told", "the first of its group")
    with world.engine.begin() as connection:
        path_store.record(connection, [told], NOW)
    assert "ops was told: the first of its group" in text(client)


def known(*incidents: Incident, held: str = "") -> Known:
    cards = tuple(replace(card(each, ()), held=held) for each in incidents)
    return Known((), (), (), "live", NOW - 4, NOW, Zone(0, "UTC"), incidents=cards)


def opened(severity: str = "critical", **changes: Any) -> Incident:
    (found,) = step((), [fires("A", NOW - 300, severity=severity)], NOW, Graph())
    return replace(found, id=7, symptom="Pages are slow", **changes)


def test_the_verdict_is_the_worst_incident_and_leads_to_it() -> None:
    causes = (Cause("php", "The pool is full", (), NOW, ""), Cause("web", "Pages wait", (), NOW, ""))
    found = verdict(known(opened("warning"), opened(causes=causes)))
    assert (found.state, found.lead, found.incident) == ("crit", "Pages are slow, for 5 min", "/incidents/7")
    assert "First cause: The pool is full, then: Pages wait." in found.why
    assert found.also == ("Also: Pages are slow.",)
    assert "No clear cause was found." in verdict(known(opened())).why


def test_what_somebody_has_leaves_the_verdict_and_stays_in_sight() -> None:
    found = verdict(known(opened(), held="acknowledged by kim: mine"))
    assert (found.state, found.lead) == ("info", "1 incident, and somebody has it")
    assert found.also == ("Acknowledged by kim: mine.",)
