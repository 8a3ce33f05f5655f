"""How MySQL, which Debian does not have, is asked: the spelling that each version knows, once it is known."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import Denied, Unsupported
from collectors.mysql import binlog, digests, replica, tables
from collectors.mysql.config import Mysql
from collectors.mysql.connection import Session, first_table

SYNTAX = 1064
NO_RIGHT = 1227
Answer = list[dict[str, str | None]] | int
"""Rows, or the number of an error."""


class Server:
    """Knows some statements by their beginning; all others are wrong syntax."""

    _sock = None

    def __init__(self, version: str, answers: Mapping[str, Answer]) -> None:
        self.version = version
        account: Answer = [{"CURRENT_USER()": "raingauge@localhost"}]
        self.answers: dict[str, Answer] = {"SELECT CURRENT_USER()": account, **answers}
        self.asked: list[str] = []
        self.rows: list[dict[str, str | None]] = []

    def get_server_info(self) -> str:
        return self.version

    def cursor(self) -> "Server":
        return self

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def execute(self, statement: str) -> None:
        import pymysql

        self.asked.append(" ".join(statement.split()))
        answer = next((rows for known, rows in self.answers.items() if self.asked[-1].startswith(known)), SYNTAX)
        if isinstance(answer, int):
            raise pymysql.err.OperationalError(answer, "no")
        self.rows = answer

    @property
    def description(self) -> list[tuple[str]]:
        return [(name,) for name in (self.rows[0] if self.rows else ())]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.rows]


def session(version: str, answers: Mapping[str, Answer]) -> tuple[Server, Session]:
    server = Server(version, answers)
    return server, Session(server, Mysql())


@pytest.mark.parametrize(
    ("version", "statement", "column"),
    [
        ("10.11.6-MariaDB", "SHOW ALL SLAVES STATUS", "Seconds_Behind_Master"),
        ("8.4.3", "SHOW REPLICA STATUS", "Seconds_Behind_Source"),
        ("5.7.44", "SHOW SLAVE STATUS", "Seconds_Behind_Master"),
    ],
)
def test_a_replica_is_asked_in_its_own_words_and_answers_under_the_old_ones(
    version: str, statement: str, column: str
) -> None:
    server, asking = session(version, {statement: [{column: "7", "Last_Error": "Duplicate entry 'secret'"}]})
    first, second = (replica.read(asking) for _ in range(2))
    assert first == second
    assert server.asked[-2:] == [statement] * 2
    assert "secret" not in str(first)
    found = {sample.family.name: sample.value for sample in replica.parse(first)}
    assert found["mysql_slave_status_seconds_behind_master"] == 7
    assert ("mysql_slave_status_seconds_behind_source" in found) == (column == "Seconds_Behind_Source")


def test_a_refusal_names_the_right_of_that_server() -> None:
    for version, right in (("8.4.3", "REPLICATION CLIENT"), ("10.11.6-MariaDB", "SLAVE MONITOR")):
        known = "SHOW ALL SLAVES STATUS" if "MariaDB" in version else "SHOW REPLICA STATUS"
        server, asking = session(version, {known: NO_RIGHT})
        for _ in range(2):
            with pytest.raises(Denied, match=rf"GRANT {right} ON \*\.\* TO 'raingauge'@'localhost'"):
                replica.read(asking)
        assert server.asked.count(known) == 1


def test_a_server_that_knows_none_of_them_is_unsupported() -> None:
    _, asking = session("4.0", {})
    for _ in range(2):
        with pytest.raises(Unsupported):
            first_table(asking, ("SHOW A", "SHOW B"))


def test_binary_logs_are_counted_where_the_replicas_may_not_be_listed() -> None:
    logs: Answer = [{"Log_name": "binlog.000016", "File_size": "5", "Encrypted": "No"}]
    on: Answer = [{"Variable_name": "log_bin", "Value": "ON"}]
    server, asking = session("8.4.3", {"SHOW GLOBAL": on, "SHOW BINARY LOGS": logs, "SHOW REPLICAS": NO_RIGHT})
    for _ in range(2):
        found = {sample.family.name: sample.value for sample in binlog.parse(binlog.read(asking))}
    assert found == {"mysql_binlog_size_bytes": 5, "mysql_binlog_files": 1, "mysql_binlog_file_number": 16}
    assert server.asked.count("SHOW REPLICAS") == 1


def test_the_list_of_tables_has_each_servers_limit() -> None:
    _, mysql = session("8.4.3", {"SELECT": [{"COUNT(*)": "1"}]})
    server, maria = session("11.4.2-MariaDB", {"S": [{"COUNT(*)": "0"}]})
    assert tables._limited(mysql, "1").startswith("SELECT /*+ MAX_EXECUTION_TIME(2000) */ ")
    assert tables._limited(maria, "1").startswith("SET STATEMENT max_statement_time = 2 FOR SELECT ")
    server.answers = {"SET STATEMENT": [], "SELECT COUNT": [{"COUNT(*)": "0"}], **server.answers}
    with pytest.raises(Denied, match="GRANT SHOW VIEW"):
        tables.read(maria)


def test_what_suddenly_takes_time_is_chosen_before_what_always_did() -> None:
    rows = [{"schema_name": "s", "digest": str(number), "sum_timer_wait": str(10**9 - number)} for number in range(300)]
    before = {("s", row["digest"]): float(row["sum_timer_wait"]) for row in rows}
    rows[299] = {**rows[299], "sum_timer_wait": str(10**9)}
    chosen = [row["digest"] for row in digests.busiest(rows, before)]
    assert (len(chosen), chosen[0], len(set(chosen))) == (100, "299", 100)
    assert "0" in chosen


@given(st.integers(0, 250), st.integers(0, 250))
def test_as_many_are_chosen_as_there_are(count: int, known: int) -> None:
    rows = [{"schema_name": "s", "digest": str(number), "sum_timer_wait": "5"} for number in range(count)]
    assert len(digests.busiest(rows, {("s", str(number)): 5.0 for number in range(known)})) == min(count, 100)
