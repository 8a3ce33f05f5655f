"""The audit log has whatever people changed, with who and from where; and nothing of what was refused or is secret."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from alerts.incidents import store
from alerts.notices import fingerprint
from collectors.model import Event
from dashboard.acting import NAMES
from history.audit import MOST_CHARACTERS, Entry
from tests.alerts.walk import routes
from tests.dashboard import situations
from tests.dashboard.test_boards import UP, send
from tests.dashboard.test_incidents import seen
from tests.dashboard.world import NOW, World

PASSWORD = "correct horse battery staple"
YAML = "boards:\n- name: two\n  title: Two\n- name: three\n  title: Three\n"
Said = Callable[..., str]


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, plan=routes("route: {receiver: ops, group_by: [alertname]}"))
    world.alerting.found = situations.alerts()[:2]
    situations.fire(world)
    world.access.users.add("ada", PASSWORD, "admin", world.now)
    return world


@pytest.fixture
def said(world: World) -> Said:
    """What the log has of a form of ada's."""
    client: FlaskClient = world.as_user("ada")

    def sent(path: str, **form: str) -> str:
        before = len(world.access.audit.newest(100))
        answer = send(client, path, **form)
        assert answer.status_code in (200, 302, 303), answer.text
        entry, *others = world.access.audit.newest(100)
        assert len(others) >= before, path
        assert (entry.who, entry.address, entry.at) == ("ada", "127.0.0.1", NOW)
        return entry.what

    return sent


def test_what_is_done_to_alerts(world: World, said: Said) -> None:
    first, second = world.alerting.found
    assert said(f"/alerts/{fingerprint(first.labels)}/acknowledge", hours="1") == f"acknowledged {first.name}"
    where = [f'{name}="{second.labels[name]}"' for name in NAMES if name in second.labels]
    assert said(f"/alerts/{fingerprint(second.labels)}/silence", hours="1") == f"silenced {', '.join(where)}"
    assert world.services.desk
    key = next(each.id for each in world.services.desk.silences() if each.kind == "silence")
    assert said(f"/silences/{key}/end") == f"ended the silence {key}"
    world.events.record(Event("e:1", "security.upload", "critical", "web1", "", NOW, NOW, 1, "x", state="open"))
    assert said("/events/close", id="e:1") == "closed the event e:1"


def test_what_is_done_to_boards_and_checks(said: Said) -> None:
    assert said("/boards", title="One") == "board one made"
    assert said("/boards/one/panels", revision="1", **UP) == "board one changed"
    assert said("/boards/one", title="Uno", revision="2") == "board one changed"
    assert said("/boards/panels", new="Four", **UP) == "board four changed"
    assert said("/boards/one", what="remove") == "board one removed"
    assert said("/boards/import", text=YAML) == "boards two, three imported"
    url = "https://shop.example/"
    assert said("/checks", name="shop", url=url, interval="60") == f"check shop of {url} added"
    assert said("/checks/remove", name="shop") == "check shop removed"


def test_what_is_done_to_who_may_do_it(world: World, said: Said) -> None:
    assert said("/settings/users", name="kim", password=PASSWORD, role="viewer") == "user kim added, viewer"
    assert said("/settings/users/kim", what="role", role="admin") == "user: kim is admin now"
    assert said("/settings/users/kim", what="password", password=PASSWORD) == "user: kim has another password"
    world.as_user("kim")
    session = next(each for each in world.access.sessions.all(NOW) if each.user == "kim")
    assert said(f"/settings/sessions/{session.id}/end") == f"session {session.id[:8]} ended"
    assert said("/settings/users/kim", what="remove") == "user: kim is removed"
    for what, words in (("read", "token of scope read"), ("write", "token of scope write"), ("wall", "wall")):
        assert said("/settings/tokens", name=what, what=what) == f"{words} {what} made"
    assert said("/settings/tokens/revoke", name="wall", what="wall") == "wall wall revoked"
    assert said("/settings/tokens/revoke", name="read", what="token") == "token read revoked"
    assert said("/logout") == "logout"
    assert not any(PASSWORD in entry.what for entry in world.access.audit.newest(100))


def test_an_entry_is_one_line_of_bounded_length(world: World) -> None:
    world.access.audit.note(Entry(NOW, "k" * 9999, "", f"a\nb\t{'c' * 9999}"))
    (entry,) = world.access.audit.newest(1)
    assert (len(entry.who), len(entry.what), entry.what[:4]) == (MOST_CHARACTERS, MOST_CHARACTERS, "a b ")


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_no_note_is_none_and_a_long_one_is_cut(world: World, text: str) -> None:
    client = world.as_user("ada")
    seen(world, situations.alerts()[:2])
    assert send(client, "/incidents/1/notes", text=text).status_code == 303
    assert send(client, "/incidents/1/notes", text="x" * (store.MOST_NOTE + 9)).status_code == 303
    with world.engine.connect() as connection:
        incident = store.incident(connection, 1)
    assert incident
    assert [(note.by, len(note.text)) for note in incident.notes] == [("ada", store.MOST_NOTE)]
