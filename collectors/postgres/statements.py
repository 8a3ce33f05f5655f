"""The statements that took most time, where the extension pg_stat_statements is there. Never their text.

Source: https://www.postgresql.org/docs/current/pgstatstatements.html
"""

from collections.abc import Iterator

from collectors.errors import Absent, Unsupported
from collectors.model import Counter, Family, Part, Sample
from collectors.postgres.connection import Rows, Session, ask
from collectors.postgres.rows import Columns, families, labels, rows_of, samples

MOST = 100
LABELS = ("user", "datname", "queryid")
BOUNDS = {"queryid": 3 * MOST, "user": 50}
"""More identifiers than one read gives: which ones take most time changes."""


def _statement(name: str, help_text: str, factor: float = 1) -> tuple[Family, float]:
    return Counter(f"pg_stat_statements_{name}", help_text, LABELS, bounds=BOUNDS), factor


COLUMNS: Columns = {
    "calls": _statement("calls_total", "Times that the statement was executed."),
    "time": _statement("seconds_total", "Seconds spent executing the statement.", 1e-3),
    "rows": _statement("rows_total", "Rows that the statement gave or changed."),
    "read_time": _statement("block_read_seconds_total", "Seconds spent reading blocks for it.", 1e-3),
    "write_time": _statement("block_write_seconds_total", "Seconds spent writing blocks for it.", 1e-3),
}

SCHEMA = """
    SELECT quote_ident(nspname) AS name FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
    WHERE extname = 'pg_stat_statements'"""
# Summed up: a statement has a row of its own when it was called from a function.
STATEMENTS = """
    SELECT pg_get_userbyid(userid) AS user, datname, queryid::text AS queryid, sum(calls)::float8 AS calls,
        sum({time})::float8 AS time, sum(rows)::float8 AS rows,
        sum({block}_read_time)::float8 AS read_time, sum({block}_write_time)::float8 AS write_time
    FROM {schema}.pg_stat_statements(false) JOIN pg_database d ON d.oid = dbid
    WHERE queryid IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 5 DESC LIMIT {most}"""


def read(session: Session) -> dict[str, Rows]:
    schemas = ask(session, SCHEMA)
    if not schemas:
        raise Absent
    statement = STATEMENTS.format(
        schema=schemas[0]["name"],
        time="total_exec_time" if session.version >= 130000 else "total_time",
        block="shared_blk" if session.version >= 170000 else "blk",
        most=MOST,
    )
    try:
        return {"statements": ask(session, statement)}
    except Unsupported as error:
        raise Absent from error  # created, but not in shared_preload_libraries


def parse(payload: dict[str, Rows]) -> Iterator[Sample]:
    for row in rows_of(payload, "statements"):
        yield from samples(row, COLUMNS, *labels(row, LABELS))


PART = Part("statements", families(COLUMNS), read, parse, interval=60.0)
