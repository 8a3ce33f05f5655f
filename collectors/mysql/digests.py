"""The statements that take most of the server's time, by their text without literals, from performance_schema.

Source: https://dev.mysql.com/doc/refman/8.4/en/performance-schema-statement-summary-tables.html
"""

from collections.abc import Iterable, Mapping, Sequence

from collectors.model import Counter, Family, Sample
from collectors.mysql.connection import Session, table
from collectors.mysql.normal import normal
from collectors.mysql.performance import RIGHT, require
from collectors.mysql.values import PICOSECONDS, Row, Table, number, word

LABELS = ("schema", "digest", "digest_text")
COLUMNS: dict[str, tuple[str, str, float]] = {
    "count_star": ("total", "Executions", 1),
    "sum_timer_wait": ("seconds_total", "Time", PICOSECONDS),
    "sum_lock_time": ("lock_time_seconds_total", "Time waited for locks", PICOSECONDS),
    "sum_cpu_time": ("cpu_time_seconds_total", "Processor time", PICOSECONDS),
    "sum_errors": ("errors_total", "Errors", 1),
    "sum_warnings": ("warnings_total", "Warnings", 1),
    "sum_rows_affected": ("rows_affected_total", "Rows changed", 1),
    "sum_rows_sent": ("rows_sent_total", "Rows sent", 1),
    "sum_rows_examined": ("rows_examined_total", "Rows read", 1),
    "sum_created_tmp_tables": ("tmp_tables_total", "Temporary tables", 1),
    "sum_created_tmp_disk_tables": ("tmp_disk_tables_total", "Temporary tables on disk", 1),
    "sum_sort_merge_passes": ("sort_merge_passes_total", "Merge passes of sorting", 1),
    "sum_sort_rows": ("sort_rows_total", "Rows sorted", 1),
    "sum_no_index_used": ("no_index_used_total", "Executions without an index", 1),
}
"""Column -> end of the metric's name, what it is, and the factor to its unit."""
MOST_THEIRS = 50
MOST_OURS = 100
BOUND = 3 * MOST_OURS
"""Of an hour: at any moment MOST_OURS are shown, but not always the same."""
MOST_TEXT = 200
MOST_TEXT_THEIRS = 120
THEIRS: dict[str, tuple[Family, float]] = {
    column: (
        Counter(
            f"mysql_perf_schema_events_statements_{end}", f"{text}, by statement.", LABELS,
            bounds={"digest": BOUND, "digest_text": BOUND},
        ),
        factor,
    )
    for column, (end, text, factor) in COLUMNS.items()
}  # fmt: skip


def _ours(name: str, text: str) -> Family:
    bounds = {"digest": BOUND, "query": BOUND}
    return Counter(name, text, ("digest", "schema", "query"), bounds=bounds)


OURS: dict[str, tuple[Family, float]] = {
    "count_star": (_ours("sql_digest_calls_total", "Executions, by statement."), 1),
    "sum_timer_wait": (_ours("sql_digest_seconds_total", "Time, by statement."), PICOSECONDS),
    "sum_rows_examined": (_ours("sql_digest_rows_examined_total", "Rows read, by statement."), 1),
    "sum_rows_sent": (_ours("sql_digest_rows_sent_total", "Rows sent, by statement."), 1),
    "sum_no_index_used": (_ours("sql_digest_no_index_total", "Executions without an index, by statement."), 1),
}
FAMILIES = tuple(family for family, _ in (*THEIRS.values(), *OURS.values()))

STATEMENT = """
SELECT * FROM performance_schema.events_statements_summary_by_digest
WHERE digest IS NOT NULL AND schema_name NOT IN ('mysql', 'performance_schema', 'information_schema')
  AND last_seen > NOW() - INTERVAL 1 DAY
ORDER BY sum_timer_wait DESC LIMIT 500"""


def read(session: Session) -> Table:
    """At most MOST_OURS rows, those that took most time since the last read first."""
    require(session)
    rows = [_known(row) for row in table(session, STATEMENT, RIGHT)]
    chosen = busiest(rows, session.digest_times)
    session.digest_times = {_key(row): _time(row) for row in rows}
    return chosen


def _known(row: Row) -> dict[str, str | None]:
    """Without a sample of the statement, which holds literals."""
    return {name: row[name] for name in ("schema_name", "digest", "digest_text", *COLUMNS) if name in row}


def _key(row: Row) -> tuple[str, str]:
    return word(row, "schema_name"), word(row, "digest")


def _time(row: Row) -> float:
    return number(row.get("sum_timer_wait")) or 0.0


def busiest(rows: Sequence[Row], before: Mapping[tuple[str, str], float]) -> list[Row]:
    """Half of them by their time since `before`, the others by all of it: what slowly adds up stays in sight."""
    recent = sorted(rows, key=lambda row: _time(row) - before.get(_key(row), 0.0), reverse=True)
    chosen = recent[: MOST_OURS // 2]
    keys = {_key(row) for row in chosen}
    others = (row for row in sorted(rows, key=_time, reverse=True) if _key(row) not in keys)
    return [*chosen, *(row for row, _ in zip(others, range(MOST_OURS - len(chosen)), strict=False))]


def parse(rows: Table) -> Iterable[Sample]:
    for place, row in enumerate(rows):
        schema, digest = _key(row)
        text = word(row, "digest_text")
        yield from _columns(row, OURS, (digest, schema, normal(text)[:MOST_TEXT]))
        if place < MOST_THEIRS:
            yield from _columns(row, THEIRS, (schema, digest, text[:MOST_TEXT_THEIRS]))


def _columns(row: Row, families: Mapping[str, tuple[Family, float]], labels: tuple[str, ...]) -> Iterable[Sample]:
    for column, (family, factor) in families.items():
        value = number(row.get(column))
        if value is not None:
            yield family(value * factor, *labels)
