"""Forms of the alerts page: acknowledge, silence, end it; and what became of each alert on its way to people."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from alerts import runbooks
from alerts.notices import fingerprint
from collectors.model import Event
from dashboard import prose
from tests.alerts.walk import routes
from tests.dashboard import situations
from tests.dashboard.world import NOW, World

JSON = {"Accept": "application/json"}
ROUTES = "route: {receiver: ops, group_by: [alertname]}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, plan=routes(ROUTES))
    world.alerting.found = situations.alerts()[:2]
    situations.fire(world)
    return world


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.client()


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/alerts").get_data(as_text=True))
    assert found
    return found[1]


def key_of(world: World, at: int = 0) -> str:
    return fingerprint(world.alerting.found[at].labels)


def text_of(client: FlaskClient) -> str:
    return " ".join(client.get("/alerts").get_data(as_text=True).split())


def test_an_acknowledged_alert_says_by_whom_and_for_how_long(world: World, client: FlaskClient) -> None:
    assert "not told yet" in text_of(client)
    form = {"csrf_token": token(client), "hours": "1", "comment": "looking at the slow log"}
    answer = client.post(f"/alerts/{key_of(world)}/acknowledge", data=form)
    assert (answer.status_code, answer.location) == (303, f"/alerts#{key_of(world)}")
    assert "Nobody is told: acknowledged by the dashboard: looking at the slow log." in text_of(client)
    (kept,) = world.services.desk.silences() if world.services.desk else ()
    assert (kept.kind, kept.ends) == ("ack", NOW + 3600)


def test_a_silence_covers_the_same_place_and_ends_when_it_is_told_to(world: World, client: FlaskClient) -> None:
    desk = world.services.desk
    assert desk
    client.post(f"/alerts/{key_of(world, 1)}/silence", data={"csrf_token": token(client), "hours": "999999"})
    (kept,) = desk.silences()
    assert kept.ends == NOW + 4 * 3600
    assert {each.name for each in kept.matchers} == {"alertname", "host", "instance", "job"}
    assert "silenced on the dashboard" in text_of(client)
    assert client.post(f"/silences/{kept.id}/end", data={"csrf_token": token(client)}).status_code == 303
    assert desk.silences(NOW) == []
    assert "ended" in text_of(client)


@pytest.mark.parametrize("path", ["/alerts/{key}/acknowledge", "/alerts/{key}/silence", "/silences/x/end"])
def test_without_the_form_of_our_page_nothing_is_done(world: World, client: FlaskClient, path: str) -> None:
    assert client.post(path.format(key=key_of(world))).status_code == 400
    assert world.stranger().post(path.format(key=key_of(world))).status_code in (302, 401)
    assert client.get(path.format(key=key_of(world))).status_code == 405
    assert world.services.desk
    assert world.services.desk.silences() == []


def test_what_does_not_fire_any_more_is_not_found(client: FlaskClient) -> None:
    form = {"csrf_token": token(client)}
    assert client.post("/alerts/0123/acknowledge", data=form).status_code == 404
    assert client.post("/silences/0123/end", data=form).status_code == 404


def test_a_comment_of_a_stranger_is_text(world: World, client: FlaskClient) -> None:
    evil = "<script>alert(1)</script>"
    client.post(f"/alerts/{key_of(world)}/acknowledge", data={"csrf_token": token(client), "comment": evil})
    assert evil not in text_of(client)
    assert "&lt;script&gt;" in text_of(client)


@pytest.mark.parametrize("name", runbooks.names())
def test_every_runbook_is_a_page(name: str, client: FlaskClient) -> None:
    text = client.get(f"/runbooks/{name}").get_data(as_text=True)
    assert f"<h1>{name}</h1>" in text


def test_a_runbook_that_names_another_links_to_it(client: FlaskClient) -> None:
    text = client.get("/runbooks/FpmPoolExhausted").get_data(as_text=True)
    assert 'see <a href="FpmMaxChildrenTooLow">FpmMaxChildrenTooLow</a>' in text
    assert "raingauge runbook" not in text


def test_routes_are_told_in_words(tmp_path: Path) -> None:
    tree = """
route:
  receiver: ops
  routes:
    - {matchers: [severity="critical"], receiver: boss, group_by: ["..."], group_wait: 0s, continue: true}
    - {receiver: ops, group_by: []}
"""
    data = World(tmp_path, plan=routes(tree)).client().get("/settings/configuration", headers=JSON).get_json()
    assert [(each["receiver"], each["words"]) for each in data["routes"]] == [
        ("ops", "grouped by alertname and host, told after 30 s, again every 4 h while it fires"),
        (
            "boss",
            "each alert alone, told at once, again every 4 h while it fires, the routes after it are tried as well",
        ),
        ("ops", "all in one message, told after 30 s, again every 4 h while it fires"),
    ]


def test_an_unknown_runbook_is_not_there(client: FlaskClient) -> None:
    assert client.get("/runbooks/../../etc/passwd").status_code == 404
    assert client.get("/runbooks/Nothing").status_code == 404


def test_html_in_a_page_of_ours_stays_text() -> None:
    assert "<script>" not in prose.html("a <script>alert(1)</script> b")


def test_an_event_is_closed_with_a_note(world: World, client: FlaskClient) -> None:
    shell = Event(
        "security.upload:1", "security.upload", "critical", "web1", "shop", NOW - 60, NOW - 60, 1, "PHP among uploads",
        dedup_key="k", state="open",
    )  # fmt: skip
    world.events.record(shell)
    page = client.get("/security").get_data(as_text=True)
    assert page.count('action="/events/close"') == 1
    form = {"csrf_token": token(client), "id": shell.id, "note": "our own import"}
    assert client.post("/events/close", data={**form, "csrf_token": "x"}).status_code == 400
    assert world.stranger().post("/events/close", data=form).status_code in (302, 400, 401)
    answer = client.post("/events/close", data={**form, "site": "shop"})
    assert (answer.status_code, answer.location) == (303, "/security?site=shop")
    page = client.get("/security").get_data(as_text=True)
    assert 'action="/events/close"' not in page
    assert "our own import" in page
    (kept,) = world.events.events(NOW - 100, NOW)
    assert (kept.state, kept.evidence[-1]["by"]) == ("closed", "the dashboard")
    assert client.post("/events/close", data=form).status_code == 404
