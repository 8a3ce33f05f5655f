"""MariaDB's parts: what each right allows, locks, replication, Galera, statements."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.reading import Reading, trial
from collectors.errors import Denied, Unreachable
from collectors.mysql import COLLECTOR
from collectors.mysql.config import Mysql
from collectors.mysql.connection import connect, table
from collectors.sources import looking
from tests.lab.mariadb_replica import NAMED, mariadb_replica
from tests.lab.ports import free_port, wait_until
from tests.lab.servers import MariaDb

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb(tmp_path_factory.mktemp("db")) as server:
        server.sql("CREATE USER reader@localhost IDENTIFIED BY 'p&ss:w@rd'")
        yield server


def read(**settings: Any) -> dict[str, Reading]:
    return {reading.part.name: reading for reading in trial(COLLECTOR, Mysql(**settings))}


def values(reading: Reading) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in reading.samples}


def reader(server: MariaDb) -> dict[str, Any]:
    return {"socket": server.socket, "user": "reader", "password": "p&ss:w@rd"}


WATCHED = ("--performance-schema=ON", "--userstat=ON", "--log-bin=bin", "--server-id=1")
RIGHTS = {
    "PROCESS ON *.*": {"processlist", "locks", "innodb", "userstat", "deadlocks"},
    "SLAVE MONITOR ON *.*": {"replica"},
    "BINLOG MONITOR ON *.*": {"binlog"},
    "SHOW VIEW ON *.*": {"tables"},
    "SELECT ON performance_schema.*": {"digests", "waits", "table_waits"},
}


def test_each_refusal_names_the_grant_that_lets_us_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_SECONDS", 0)  # else a refusal is remembered for a minute
    with MariaDb(tmp_path, WATCHED) as server:
        server.sql("CREATE USER reader@localhost IDENTIFIED BY 'p&ss:w@rd'")
        granted: set[str] = set()
        for right, parts in RIGHTS.items():
            readings = read(**reader(server))
            assert {name for name in parts if readings[name].outcome != "denied"} == set()
            grants = {readings[name].error.rpartition("; allow it with: ")[2] for name in parts}
            schema = right.replace("performance_schema", "`performance_schema`")
            assert grants == {f"GRANT {right} TO 'reader'@'localhost'"}, schema
            server.sql(grants.pop())
            granted |= parts
            outcomes = {name: reading.outcome for name, reading in read(**reader(server)).items()}
            assert {name for name in granted if outcomes[name] not in ("ok", "absent")} == set()
        assert "bug" not in outcomes.values()
        assert set(outcomes.values()) == {"ok", "absent"}


def test_what_was_refused_is_not_asked_again_over_the_connection(server: MariaDb) -> None:
    with connect(Mysql(**reader(server))) as session:
        locks = next(part for part in COLLECTOR.parts if part.name == "locks")

        def refused() -> int:
            return int(server.sql("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'").split()[-1])

        for wanted in (1, 0):
            before = refused()
            with pytest.raises(Denied, match=r"allow it with: GRANT PROCESS"):
                locks.read(session)
            assert refused() - before == wanted


WAITS_FOR_A_SECOND = (
    "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'Updating' AND time >= 1 AND info LIKE 'UPDATE%'"
)


def test_one_that_waits_for_a_lock_is_seen(server: MariaDb) -> None:
    ours = Mysql(socket=server.socket, user=server.user)
    with connect(ours) as holder, connect(ours) as waiter:
        with holder.connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE lab.node SET title = 'held' WHERE nid = 1")
        waiting = threading.Thread(target=update, args=(waiter.connection,))
        waiting.start()

        # Not asked of innodb_trx itself: the server shows one who asks again within 0.1 s the same as before.
        wait_until(lambda: server.sql(WAITS_FOR_A_SECOND) == "1\n", 20, "one waits for a second")
        readings = read(socket=server.socket, user=server.user)
        found = values(readings["locks"]) | values(readings["processlist"])
        assert found["sql_lock_waits"] == 1
        assert found["sql_lock_wait_longest_seconds"] >= 1
        assert found["sql_transaction_longest_seconds"] >= 1
        assert found["sql_statement_longest_seconds,updating"] >= 1
        assert found["mysql_info_schema_processlist_threads,query,updating"] == 1
        holder.connection.rollback()
        waiting.join(20)


def update(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lab.node SET title = 'waited' WHERE nid = 1")


def test_a_replica_of_two_sources(tmp_path: Path) -> None:
    with mariadb_replica(tmp_path) as both:
        running = "mysql_slave_status_slave_sql_running,127.0.0.1,,,"
        found = values(read(socket=both.replica.socket, user=both.replica.user)["replica"])
        assert (found[running], found[running + NAMED]) == (1, 1)
        assert found["mysql_slave_status_seconds_behind_master,127.0.0.1,,,"] == 0
        both.replica.sql(f"STOP SLAVE '{NAMED}'")
        found = values(read(socket=both.replica.socket, user=both.replica.user)["replica"])
        assert (found[running], found[running + NAMED]) == (1, 0)
        assert f"mysql_slave_status_seconds_behind_master,127.0.0.1,,,{NAMED}" not in found
        source = read(socket=both.source.socket, user=both.source.user)
        assert source["replica"].outcome == "absent"
        assert f"mysql_heartbeat_mysql_slave_hosts_info,2,replica.example,{both.replica.port},1," in values(
            source["binlog"]
        )


def test_a_node_of_galera(tmp_path: Path) -> None:
    settings = (
        "--wsrep-on=ON", "--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-cluster-address=gcomm://",
        "--wsrep-new-cluster", "--wsrep-cluster-name=lab", "--wsrep-node-address=127.0.0.1", "--binlog-format=ROW",
        f"--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{free_port()}", "--innodb-autoinc-lock-mode=2",
    )  # fmt: skip
    with MariaDb(tmp_path, settings) as node:
        readings = read(socket=node.socket, user=node.user)
        found = values(readings["status"]) | values(readings["variables"])
    assert found["mysql_galera_variables_info,lab"] == found["mysql_global_status_wsrep_ready"] == 1
    assert found["mysql_galera_gcache_size_bytes"] == 128 << 20
    assert "mysql_galera_evs_repl_latency_avg_seconds" in found


def test_the_statements_that_take_the_time_are_told_without_what_was_in_them(tmp_path: Path) -> None:
    with MariaDb(tmp_path, WATCHED) as server:
        for number_ in range(5):
            server.sql(f"USE lab; SELECT title FROM node WHERE title = 'secret{number_}' OR nid = 4242{number_}")
        digests = read(socket=server.socket, user=server.user)["digests"]
    assert "ecret" not in str(digests.payload)
    assert "4242" not in str(digests.payload)
    calls = {s.labels[1:]: s.value for s in digests.samples if s.family.name == "sql_digest_calls_total"}
    assert calls["lab", "SELECT `title` FROM `node` WHERE `title` = ? OR `nid` = ?"] == 5


def test_the_account_of_an_option_file(server: MariaDb, tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text("[client]\nuser = reader\npassword = 'p&ss:w@rd'\n")
    assert read(socket=server.socket, defaults_file=file)["status"].outcome == "ok"
    file.write_text("[client]\nuser = reader\npassword = wrong-secret\n")
    refused = read(socket=server.socket, defaults_file=file)["status"]
    assert (refused.outcome, "secret" in refused.error) == ("denied", False)
    gone = read(socket=server.socket, defaults_file=tmp_path / "gone")["status"]
    assert (gone.outcome, gone.error) == ("denied", f"read the account from {tmp_path}/gone: No such file or directory")


def test_a_list_of_tables_that_takes_too_long_costs_no_connection(server: MariaDb) -> None:
    with connect(Mysql(socket=server.socket, user=server.user)) as session:
        with pytest.raises(Unreachable, match="max_statement_time"):
            table(
                session,
                "SET STATEMENT max_statement_time = 0.1 FOR SELECT COUNT(*) FROM lab.node a, lab.node b, lab.node c",
            )
        assert COLLECTOR.parts[0].read(session)
