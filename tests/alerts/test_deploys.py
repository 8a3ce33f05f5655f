"""A deploy opens a short maintenance of its site: what it holds back, for how long, and that people may end it."""

import pytest
from sqlalchemy import Engine

from alerts import silences
from alerts.deploys import open_maintenance
from collectors.model import Event
from history.events import Events
from tests.alerts.examples import T
from tests.alerts.walk import Walk, routes

AT_ONCE = "route: {receiver: ops, group_by: ['...'], group_wait: 0s, group_interval: 1m}"
SECONDS = 300.0


@pytest.fixture
def walk(engine: Engine) -> Walk:
    deployed(engine, T, "shop")
    made = Walk(engine, routes(AT_ONCE))
    opened(made)
    return made


def deployed(engine: Engine, at: float, site: str) -> None:
    Events(engine).record(Event(f"d{at}", "deploy", "info", "web1", site, at, at, 1, "Release 42"))


def opened(walk: Walk) -> list[silences.Silence]:
    """Once more, as each cycle does; what is open then."""
    with walk.engine.begin() as connection:
        open_maintenance(connection, walk.now, SECONDS)
        return list(silences.silences(connection, ends_after=walk.now))


@pytest.mark.a3("Suppressing", "A deploy opens a short maintenance of its site, which holds warnings back.")
@pytest.mark.parametrize(("labels", "is_told"), [
    ({"severity": "warning", "class": "slow", "site": "shop"}, False),
    ({"severity": "warning", "class": "outage", "job": "drupal", "instance": "shop"}, False),
    ({"severity": "critical", "class": "outage", "site": "shop"}, True),
    ({"severity": "warning", "class": "slow", "site": "other"}, True),
    ({"severity": "warning", "class": "slow", "site": "shop", "host": "web2"}, True),
    ({"severity": "warning", "class": "webshell", "site": "shop"}, True),
    ({"severity": "critical", "class": "webshell", "site": "shop"}, True),
])  # fmt: skip
def test_what_it_holds_back(walk: Walk, labels: dict[str, str], is_told: bool) -> None:
    key = walk.fire(**labels)
    assert bool(walk.tick(120)) == is_told
    assert is_told or walk.flow().marks[key].text == f"in maintenance by deploy: Release 42 (at {T:.0f})"
    assert len(walk.tick(SECONDS)) == (0 if is_told else 1)


def test_it_is_opened_once_and_stays_ended(walk: Walk) -> None:
    first = opened(walk)
    assert {each.ends for each in first} == {T + SECONDS}
    for each in first:
        silences.expire(walk.engine, each.id, walk.now + 10)
    walk.now += 20
    assert opened(walk) == []
    deployed(walk.engine, walk.now, "shop")
    assert {each.ends for each in opened(walk)} == {walk.now + SECONDS}


def test_of_a_whole_host(engine: Engine) -> None:
    deployed(engine, T, "")
    walk = Walk(engine, routes(AT_ONCE))
    assert len(opened(walk)) == 1
    walk.fire(severity="warning", **{"class": "slow"})
    assert walk.tick(120) == []


def test_it_may_be_turned_off(engine: Engine) -> None:
    deployed(engine, T, "shop")
    with engine.begin() as connection:
        open_maintenance(connection, T + 10, 0)
        assert list(silences.silences(connection)) == []
