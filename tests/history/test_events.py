from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
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
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    yield engine
    engine.dispose()


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
