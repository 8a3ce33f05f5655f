"""Everything in a PostgreSQL, given by its address."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from alerts import silences, state
from alerts.engine import RuleState, identity
from alerts.model import Alert
from alerts.received import Posted, let_go, receive, received
from collectors.model import Counter, Event, Gauge, Target
from history.access import Access
from history.database import METADATA, SchemaError, open_database
from history.embedded import Embedded
from history.events import Events
from history.model import Vector
from history.samples import Matcher
from history.store import Store, head
from tests.alerts.walk import Walk, routes
from tests.lab.postgresql import PostgreSql

pytestmark = pytest.mark.servers

HOST = Target("node", "h1", "h1")
READS = Counter("node_disk_reads_total", "Reads.", ("device",))
LOAD = Gauge("node_load1", "Load.")
T = 1_790_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSql]:
    with PostgreSql(tmp_path_factory.mktemp("postgresql")) as running:
        yield running


@pytest.fixture
def engine(server: PostgreSql, tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path, server.url)
    yield engine
    METADATA.drop_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    engine.dispose()


def stamps(store: Store) -> list[int]:
    return [int(t) for group in store.select([Matcher("__name__", "=", LOAD.name)], 0, 2**60) for t in group.stamps]


def test_samples_are_kept_sealed_rolled_merged_and_swept(
    engine: Engine, tmp_path: Path, server: PostgreSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "SCRAPES", 40)
    monkeypatch.setattr(head, "SPARE", 8)
    store = Store(engine)
    for tick in range(2000):
        store.append(HOST, T + 60 * tick, [READS(tick, "sda"), LOAD(tick / 8)])
        while store.maintain(T + 60 * tick):
            pass
    other = Store(open_database(tmp_path, server.url))
    for each in (store, other):
        assert stamps(each) == [1000 * (T + 60 * tick) for tick in range(2000)]
        found = Embedded(each).query("increase(node_disk_reads_total[10h])", T + 100_000)
        assert isinstance(found, Vector)
        assert found.points[0].value == pytest.approx(600)
    assert set(store.targets()[0].blocks) == {0, 300}
    assert not store.damaged()
    with pytest.raises(ValueError, match="takes none from before"):
        store.append(HOST, T, [LOAD(1)])
    other.engine.dispose()


def test_events_tokens_and_alerts(engine: Engine) -> None:
    events = Events(engine)
    event = Event("a", "attack", "critical", "h1", "", 1.0, 2.0, 1, "100%_é", ({"n": "1"},), "k")
    for number in range(20):
        events.record(replace(event, id=str(number)))
        events.record(replace(event, id=str(number)))
    kept = events.events(0, 10, text="100%_é")
    assert len(kept) == 5
    assert sum(each.count for each in kept) == 20
    access = Access(engine)
    token = access.create_token("read", 1.0, "grafana")
    assert access.token_scope(token) == "read"
    alert = Alert({"a": "1"}, {}, "firing", 1.0, 1.0)
    after = {"rule": RuleState({identity(alert.labels): alert})}
    for _ in range(2):
        with engine.begin() as connection:
            state.save(connection, {}, after)
    assert state.load(engine)["rule"].alerts


def test_a_server_that_is_away_is_said_without_the_password(tmp_path: Path, server: PostgreSql) -> None:
    for address, expected in (
        (server.url.replace(":lab@", ":s3cret@"), "password authentication failed"),
        ("postgresql://lab:s3cret@127.0.0.1:1/x", "Connection refused"),
    ):
        with pytest.raises(OperationalError, match=expected) as caught:
            open_database(tmp_path, address)
        assert "s3cret" not in str(caught.value)
    with pytest.raises(SchemaError, match="expected postgresql://, found mysql://"):
        open_database(tmp_path, "mysql://lab:s3cret@h/x")


def test_a_server_that_comes_back_is_written_to_again(tmp_path: Path, server: PostgreSql, engine: Engine) -> None:
    store = Store(engine)
    store.append(HOST, T, [LOAD(1)])
    server.stop(signal.SIGINT)  # without waiting for clients
    with pytest.raises(OperationalError):
        store.append(HOST, T + 15, [LOAD(2)])
    server.start()
    store.append(HOST, T + 30, [LOAD(3), READS(1, "a")])
    assert stamps(store) == stamps(Store(engine)) == [1000 * T, 1000 * (T + 30)]


def test_the_path_of_alerts(engine: Engine) -> None:
    walk = Walk(engine, routes("route: {receiver: ops, group_wait: 0s, group_interval: 1m}"))
    key = walk.fire()
    walk.tick(60)
    silence = silences.acknowledge(engine, walk.alerts[key], "kim", now=walk.now, until=walk.now + 3600)
    assert walk.tick(60) == []
    silences.expire(engine, silence, walk.now)
    walk.tick(60)
    walk.end()
    walk.tick(120)
    assert walk.said()["ops"] == ["first firing", "no longer suppressed", "all resolved"]
    assert [one.decision for one in walk.decisions(key)][:2] == ["told", "told"]
    assert walk.flow().known.memories == {}
    receive(engine, [Posted({"alertname": "Theirs"}, {})], walk.now)
    with engine.begin() as connection:
        let_go(connection, walk.now + 7200)
        assert len(received(connection, walk.now)) == 0
