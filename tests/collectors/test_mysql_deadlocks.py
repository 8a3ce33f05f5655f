"""A deadlock becomes an event, once, and nothing of what stands in its statements is told."""

import threading
from pathlib import Path

import pymysql
import pytest

from collectors.mysql import deadlocks
from collectors.mysql.config import Mysql
from collectors.sources import looking
from tests.lab.servers import MariaDb


@pytest.mark.servers
def test_a_deadlock_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_790_000_000.0
    monkeypatch.setattr(looking, "clock", lambda: now)
    with MariaDb(tmp_path / "db") as server:
        config = Mysql(socket=server.socket, user=server.user)
        nothing, cursor = deadlocks.read(config, None)
        assert nothing is None
        _deadlock(server)
        assert deadlocks.read(config, cursor) == (None, cursor)  # not before a minute has passed
        now += looking.LOOK_SECONDS
        payload, cursor = deadlocks.read(config, cursor)
        assert payload is not None
        _, (event,) = deadlocks.step({}, payload)
        assert (event.kind, event.severity) == ("sql.deadlock", "info")
        assert event.title == "Deadlock in lab.node: one of the transactions was rolled back"
        assert event.evidence == ({"statement": "UPDATE node SET title = ? WHERE nid = ?"},) * 2
        assert "secret" not in str(payload)
        assert float(server.sql(f"SELECT ABS(UNIX_TIMESTAMP() - {event.first})")) < 3600
        now += looking.LOOK_SECONDS
        assert deadlocks.read(config, cursor)[0] is None


def _deadlock(server: MariaDb) -> None:
    """Each holds a row and waits for the other's."""
    one, other = (
        pymysql.connect(unix_socket=server.socket, user="lab", password="lab", database="lab", autocommit=False)
        for _ in range(2)
    )
    both = threading.Barrier(2, timeout=20)

    def update(connection: pymysql.Connection, rows: tuple[int, int]) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"UPDATE node SET title = 'secret' WHERE nid = {rows[0]}")
            both.wait()
            try:
                cursor.execute(f"UPDATE node SET title = 'secret' WHERE nid = {rows[1]}")
            except pymysql.err.OperationalError as error:
                assert error.args[0] == 1213  # noqa: PT017 # it was this one that was rolled back

    threads = [threading.Thread(target=update, args=each) for each in ((one, (1, 2)), (other, (2, 1)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
