"""The page that a message's link leads to."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from alerts import state
from alerts.engine import RuleState, identity
from alerts.incidents import store
from alerts.incidents.graph import Graph
from alerts.incidents.grouping import step
from alerts.message.links import signed, verify
from dashboard.pages.act import AUTHOR, GUESSES, TOO_OLD
from tests.alerts.incidents.test_grouping import fires
from tests.dashboard.world import NOW, World

ALERTS = fires("MysqlDown", NOW - 60, host="web-01"), fires("ProbeFailed", NOW - 30, host="web-01")
OTHER = fires("DiskFull", NOW - 30, host="db-01")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    with world.engine.begin() as connection:
        states = {f"r/{one.name}": RuleState({identity(one.labels): one}) for one in (*ALERTS, OTHER)}
        state.save(connection, {}, states)
        store.save(connection, (), step((), (*ALERTS, OTHER), NOW, Graph()), NOW)
    return world


def link(world: World, path: str = "/incidents/1", expires: float = NOW + 60) -> str:
    return f"/a/{signed(path, expires, world.services.secret_key)}"


def csrf(client: FlaskClient, url: str) -> str:
    found = re.search('name="csrf_token" value="([^"]+)"', client.get(url).text)
    assert found
    return found[1]


def held(world: World) -> list[tuple[str, str, float]]:
    assert world.services.desk
    found = world.services.desk.silences()
    return sorted((one.kind, {m.name: m.value for m in one.matchers}["alertname"], one.ends) for one in found)


def test_it_shows_the_incident_without_a_login_and_changes_nothing(world: World) -> None:
    client = world.stranger()
    for method in ("GET", "HEAD"):
        assert client.open(link(world), method=method).status_code == 200
    shown = client.get(link(world))
    assert "ProbeFailed!" in shown.text
    assert "DiskFull" not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert held(world) == []
    assert 'href="/incidents/1"' in shown.text, "whoever is logged in is a tap away from the answers"
    assert client.get("/alerts").status_code == 302, "the link lets in nowhere else"


@pytest.mark.parametrize(("what", "kind"), [("ack", "ack"), ("silence", "silence")])
def test_its_buttons_hold_the_alerts_of_this_incident(world: World, what: str, kind: str) -> None:
    client, url = world.stranger(), link(world)
    form = {"csrf_token": csrf(client, url), "what": what, "hours": "1"}
    answer = client.post(url, data=form)
    assert (answer.status_code, "2 alerts are" in answer.text) == (200, True)
    assert held(world) == [(kind, "MysqlDown", NOW + 3600), (kind, "ProbeFailed", NOW + 3600)]
    written = {(entry.who, entry.what) for entry in world.access.audit.newest(9)}
    assert written == {(AUTHOR, f"{what} MysqlDown"), (AUTHOR, f"{what} ProbeFailed")}


def test_other_hours_than_those_that_are_offered_are_four(world: World) -> None:
    client, url = world.stranger(), link(world)
    client.post(url, data={"csrf_token": csrf(client, url), "what": "silence", "hours": "9999"})
    assert {ends for _, _, ends in held(world)} == {NOW + 4 * 3600}


def test_another_page_cannot_press_the_button(world: World) -> None:
    client = world.stranger()
    client.get(link(world))
    assert client.post(link(world), data={"what": "ack"}).status_code == 400
    assert held(world) == []


@pytest.mark.parametrize("path", ["/incidents/9", "/incidents/", "/other/1", "/incidents/-1", "/incidentz/1"])
def test_a_link_to_something_else_does_nothing(world: World, path: str) -> None:
    assert world.stranger().get(link(world, path)).status_code == 403


def test_a_link_that_is_old_or_forged_does_nothing_and_guesses_are_counted(world: World) -> None:
    client, url = world.stranger(), link(world)
    token = csrf(client, url)
    for wrong in (link(world, expires=NOW), f"{url[:-2]}xx", f"/a/{signed('/incidents/1', NOW + 60, 'another key')}"):
        answer = client.post(wrong, data={"csrf_token": token, "what": "ack"})
        assert (answer.status_code, TOO_OLD in answer.text) == (403, True)
    assert held(world) == []
    answers = [client.get("/a/guess", environ_overrides={"REMOTE_ADDR": "10.9.8.7"}).status_code for _ in range(25)]
    assert answers == [403] * int(GUESSES.split()[0]) + [429] * (25 - int(GUESSES.split()[0]))


@given(st.text(max_size=40), st.integers(0, 2**40), st.text(min_size=1, max_size=20))
def test_what_is_signed_is_verified_until_it_expires(path: str, expires: int, key: str) -> None:
    token = signed(path, expires, key)
    assert verify(token, key, expires - 1) == path
    assert verify(token, key, expires) is None
    assert verify(token, f"{key}x", expires - 1) is None


@given(st.text(max_size=60))
def test_no_other_text_is_a_token(text: str) -> None:
    assert verify(text, "key", 0) is None
