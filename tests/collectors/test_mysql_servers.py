"""MariaDB: what its own client says, with the least rights, and when it lets nobody in."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.reading import Reading, trial
from collectors.config import Secret
from collectors.errors import Denied, Unreachable
from collectors.mysql import COLLECTOR
from collectors.mysql.config import Mysql
from collectors.mysql.connection import connect, table
from collectors.mysql.status import parse as parse_status
from collectors.mysql.values import number
from tests.collectors.answering import answering
from tests.lab.mariadb_replica import NAMED, mariadb_replica
from tests.lab.ports import free_port, wait_until
from tests.lab.servers import MariaDb


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb(tmp_path_factory.mktemp("db")) as server:
        server.sql("CREATE USER reader@localhost IDENTIFIED BY 'p&ss:w@rd'; GRANT USAGE ON *.* TO reader@localhost;")
        yield server


def read(**settings: Any) -> dict[str, Reading]:
    return {reading.part.name: reading for reading in trial(COLLECTOR, Mysql(**settings))}


def values(reading: Reading) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in reading.samples}


def reader(server: MariaDb, **more: Any) -> dict[str, Any]:
    return {"socket": server.socket, "user": "reader", "password": "p&ss:w@rd", **more}


@pytest.mark.servers
def test_values_are_those_of_the_servers_own_client(server: MariaDb) -> None:
    readings = read(**reader(server))
    variables = dict(line.split("\t", 1) for line in server.sql("SHOW GLOBAL VARIABLES").splitlines() if "\t" in line)
    found = values(readings["variables"])
    for name in ("max_connections", "innodb_buffer_pool_size", "read_only", "long_query_time", "table_open_cache"):
        assert found[f"mysql_global_variables_{name}"] == number(variables[name]), name
    before = dict(line.split("\t", 1) for line in server.sql("SHOW GLOBAL STATUS").splitlines() if "\t" in line)
    status = values(read(**reader(server))["status"])
    after = dict(line.split("\t", 1) for line in server.sql("SHOW GLOBAL STATUS").splitlines() if "\t" in line)
    for name, key in (("Questions", "mysql_global_status_questions"), ("Uptime", "mysql_global_status_uptime"),
                      ("Com_select", "mysql_global_status_commands_total,select"),
                      ("Handler_read_rnd_next", "mysql_global_status_handlers_total,read_rnd_next")):  # fmt: skip
        assert float(before[name]) <= status[key] <= float(after[name]), name
    assert sum(1 for name in status if name.startswith("mysql_global_status_")) > 400


@pytest.mark.servers
def test_usage_alone_reads_status_and_variables_and_tcp_too(server: MariaDb) -> None:
    for settings in (reader(server), reader(server, socket="", port=server.port)):
        readings = read(**settings)
        outcomes = {name: reading.outcome for name, reading in readings.items()}
        assert outcomes == {
            "status": "ok", "variables": "ok", "replica": "denied", "processlist": "denied", "locks": "denied",
            "innodb": "denied", "tables": "denied", "heartbeat": "absent", "binlog": "absent", "userstat": "absent",
            "responses": "absent", "digests": "absent", "waits": "absent", "table_waits": "absent",
        }  # fmt: skip
        assert readings["locks"].error.endswith("; allow it with: GRANT PROCESS ON *.* TO 'reader'@'localhost'")


WATCHED = ("--performance-schema=ON", "--userstat=ON", "--log-bin=bin", "--server-id=1")
RIGHTS = {
    "PROCESS ON *.*": {"processlist", "locks", "innodb", "userstat"},
    "SLAVE MONITOR ON *.*": {"replica"},
    "BINLOG MONITOR ON *.*": {"binlog"},
    "SHOW VIEW ON *.*": {"tables"},
    "SELECT ON performance_schema.*": {"digests", "waits", "table_waits"},
}


@pytest.mark.servers
def test_each_refusal_names_the_grant_that_lets_us_read(tmp_path: Path) -> None:
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


@pytest.mark.servers
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


@pytest.mark.servers
def test_one_that_waits_for_a_lock_is_seen(server: MariaDb) -> None:
    ours = Mysql(socket=server.socket, user=server.user)
    with connect(ours) as holder, connect(ours) as waiter:
        with holder.connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE lab.node SET title = 'held' WHERE nid = 1")
        waiting = threading.Thread(target=_update, args=(waiter.connection,))
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


def _update(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lab.node SET title = 'waited' WHERE nid = 1")


@pytest.mark.servers
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


@pytest.mark.servers
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


@pytest.mark.servers
def test_the_statements_that_take_the_time_are_told_without_what_was_in_them(tmp_path: Path) -> None:
    with MariaDb(tmp_path, WATCHED) as server:
        for number_ in range(5):
            server.sql(f"USE lab; SELECT title FROM node WHERE title = 'secret{number_}' OR nid = 4242{number_}")
        digests = read(socket=server.socket, user=server.user)["digests"]
    assert "ecret" not in str(digests.payload)
    assert "4242" not in str(digests.payload)
    calls = {s.labels[1:]: s.value for s in digests.samples if s.family.name == "sql_digest_calls_total"}
    assert calls["lab", "SELECT `title` FROM `node` WHERE `title` = ? OR `nid` = ?"] == 5


@pytest.mark.servers
def test_the_account_of_an_option_file(server: MariaDb, tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text("[client]\nuser = reader\npassword = 'p&ss:w@rd'\n")
    assert read(socket=server.socket, defaults_file=file)["status"].outcome == "ok"
    file.write_text("[client]\nuser = reader\npassword = wrong-secret\n")
    refused = read(socket=server.socket, defaults_file=file)["status"]
    assert (refused.outcome, "secret" in refused.error) == ("denied", False)
    gone = read(socket=server.socket, defaults_file=tmp_path / "gone")["status"]
    assert (gone.outcome, gone.error) == ("denied", f"read the account from {tmp_path}/gone: No such file or directory")


@pytest.mark.servers
def test_a_list_of_tables_that_takes_too_long_costs_no_connection(server: MariaDb) -> None:
    with connect(Mysql(socket=server.socket, user=server.user)) as session:
        with pytest.raises(Unreachable, match="max_statement_time"):
            table(
                session,
                "SET STATEMENT max_statement_time = 0.1 FOR SELECT COUNT(*) FROM lab.node a, lab.node b, lab.node c",
            )
        assert COLLECTOR.parts[0].read(session)


@pytest.mark.servers
def test_who_is_not_let_in_is_denied_and_told_nothing_secret(server: MariaDb) -> None:
    for settings in (reader(server, password="wrong-secret"), reader(server, user="nobody_here")):
        readings = read(**settings)
        assert {reading.outcome for reading in readings.values()} == {"denied"}
        assert "secret" not in readings["status"].error
        assert "p&ss" not in readings["status"].error


@pytest.mark.servers
def test_an_account_that_is_locked_limited_or_wants_tls_is_denied(server: MariaDb) -> None:
    server.sql(
        "CREATE USER locked@localhost IDENTIFIED BY 'x' ACCOUNT LOCK;"
        "CREATE USER tls@localhost IDENTIFIED BY 'x' REQUIRE SSL;"
        "CREATE USER one@localhost IDENTIFIED BY 'x' WITH MAX_USER_CONNECTIONS 1;"
    )
    with connect(Mysql(socket=server.socket, user="one", password=Secret("x"))):
        for user in ("locked", "tls", "one"):
            assert {reading.outcome for reading in read(**reader(server, user=user, password="x")).values()} == {
                "denied"
            }


@pytest.mark.servers
def test_a_server_that_takes_no_more_connections_is_down_for_all(server: MariaDb) -> None:
    server.sql("SET GLOBAL max_connections = 10")
    try:
        with contextlib.ExitStack() as open_connections:
            for _ in range(10):
                open_connections.enter_context(connect(Mysql(**reader(server))))
            full = read(**reader(server))["status"]
        assert (full.outcome, full.error[-20:]) == ("unreachable", "Too many connections")
    finally:
        server.sql("SET GLOBAL max_connections = 151")


def test_a_password_file_that_cannot_be_read_is_no_server_that_is_down(tmp_path: Path) -> None:
    gone = read(password_file=tmp_path / "gone", port=free_port())["status"]
    (tmp_path / "latin").write_bytes(b"stra\xdfe")
    odd = read(password_file=tmp_path / "latin", port=free_port())["status"]
    assert (gone.outcome, gone.error) == (
        "denied",
        f"read the password from {tmp_path}/gone: No such file or directory",
    )
    assert (odd.outcome, odd.error) == ("denied", f"read the password from {tmp_path}/latin: expected UTF-8 text")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # PyMySQL leaves a socket open
@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "parse"),
        (b"+OK\r\n", "parse"),
        (b"", "unreachable"),
        (b"\x01\0\0\0\x0a", "parse"),
        (b"\x12\0\0\0\x0a5.5\0" + b"1234" + b"saltsalt\0", "parse"),
        (b"\x14\0\0\0\x0a5.5\0" + b"1234" + b"saltsalt\0\0\0", "parse"),
        (b"\x12\0\0\0\x0ax.5\0" + b"1234" + b"saltsalt\0\0", "parse"),
        (b"\x07\0\0\0\xff\x15\x04No!!", "denied"),
        (b"\x07\0\0\0\xff\x10\x04Full", "unreachable"),
    ],
)
def test_what_greets_us_as_no_mysql_server_does(greeting: bytes, outcome: str) -> None:
    with answering(greeting) as port:
        found = read(port=port, timeout=0.5)
    assert {reading.outcome for reading in found.values()} == {outcome}


@pytest.mark.servers
def test_what_is_down_is_unreachable(server: MariaDb) -> None:
    for settings in ({"socket": f"{server.socket}.gone"}, {"port": free_port()}):
        assert {reading.outcome for reading in read(**settings).values()} == {"unreachable"}


@pytest.mark.servers
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # PyMySQL leaves a file open
def test_a_server_that_goes_away_between_two_reads(tmp_path: Any) -> None:
    with MariaDb(tmp_path / "db") as server, connect(Mysql(socket=server.socket, user=server.user)) as connection:
        status = COLLECTOR.parts[0]
        assert status.read(connection)
        server.stop()
        with pytest.raises(Exception, match="SHOW GLOBAL STATUS") as gone:
            status.read(connection)
    assert type(gone.value).__name__ == "Unreachable"


@pytest.mark.servers
def test_our_statements_are_limited_and_stay_out_of_the_slow_log(server: MariaDb) -> None:
    server.sql(
        "SET GLOBAL wait_timeout = 5; SET GLOBAL long_query_time = 0;"
        "SET GLOBAL log_output = 'TABLE'; SET GLOBAL slow_query_log = 1;"
    )
    try:
        with connect(Mysql(**reader(server, timeout=1.5))) as session, session.connection.cursor() as cursor:
            cursor.execute("SELECT @@session.max_statement_time, @@session.long_query_time, @@session.wait_timeout")
            limit, threshold, idle = cursor.fetchone()
            COLLECTOR.parts[0].read(session)
        assert (float(limit), float(threshold), idle) == (1.5, 3600, 600)
        logged = server.sql("SELECT sql_text FROM mysql.slow_log WHERE user_host LIKE '%reader%'")
        assert logged == "SET NAMES utf8mb4\n"  # PyMySQL's own, once a connection
        server.sql("SHOW GLOBAL STATUS LIKE 'Uptime'")  # the log does work
        assert int(server.sql("SELECT COUNT(*) FROM mysql.slow_log WHERE sql_text LIKE 'SHOW GLOBAL STATUS%'")) == 1
    finally:
        server.sql("SET GLOBAL slow_query_log = 0; SET GLOBAL long_query_time = 10; SET GLOBAL wait_timeout = 28800;")


@pytest.mark.parametrize(
    ("text", "value"),
    [("ON", 1), ("off", 0), ("YES", 1), ("12", 12), ("-1", -1), ("1.5e3", 1500), ("Primary", 1), ("Disconnected", 0),
     ("", None), ("InnoDB", None), ("mysql-bin.000123", None), ("wsrep_26.22", None),
     ("Mar  1 00:00:00 2027 GMT", 1_803_859_200), ("1,2", None), ("2026-09-21 14:13:20", 1_790_000_000)],
)  # fmt: skip
def test_words_and_numbers(text: str, value: float | None) -> None:
    assert number(text) == value


@given(st.text())
@example("1e999")
@example("nan")
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = number(text)
    assert found is None or isinstance(found, float | int)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), st.text(max_size=20)).map(list), max_size=5))
def test_any_row_is_a_sample_or_left_out(rows: list[list[str]]) -> None:
    for sample in parse_status(rows):
        assert sample.family.name.startswith("mysql_global_status_")
