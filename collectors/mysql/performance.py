"""performance_schema: waits, files and memory by event, waits and locks by table and index.

Source: https://dev.mysql.com/doc/refman/8.4/en/performance-schema-summary-tables.html
"""

from collections.abc import Iterable
from typing import TypedDict

from collectors.errors import Absent
from collectors.model import Counter, Family, Gauge, Sample
from collectors.mysql.connection import Session, table, variable
from collectors.mysql.values import PICOSECONDS, Row, Table, number, word

WAITS = Counter("mysql_perf_schema_events_waits_total", "Waits, by event.", ("event_name",))
WAIT_TIME = Counter("mysql_perf_schema_events_waits_seconds_total", "Time waited, by event.", ("event_name",))
FILES = Counter("mysql_perf_schema_file_events_total", "Operations on files.", ("event_name", "mode"))
FILE_TIME = Counter(
    "mysql_perf_schema_file_events_seconds_total", "Time of operations on files.", ("event_name", "mode")
)
FILE_BYTES = Counter("mysql_perf_schema_file_events_bytes_total", "Bytes read and written.", ("event_name", "mode"))
ALLOCATED = Counter("mysql_perf_schema_memory_events_alloc_bytes_total", "Bytes allocated, by event.", ("event_name",))
FREED = Counter("mysql_perf_schema_memory_events_free_bytes_total", "Bytes freed, by event.", ("event_name",))
USED = Gauge("mysql_perf_schema_memory_events_used_bytes", "Bytes in use, by event.", ("event_name",))
EVENT_FAMILIES = (WAITS, WAIT_TIME, FILES, FILE_TIME, FILE_BYTES, ALLOCATED, FREED, USED)

TABLE = ("schema", "name", "operation")
BOUNDS = {"name": 400, "index": 400}


def _by_table(name: str, text: str, labels: tuple[str, ...] = TABLE) -> Family:
    bounds = {label: bound for label, bound in BOUNDS.items() if label in labels}
    return Counter(f"mysql_perf_schema_{name}_total", text, labels, bounds=bounds)


TABLE_WAITS = _by_table("table_io_waits", "Reads and writes of rows, by table.")
TABLE_TIME = _by_table("table_io_waits_seconds", "Time of reads and writes of rows, by table.")
INDEX = ("schema", "name", "index", "operation")
INDEX_WAITS = _by_table("index_io_waits", "Reads and writes of rows, by index.", INDEX)
INDEX_TIME = _by_table("index_io_waits_seconds", "Time of reads and writes of rows, by index.", INDEX)
LOCKS = _by_table("sql_lock_waits", "Waits for a table's lock in the server.")
LOCK_TIME = _by_table("sql_lock_waits_seconds", "Time waited for a table's lock in the server.")
ENGINE_LOCKS = _by_table("external_lock_waits", "Waits for a table's lock in its engine.")
ENGINE_LOCK_TIME = _by_table("external_lock_waits_seconds", "Time waited for a table's lock in its engine.")
TABLE_FAMILIES = (
    TABLE_WAITS, TABLE_TIME, INDEX_WAITS, INDEX_TIME, LOCKS, LOCK_TIME, ENGINE_LOCKS, ENGINE_LOCK_TIME,
)  # fmt: skip

RIGHT = "SELECT ON performance_schema.*"
MOST = 200
OPERATIONS = ("fetch", "insert", "update", "delete")
LOCK_KINDS = (
    "read_normal", "read_with_shared_locks", "read_high_priority", "read_no_insert", "write_allow_write",
    "write_concurrent_insert", "write_low_priority", "write_normal",
)  # fmt: skip
SHOWN = "WHERE count_star > 0 AND object_schema NOT IN ('mysql', 'performance_schema', 'information_schema')"
MOST_TIME = f"ORDER BY sum_timer_wait DESC LIMIT {MOST}"
EVENTS = {
    "waits": f"""
SELECT event_name, count_star, sum_timer_wait FROM performance_schema.events_waits_summary_global_by_event_name
WHERE count_star > 0 {MOST_TIME}""",  # noqa: S608 # no input
    "files": f"""
SELECT event_name, count_read, sum_timer_read, sum_number_of_bytes_read, count_write, sum_timer_write,
       sum_number_of_bytes_write, count_misc, sum_timer_misc
FROM performance_schema.file_summary_by_event_name WHERE count_star > 0 {MOST_TIME}""",  # noqa: S608 # no input
    "memory": f"""
SELECT event_name, sum_number_of_bytes_alloc, sum_number_of_bytes_free, current_number_of_bytes_used
FROM performance_schema.memory_summary_global_by_event_name WHERE count_alloc > 0
ORDER BY current_number_of_bytes_used DESC LIMIT {MOST}""",  # noqa: S608 # no input
}
IO = ", ".join(f"{what}_{each}" for what in ("count", "sum_timer") for each in OPERATIONS)
LOCK = ", ".join(
    f"{what}_{each}" for what in ("count", "sum_timer") for each in (*LOCK_KINDS, "read_external", "write_external")
)
TABLES = {
    "tables": f"""
SELECT object_schema, object_name, {IO} FROM performance_schema.table_io_waits_summary_by_table {SHOWN} {MOST_TIME}""",  # noqa: S608 # no input
    "indexes": f"""
SELECT object_schema, object_name, index_name, {IO} FROM performance_schema.table_io_waits_summary_by_index_usage
{SHOWN} {MOST_TIME}""",  # noqa: S608 # no input
    "locks": f"""
SELECT object_schema, object_name, {LOCK} FROM performance_schema.table_lock_waits_summary_by_table
{SHOWN} {MOST_TIME}""",  # noqa: S608 # no input
}


