"""The largest tables, their size and rows as the server estimates them, and how full their numbering is.

Source: https://mariadb.com/kb/en/information-schema-tables-table/
https://dev.mysql.com/doc/refman/8.4/en/information-schema-tables-table.html
"""

from collections.abc import Iterable
from typing import TypedDict

from collectors.errors import Denied
from collectors.model import Gauge, Sample
from collectors.mysql.connection import Session, grant, table
from collectors.mysql.values import Row, Table, number, word

MOST_TABLES = 200
BOUNDS = {"schema": 100, "table": 2 * MOST_TABLES}  # of an hour: the largest are not always the same
VERSION = Gauge(
    "mysql_info_schema_table_version",
    "Version of the table's definition; facts of the table are its labels.",
    ("schema", "table", "type", "engine", "row_format", "create_options"),
    bounds={**BOUNDS, "create_options": 50},
)
ROWS = Gauge("mysql_info_schema_table_rows", "Rows, as estimated.", ("schema", "table"), bounds=BOUNDS)
SIZE = Gauge(
    "mysql_info_schema_table_size", "Bytes of the table's data, of its indexes, and free inside.",
    ("schema", "table", "component"), bounds=BOUNDS,
)  # fmt: skip
NUMBERED = ("schema", "table", "column")
NEXT = Gauge("mysql_info_schema_auto_increment_column", "Next number that the column gives.", NUMBERED, bounds=BOUNDS)
LAST = Gauge(
    "mysql_info_schema_auto_increment_column_max", "Largest number that the column can hold.", NUMBERED, bounds=BOUNDS
)
FAMILIES = (VERSION, ROWS, SIZE, NEXT, LAST)

SYSTEM = "('mysql', 'performance_schema', 'information_schema', 'sys')"
SECONDS = 2.0
"""Listing thousands of tables is dear; better no sizes than a server that is busy with them."""
LARGEST = f"""
table_schema, table_name, table_type, engine, version, row_format, table_rows, data_length, index_length,
data_free, create_options, auto_increment
FROM information_schema.tables WHERE table_schema NOT IN {SYSTEM}
ORDER BY COALESCE(data_length, 0) + COALESCE(index_length, 0) DESC, table_schema, table_name LIMIT {MOST_TABLES}"""
NUMBERING = f"""
table_schema, table_name, column_name, data_type, column_type
FROM information_schema.columns WHERE table_schema NOT IN {SYSTEM} AND extra LIKE '%auto_increment%'
LIMIT 5000"""
ALLOWED = """
SELECT COUNT(*) FROM information_schema.user_privileges WHERE privilege_type IN ('SELECT', 'SHOW VIEW', 'SUPER')"""
RIGHT = "SHOW VIEW ON *.*"
BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}


class Payload(TypedDict):
    tables: Table
    columns: Table


def read(session: Session) -> Payload:
    tables = table(session, _limited(session, LARGEST))
    if not tables and table(session, ALLOWED)[0]["count(*)"] == "0":
        raise Denied(f"list tables: none that we may see; allow it with: {grant(session, RIGHT)}")
    shown = {_name(row) for row in tables if row["auto_increment"]}
    columns = table(session, _limited(session, NUMBERING)) if shown else []
    return {"tables": tables, "columns": [row for row in columns if _name(row) in shown]}


def _limited(session: Session, query: str) -> str:
    """Each server takes the other's limit for a comment."""
    seconds = min(SECONDS, session.config.timeout)
    if "MariaDB" in session.connection.get_server_info():
        return f"SET STATEMENT max_statement_time = {seconds:g} FOR SELECT {query}"
    return f"SELECT /*+ MAX_EXECUTION_TIME({seconds * 1000:.0f}) */ {query}"


def _name(row: Row) -> tuple[str, str]:
    return word(row, "table_schema"), word(row, "table_name")


def parse(payload: Payload) -> Iterable[Sample]:
    following = {}
    for row in payload["tables"]:
        name = _name(row)
        facts = (word(row, "table_type"), *(word(row, each) or "NONE" for each in ("engine", "row_format")))
        options = row.get("create_options")
        yield VERSION(number(row.get("version")) or 0, *name, *facts, "NONE" if options is None else options)
        yield ROWS(number(row.get("table_rows")) or 0, *name)
        for component in ("data_length", "index_length", "data_free"):
            yield SIZE(number(row.get(component)) or 0, *name, component)
        following[name] = number(row.get("auto_increment"))
    for row in payload["columns"]:
        value = following.get(_name(row))
        bits = BITS.get(word(row, "data_type").lower())
        if value is not None and bits:
            signed = "unsigned" not in word(row, "column_type")
            labels = (*_name(row), word(row, "column_name"))
            yield NEXT(value, *labels)
            yield LAST(float(2 ** (bits - signed) - 1), *labels)
