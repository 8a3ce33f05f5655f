"""Events of one database, copied into another: each once, and as it is now."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collectors.model import Event
from history.backup import backup, restore
from history.database import open_database
from history.events import Events
from history.feed import AT_ONCE, Feed, Pulled, after, copied_id
from history.open_events import close, open_events

T = 1_790_000_000.0
SHELL = Event(
    "log:7:120", "security.webshell", "critical", "web1", "shop", T, T, 1, "A PHP file in files/",
    ({"path": "/srv/é.php"},), "shell:/srv/é.php", "open", "log",
)  # fmt: skip
DEPLOY = Event("deploy:1", "deploy", "info", "web1", "shop", T, T, 1, "Release 7")
AGENT = "http://web1:9876"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "there")
    Events(engine).record(SHELL, DEPLOY)
    yield engine
    engine.dispose()


def pull(there: Engine, here: Engine, host: str = "web1", agent: str = AGENT) -> int:
    """How many came."""
    pulled, count = Pulled(here), 0
    while True:
        feed = after(there, host, pulled.cursor(agent))
        pulled.take(agent, feed)
        count += len(feed.events)
        if not feed.more:
            return count


def all_of(engine: Engine) -> list[Event]:
    return sorted(Events(engine).events(0, 2 * T), key=lambda event: event.id)


def shut(engine: Engine, event_id: str) -> None:
    with engine.begin() as connection:
        assert close(connection, event_id, T + 60, "anna", "dealt with") == 1


def is_open(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [event.id for event in open_events(connection)]


def test_each_comes_once_and_under_its_host(there: Engine, engine: Engine) -> None:
    assert [pull(there, engine), pull(there, engine)] == [2, 0]
    copies = [replace(event, id=f"web1:{event.id}") for event in (DEPLOY, SHELL)]
    assert all_of(engine) == copies
    assert pull(there, engine, agent="http://10.0.0.7:9876") == 2  # by another way, and kept once
    assert all_of(engine) == copies
    assert pull(there, engine, "web2", "http://web2:9876") == 2  # a clone has the same ids
    assert [event.host for event in all_of(engine)] == ["web1", "web1", "web2", "web2"]


def test_what_occurs_again_comes_again(there: Engine, engine: Engine) -> None:
    Events(there).record(*(replace(SHELL, id=f"log:7:{number}", last=T + number) for number in range(4)))
    pull(there, engine)
    Events(there).record(replace(SHELL, id="log:7:999", last=T + 9))  # folded into the newest
    assert pull(there, engine) == 1
    (newest,) = (event for event in all_of(engine) if event.count == 2)
    assert (newest.last, newest.id) == (T + 9, "web1:log:7:3")


def test_who_closes_it_here_has_closed_it_until_it_occurs_again(there: Engine, engine: Engine) -> None:
    pull(there, engine)
    shut(engine, f"web1:{SHELL.id}")
    Events(there).record(*(replace(SHELL, id=f"log:8:{number}") for number in range(5)))
    pull(there, engine)
    assert f"web1:{SHELL.id}" not in is_open(engine)
    for each in is_open(engine):
        with engine.begin() as connection:
            close(connection, each, T + 61, "anna", "")
    assert is_open(engine) == []
    Events(there).record(replace(SHELL, id="log:9:1", last=T + 70))
    pull(there, engine)
    assert len(is_open(engine)) == 1


def test_what_is_closed_there_is_closed_here(there: Engine, engine: Engine) -> None:
    pull(there, engine)
    shut(there, SHELL.id)
    assert pull(there, engine) == 1
    assert is_open(engine) == []
    assert [event.evidence[-1]["note"] for event in all_of(engine) if event.id.endswith(SHELL.id)] == ["dealt with"]


def test_a_copy_is_no_event_of_this_host(there: Engine, engine: Engine) -> None:
    """Nobody gets it from here a second time, nothing here is folded into it, and closing one closes no other's."""
    pull(there, engine)
    pull(there, engine, "web2", "http://web2:9876")
    assert (Events(engine).events_after(0), after(engine, "central", "").events) == ([], ())
    Events(engine).record(*(replace(SHELL, id=f"own:{number}", host="central") for number in range(2)))
    assert [event.id for _, event in Events(engine).events_after(0)] == ["own:0", "own:1"]
    shut(engine, f"web2:{SHELL.id}")
    assert f"web1:{SHELL.id}" in is_open(engine)


def test_what_alerts_say_of_themselves_stays_where_it_is(there: Engine, engine: Engine) -> None:
    Events(there).record(replace(DEPLOY, id="alert:1", kind="alert", severity="warning"))
    assert pull(there, engine) == 2


def test_many_come_in_pages(there: Engine, engine: Engine) -> None:
    many = [replace(DEPLOY, id=f"d:{number}", dedup_key=str(number)) for number in range(AT_ONCE + 5)]
    Events(there).record(*many)
    assert after(there, "web1", "").more
    assert pull(there, engine) == len(all_of(engine)) == AT_ONCE + 7


def test_another_database_there_begins_anew(there: Engine, engine: Engine, tmp_path: Path) -> None:
    pull(there, engine)
    fresh = open_database(tmp_path / "fresh")
    Events(fresh).record(SHELL, replace(DEPLOY, id="deploy:2"))
    assert pull(fresh, engine) == 2
    assert [event.id for event in all_of(engine)] == ["web1:deploy:1", "web1:deploy:2", "web1:log:7:120"]
    fresh.dispose()


def test_a_database_that_was_restored_begins_anew(there: Engine, engine: Engine, tmp_path: Path) -> None:
    backup(tmp_path / "there", tmp_path / "copy", lambda _left, _total: None)
    Events(there).record(replace(DEPLOY, id="lost:1"))
    pull(there, engine)
    there.dispose()
    restore(tmp_path / "there", tmp_path / "copy")
    restored = open_database(tmp_path / "there")
    Events(restored).record(replace(DEPLOY, id="new:1"))  # with the number that the lost one had
    assert pull(restored, engine) == 3
    assert {"web1:new:1", "web1:lost:1"} <= {event.id for event in all_of(engine)}
    assert pull(restored, engine) == 0
    restored.dispose()


@pytest.mark.parametrize("cursor", ["7", "x.7", "abc.-1", "abc.7 ", "abc." + "9" * 30])
def test_what_is_no_cursor_is_refused(there: Engine, cursor: str) -> None:
    with pytest.raises(ValueError, match="expected what an earlier answer has as `next`"):
        after(there, "web1", cursor)


def test_nothing_happened_yet(engine: Engine) -> None:
    assert after(engine, "web1", "") == Feed("web1", (), "", more=False)


def test_long_ids_stay_apart() -> None:
    one, other = (copied_id("web1", "x" * 199 + end) for end in "ab")
    assert (len(one), len(other), one == other) == (200, 200, False)