class Events(TypedDict):
    waits: Table
    files: Table
    memory: Table


class Tables(TypedDict):
    tables: Table
    indexes: Table
    locks: Table


def require(session: Session) -> None:
    """Absent where performance_schema is off."""
    if variable(session, "performance_schema") != "ON":
        raise Absent


def read_events(session: Session) -> Events:
    require(session)
    waits, files, memory = (table(session, statement, RIGHT) for statement in EVENTS.values())
    return {"waits": waits, "files": files, "memory": memory}


def read_tables(session: Session) -> Tables:
    require(session)
    tables, indexes, locks = (table(session, statement, RIGHT) for statement in TABLES.values())
    return {"tables": tables, "indexes": indexes, "locks": locks}


def parse_events(payload: Events) -> Iterable[Sample]:
    for row in payload["waits"]:
        event = word(row, "event_name")
        yield from _pair(row, "count_star", "sum_timer_wait", (WAITS, WAIT_TIME), event)
    for row in payload["files"]:
        event = word(row, "event_name")
        for mode in ("read", "write", "misc"):
            yield from _pair(row, f"count_{mode}", f"sum_timer_{mode}", (FILES, FILE_TIME), event, mode)
            size = number(row.get(f"sum_number_of_bytes_{mode}"))
            if size is not None:
                yield FILE_BYTES(size, event, mode)
    memory = (
        ("sum_number_of_bytes_alloc", ALLOCATED),
        ("sum_number_of_bytes_free", FREED),
        ("current_number_of_bytes_used", USED),
    )
    for row in payload["memory"]:
        event = word(row, "event_name").removeprefix("memory/")
        for column, family in memory:
            value = number(row.get(column))
            if value is not None:
                yield family(value, event)


def parse_tables(payload: Tables) -> Iterable[Sample]:
    for row in payload["tables"]:
        for each in OPERATIONS:
            yield from _pair(row, f"count_{each}", f"sum_timer_{each}", (TABLE_WAITS, TABLE_TIME), *_name(row), each)
    for row in payload["indexes"]:
        index = word(row, "index_name") or "NONE"
        for each in OPERATIONS:
            if each != "insert" or index == "NONE":  # rows are inserted into the table, not into an index
                labels = (*_name(row), index, each)
                yield from _pair(row, f"count_{each}", f"sum_timer_{each}", (INDEX_WAITS, INDEX_TIME), *labels)
    for row in payload["locks"]:
        for each in LOCK_KINDS:
            yield from _pair(row, f"count_{each}", f"sum_timer_{each}", (LOCKS, LOCK_TIME), *_name(row), each)
        for each in ("read", "write"):
            columns = f"count_{each}_external", f"sum_timer_{each}_external"
            yield from _pair(row, *columns, (ENGINE_LOCKS, ENGINE_LOCK_TIME), *_name(row), each)


def _name(row: Row) -> tuple[str, str]:
    return word(row, "object_schema"), word(row, "object_name")


def _pair(row: Row, count: str, timer: str, families: tuple[Family, Family], *labels: str) -> Iterable[Sample]:
    calls, time = number(row.get(count)), number(row.get(timer))
    if calls is not None:
        yield families[0](calls, *labels)
    if time is not None:
        yield families[1](time * PICOSECONDS, *labels)
