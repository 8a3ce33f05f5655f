"""A deadlock becomes an event, once."""

import contextlib
import threading
from pathlib import Path

import psycopg
import pytest

from collectors.postgres import deadlocks
from collectors.postgres.config import Postgres
from collectors.sources import looking
from tests.lab.ports import wait_until
from tests.lab.postgresql import PASSWORD, PostgreSql

NOW = 1_790_000_000.0


def test_what_begins_anew_has_grown_by_what_it_is() -> None:
    before = {"shop": 7.0, "blog": 3.0, "same": 2.0}
    assert deadlocks.grown({"shop": 9.0, "blog": 1.0, "same": 2.0, "new": 4.0}, before) == {
        "shop": 2.0, "blog": 1.0, "new": 4.0,
    }  # fmt: skip


@pytest.mark.servers
def test_a_deadlock_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = NOW
    monkeypatch.setattr(looking, "clock", lambda: now)
    with PostgreSql(tmp_path / "pg", ["deadlock_timeout=10ms"]) as server:
        server.sql("CREATE TABLE node AS SELECT n AS nid FROM generate_series(1, 2) AS n")
        config = Postgres(address="127.0.0.1", port=server.port, user="lab", password=PASSWORD)
        nothing, cursor = deadlocks.read(config, None)
        assert nothing is None
        _deadlock(server)
        wait_until(lambda: server.sql("SELECT 1 FROM pg_stat_database WHERE deadlocks > 0") != [], 20, "it is counted")
        assert deadlocks.read(config, cursor) == (None, cursor)  # not before a minute has passed
        now += looking.LOOK_SECONDS
        payload, cursor = deadlocks.read(config, cursor)
        assert payload is not None
        _, (event,) = deadlocks.step({}, payload)
        assert (event.kind, event.count, event.first, event.last) == ("sql.deadlock", 1, NOW, now)
        assert event.title == "Deadlock in the database postgres: one of the transactions was rolled back"
        now += looking.LOOK_SECONDS
        assert deadlocks.read(config, cursor)[0] is None


def _deadlock(server: PostgreSql) -> None:
    """Each holds a row and waits for the other's."""
    both = threading.Barrier(2, timeout=20)

    def update(rows: tuple[int, int]) -> None:
        with psycopg.connect(server.url) as connection, contextlib.suppress(psycopg.errors.DeadlockDetected):
            connection.execute("UPDATE node SET nid = nid WHERE nid = %s", [rows[0]])
            both.wait()
            connection.execute("UPDATE node SET nid = nid WHERE nid = %s", [rows[1]])

    threads = [threading.Thread(target=update, args=[rows]) for rows in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
