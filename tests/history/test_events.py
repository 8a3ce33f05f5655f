import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from collectors.model import Event
from history.database import open_database
from history.events import Events

DEPLOY = Event(
    "deploy:1", "deploy", "info", "h1", "blog", 100.0, 100.0, 1, "Release 7 of blog",
    ({"by": "anna", "path": "/srv/100%_é"}, {"ref": "v7"}), "blog", "closed", "git",
)  # fmt: skip
ATTACK = Event("attack:1", "attack", "critical", "h1", "shop", 150.0, 400.0, 12, "SQL injection tried", state="open")
RESTART = Event("restart:1", "restart", "warning", "h2", "", 300.0, 300.0, 1, "php-fpm restarted")


@pytest.fixture
def events(engine: Engine) -> Events:
    events = Events(engine)
    for event in (RESTART, DEPLOY, ATTACK):
        events.record(event)
    return events


def test_an_event_comes_back_as_it_was(events: Events) -> None:
    assert events.events(0, 1000) == [ATTACK, RESTART, DEPLOY]


def test_the_same_id_twice_is_one_event(events: Events, engine: Engine) -> None:
    Events(engine).record(replace(DEPLOY, title="another"))
    assert events.events(0, 1000, kind="deploy") == [DEPLOY]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind": "deploy"}, [DEPLOY]),
        ({"severity": "critical"}, [ATTACK]),
        ({"host": "h1"}, [ATTACK, DEPLOY]),
        ({"site": ""}, [RESTART]),
        ({"host": "h1", "site": "shop"}, [ATTACK]),
        ({"text": "php-fpm"}, [RESTART]),
        ({"text": "100%_é"}, [DEPLOY]),
        ({"text": "%"}, [DEPLOY]),
        ({"text": "anna"}, [DEPLOY]),
        ({"kind": "nothing"}, []),
    ],
)
def test_they_can_be_filtered(events: Events, asked: dict[str, str], found: list[Event]) -> None:
    assert events.events(0, 1000, **asked) == found


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(0, 99, []), (100, 100, [DEPLOY]), (200, 250, [ATTACK]), (400, 500, [ATTACK]), (401, 500, [])],
)
def test_one_that_lasts_is_in_every_range_it_touches(
    events: Events, start: float, end: float, found: list[Event]
) -> None:
    assert events.events(start, end) == found


def test_they_can_be_followed_in_the_order_they_came(events: Events) -> None:
    first = events.events_after(0, limit=2)
    assert [event for _, event in first] == [RESTART, DEPLOY]
    assert [event for _, event in events.events_after(first[-1][0])] == [ATTACK]


def flood(count: int, keys: int) -> list[Event]:
    return [
        replace(ATTACK, id=f"a{n}", first=1000.0 + n / 100, last=1000.0 + n / 100, count=1, dedup_key=f"k{n % keys}",
                evidence=({"n": str(n)},))
        for n in range(count)
    ]  # fmt: skip


def test_a_flood_of_one_key_is_counted_in_few_rows(engine: Engine) -> None:
    events = Events(engine)
    sent = flood(300, 1)
    for event in sent:
        events.record(event)
    kept = events.events(0, 2000)
    assert len(kept) == 5
    assert sum(event.count for event in kept) == 300
    assert kept[0].last == sent[-1].last
    assert [record["n"] for record in kept[0].evidence] == ["4", "5", "6", "7", "8", "295", "296", "297", "298", "299"]
    for event in sent[-60:]:  # replayed after a crash
        events.record(event)
    assert sum(event.count for event in events.events(0, 2000)) == 300


def test_a_flood_of_many_keys_is_counted_in_one_more_row(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("history.events.MOST_OF_A_KIND", 50)
    events = Events(engine)
    for event in flood(400, 400):
        events.record(event)
    kept = events.events(0, 2000)
    assert len(kept) == 51
    assert sum(event.count for event in kept) == 400
    assert kept[0].title == "Many more events of the kind attack"
    assert kept[0].count == 350
    assert kept[0].evidence[-1] == {"dedup_key": "k399", "title": ATTACK.title}
    events.record(replace(DEPLOY, id="deploy:2", first=1004.0, last=1004.0))
    assert events.events(0, 2000, kind="deploy")[0].id == "deploy:2", "other kinds are as they were"


def test_after_the_flood_events_stand_alone_again(engine: Engine) -> None:
    events = Events(engine)
    for event in flood(20, 1):
        events.record(event)
    later = replace(ATTACK, id="later", first=9000.0, last=9000.0, dedup_key="k0")
    events.record(later)
    assert events.events(8000, 9500) == [later]


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc"), st.integers(0, 4000)), max_size=60))
def test_every_event_is_counted_once(sent: list[tuple[int, str, int]]) -> None:
    """Whatever is repeated, in whatever order: an id is an event, with one key and one time."""
    folder = Path(mkdtemp())
    engine = open_database(folder)
    known: dict[int, Event] = {}
    for number, key, t in sent:
        event = replace(ATTACK, id=str(number), first=float(t), last=float(t), count=1, dedup_key=key)
        known.setdefault(number, event)
        Events(engine).record(known[number])
    assert sum(event.count for event in Events(engine).events(0, 10_000)) == len(known)
    engine.dispose()
    shutil.rmtree(folder)


def test_old_ones_go_and_the_oldest_of_too_many(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Events(engine)
    for n in range(30):
        events.record(replace(RESTART, id=str(n), first=float(n), last=float(n), dedup_key=str(n)))
    assert events.expire(10.0) == 10
    assert [event.last for event in events.events(0, 100)] == [float(n) for n in range(29, 9, -1)]
    monkeypatch.setattr("history.events.MOST_ROWS", 12)
    assert events.expire(10.0) == 8
    assert events.expire(10.0) == 0
    assert len(events.events(0, 100)) == 12
    numbers = [number for number, _ in events.events_after(0)]
    events.record(RESTART)
    assert events.events_after(numbers[-1])[0][1] == RESTART
