"""From alerts to an explained incident, and to what a message says of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts.incidents import store
from alerts.incidents.watch import Watch
from alerts.notices import Notice
from alerts.path.plan import Plan
from collectors.model import Counter, Event, Gauge, Sample, Target
from history.embedded import Embedded
from history.events import Events
from history.store.store import Store
from tests.alerts.examples import T
from tests.alerts.incidents.test_grouping import fires, over

DOWN = fires("MysqlDown", T, **{"class": "outage", "layer": "database", "instance": "db"})
PROBE = fires("ProbeFailed", T + 20, **{"class": "outage", "layer": "uptime"})
UP = Gauge("mysql_up", "x")
REQUESTS = Counter("web_requests_total", "x", ("site", "class", "status"))


@pytest.fixture
def watch(engine: Engine, tmp_path: Path) -> Watch:
    """Half of the requests to shop.example fail since T, when its database went away; somebody deployed just before."""
    history = Store(engine)
    good = bad = 0.0
    for at in range(-3600, 121, 15):
        good, bad = (good + 150, bad) if at < 0 else (good + 75, bad + 75)
        history.append(Target("mysql", "db", "web1"), T + at, [UP(float(at < 0))])
        history.append(Target("web", "web1", "web1"), T + at, list(requests(good, bad)))
    events = Events(engine)
    events.record(Event("d", "deploy", "info", "web1", "", T - 300, T - 300, 1, "Deployed 4.2"))
    events.record(Event("e", "deploy", "info", "web2", "", T - 300, T - 300, 1, "Deployed elsewhere"))
    line = ({"path": "/cart"},)
    events.record(
        Event("p", "drupal.error", "warning", "web1", "shop.example", T + 60, T + 60, 1, "php: disk full", line),
        Event("q", "drupal.error", "warning", "web1", "shop.example", T - 900, T - 900, 1, "php: of before", line),
    )
    watch = Watch(engine, Embedded(history), events, lambda: (Plan(), ()), lambda: T + 120)
    with engine.begin() as connection:
        watch.group(connection, [DOWN, PROBE], T + 60)
    return watch


def requests(good: float, bad: float) -> Iterator[Sample]:
    yield REQUESTS(good, "shop.example", "front", "2xx")
    yield REQUESTS(bad, "shop.example", "front", "5xx")


def test_it_is_explained_once_until_it_grows(watch: Watch, engine: Engine) -> None:
    assert (watch.explain_new(), watch.explain_new()) == (1, 0)
    with engine.connect() as connection:
        (found,) = store.incidents(connection)
    assert found.symptom == "Pages of shop.example answer 5xx: 50 % of requests against 0 % normal"
    assert [(cause.layer, cause.alert) for cause in found.causes] == [("database", "MysqlDown"), ("change", "")]
    assert [change.title for change in found.changes] == ["Deployed 4.2"]
    assert {mover.title for mover in found.movers} == {"The database db answers", "Answers 5xx of shop.example"}
    assert all(T <= mover.moved_at <= T + 30 for mover in found.movers)
    assert found.command == "systemctl status mariadb mysql"


def test_a_change_that_is_told_late_is_named_all_the_same(engine: Engine) -> None:
    clock = [T + 10]
    events = Events(engine)
    watch = Watch(engine, Embedded(Store(engine)), events, lambda: (Plan(), ()), lambda: clock[0])
    with engine.begin() as connection:
        watch.group(connection, [fires("SiteErrors", T, site="shop")], T + 10)
    assert watch.explain_new() == 1
    events.record(Event("d", "drupal.deploy", "info", "web1", "shop", T + 30, T + 30, 1, "composer.lock changed"))
    clock[0] = T + 60
    assert (watch.explain_new(), watch.explain_new()) == (1, 0)
    with engine.connect() as connection:
        (found,) = store.incidents(connection)
    assert [cause.words for cause in found.causes] == ["composer.lock changed"]
    clock[0] = T + 3600
    assert watch.explain_new() == 0


def test_what_follows_crowds_out_no_change_of_before(engine: Engine) -> None:
    events = Events(engine)
    watch = Watch(engine, Embedded(Store(engine)), events, lambda: (Plan(), ()), lambda: T + 60)
    for at in (-300, *range(1, 20)):
        events.record(Event(f"{at}", "service.restart", "info", "web1", "", T + at, T + at, 1, f"{at}"))
    with engine.begin() as connection:
        watch.group(connection, [fires("SiteErrors", T)], T + 10)
    watch.explain_new()
    with engine.connect() as connection:
        (found,) = store.incidents(connection)
    assert [change.title for change in found.changes] == ["19", "18", "17", "16", "15", "14", "13", "-300"]


def test_a_message_says_what_is_known_of_the_incident(watch: Watch) -> None:
    known = watch.context(Notice("ops", {}, (PROBE, DOWN), "https://gauge.example.org"))
    assert known is not None
    assert known.incident_title == "Incident 1 on web1"
    assert known.causes[0].startswith("database: MysqlDown!")
    assert [link.url for link in known.links] == ["https://gauge.example.org/incidents/1"]
    assert known.impact == "5 of 10 requests a second to web1 fail"
    assert known.offenders == ("Pages front of shop.example: 5 /s answer 5xx",)
    assert known.evidence == ("22:14:20 UTC php: disk full (path /cart)",)
    assert known.chart_png.startswith(b"\x89PNG")
    assert set(known.series) == {1.0, 0.0}
    assert watch.context(Notice("ops", {}, (fires("Other"),))) is None


def test_the_end_is_told_in_the_same_thread(watch: Watch, engine: Engine) -> None:
    ended = [over(DOWN, T + 100), over(PROBE, T + 100)]
    with engine.begin() as connection:
        watch.group(connection, ended, T + 110)
    known = watch.context(Notice("ops", {}, tuple(ended)))
    assert known is not None
    assert known.incident == 1
