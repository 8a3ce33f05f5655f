"""MariaDB: what its own client says, with the least rights, and when it lets nobody in."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.reading import Reading, trial
from collectors.config import Secret
from collectors.mysql import COLLECTOR
from collectors.mysql.config import Mysql
from collectors.mysql.connection import connect
from collectors.mysql.status import parse as parse_status
from collectors.mysql.values import number
from tests.collectors.answering import answering
from tests.lab.ports import free_port
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
            "deadlocks": "denied",
        }  # fmt: skip
        assert readings["locks"].error.endswith("; allow it with: GRANT PROCESS ON *.* TO 'reader'@'localhost'")


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
