"""What each account, client, table and index was used for, where the server counts it (userstat=ON).

Source: https://mariadb.com/kb/en/user-statistics/
"""

from collections.abc import Iterable, Mapping
from typing import TypedDict

from collectors.errors import Absent, Denied
from collectors.model import Counter, Family, Gauge, Sample
from collectors.mysql.connection import Session, ask, grant, table
from collectors.mysql.values import Row, Table, number, word

COLUMNS = {
    "total_connections": "Connections that were made.",
    "concurrent_connections": "Connections that are open.",
    "connected_time": "Time with an open connection.",
    "busy_time": "Time in which statements ran.",
    "cpu_time": "Processor time of statements.",
    "bytes_received": "Bytes received.",
    "bytes_sent": "Bytes sent.",
    "binlog_bytes_written": "Bytes written to the binary log.",
    "rows_read": "Rows read.",
    "rows_sent": "Rows sent.",
    "rows_deleted": "Rows deleted.",
    "rows_inserted": "Rows inserted.",
    "rows_fetched": "Rows fetched.",
    "rows_updated": "Rows updated.",
    "table_rows_read": "Rows read from tables.",
    "select_commands": "SELECT statements.",
    "update_commands": "Statements that change data.",
    "other_commands": "Other statements.",
    "commit_transactions": "Transactions committed.",
    "rollback_transactions": "Transactions rolled back.",
    "denied_connections": "Connections refused.",
    "lost_connections": "Connections that ended without a goodbye.",
    "access_denied": "Statements refused for want of a right.",
    "empty_queries": "Empty statements.",
    "total_ssl_connections": "Connections over TLS.",
    "max_statement_time_exceeded": "Statements stopped because they took too long.",
}
BARE = ("total_connections", "concurrent_connections")
SECONDS = {"connected_time": "connected_time_seconds", "busy_time": "busy_seconds", "cpu_time": "cpu_time_seconds"}
TABLE = {"schema": 100, "table": 400}


def _families(kind: str, without: tuple[str, ...] = ()) -> Mapping[str, Family]:
    families = {}
    for column, text in COLUMNS.items():
        name = f"mysql_info_schema_{kind}_statistics_{SECONDS.get(column, column)}"
        make = Gauge if column == "concurrent_connections" else Counter
        if column not in without:
            families[column] = make(
                name if column in BARE else f"{name}_total", f"{text[:-1]}, by {kind}.", (kind,), bounds={kind: 50}
            )
    return families


USERS = _families("user", ("max_statement_time_exceeded",))
CLIENTS = _families("client")
READ = Counter(
    "mysql_info_schema_table_statistics_rows_read_total", "Rows read.", ("schema", "table"), bounds=TABLE
)  # fmt: skip
CHANGED = Counter(
    "mysql_info_schema_table_statistics_rows_changed_total", "Rows changed.", ("schema", "table"), bounds=TABLE
)  # fmt: skip
INDEXED = Counter(
    "mysql_info_schema_table_statistics_rows_changed_x_indexes_total", "Rows changed times the table's indexes.",
    ("schema", "table"), bounds=TABLE,
)  # fmt: skip
SCHEMA_READ = Counter("mysql_info_schema_schema_statistics_rows_read_total", "Rows read.", ("schema",))
SCHEMA_CHANGED = Counter("mysql_info_schema_schema_statistics_rows_changed_total", "Rows changed.", ("schema",))
SCHEMA_INDEXED = Counter(
    "mysql_info_schema_schema_statistics_rows_changed_x_indexes_total",
    "Rows changed times their tables' indexes.",
    ("schema",),
)
INDEX = Counter(
    "sql_index_rows_read_total", "Rows read through the index.", ("schema", "table", "index"),
    bounds={**TABLE, "index": 400},
)  # fmt: skip
FAMILIES = (
    *USERS.values(), *CLIENTS.values(), READ, CHANGED, INDEXED, SCHEMA_READ, SCHEMA_CHANGED, SCHEMA_INDEXED, INDEX,
)  # fmt: skip
BY_TABLE = {"rows_read": READ, "rows_changed": CHANGED, "rows_changed_x_indexes": INDEXED}
BY_SCHEMA = {
    "rows_read": SCHEMA_READ, "rows_changed": SCHEMA_CHANGED, "rows_changed_x_indexes": SCHEMA_INDEXED,
}  # fmt: skip
SUMS = """
SELECT table_schema, SUM(rows_read) AS rows_read, SUM(rows_changed) AS rows_changed,
       SUM(rows_changed_x_indexes) AS rows_changed_x_indexes
FROM information_schema.table_statistics GROUP BY table_schema"""
TABLES = "SELECT * FROM information_schema.table_statistics ORDER BY rows_read + rows_changed DESC LIMIT 200"
INDEXES = "SELECT * FROM information_schema.index_statistics ORDER BY rows_read DESC LIMIT 200"


class Payload(TypedDict):
    users: Table
    clients: Table
    tables: Table
    schemas: Table
    indexes: Table


def read(session: Session) -> Payload:
    if not any(text.upper() == "ON" for _, text in ask(session, "SHOW GLOBAL VARIABLES LIKE 'userstat%'")):
        raise Absent
    users = table(session, "SELECT * FROM information_schema.user_statistics")
    if not users:  # not even us
        raise Denied(f"read user_statistics: it shows nobody; allow it with: {grant(session, 'PROCESS ON *.*')}")
    return {
        "users": users,
        "clients": table(session, "SELECT * FROM information_schema.client_statistics"),
        "tables": table(session, TABLES),
        "schemas": table(session, SUMS),
        "indexes": table(session, INDEXES),
    }


def parse(payload: Payload) -> Iterable[Sample]:
    for row in payload["users"]:
        yield from _columns(row, USERS, word(row, "user"))
    for row in payload["clients"]:
        yield from _columns(row, CLIENTS, word(row, "client"))
    for row in payload["tables"]:
        yield from _columns(row, BY_TABLE, word(row, "table_schema"), word(row, "table_name"))
    for row in payload["schemas"]:
        yield from _columns(row, BY_SCHEMA, word(row, "table_schema"))
    for row in payload["indexes"]:
        labels = (word(row, "table_schema"), word(row, "table_name"), word(row, "index_name"))
        yield from _columns(row, {"rows_read": INDEX}, *labels)


def _columns(row: Row, families: Mapping[str, Family], *labels: str) -> Iterable[Sample]:
    for column, family in families.items():
        value = number(row.get(column))
        if value is not None:
            yield family(value, *labels)
