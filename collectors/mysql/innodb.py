"""InnoDB's own counters that are enabled, its status text, and its compressed pages.

Source: https://mariadb.com/kb/en/information-schema-innodb_metrics-table/
https://dev.mysql.com/doc/refman/8.4/en/innodb-standard-monitor.html
"""

import re
from collections.abc import Iterable
from typing import TypedDict

from collectors.model import Counter, Family, Gauge, Sample
from collectors.mysql.connection import Session, ask, table
from collectors.mysql.status import DEADLOCKS
from collectors.mysql.values import Row, Table, number, plain, word

METRIC = Gauge("mysql_info_schema_innodb_metrics_*", "The counter * of innodb_metrics; its type is the server's.")
PAGES_READ = Counter("mysql_info_schema_innodb_metrics_buffer_page_read_total", "Pages read, by kind.", ("type",))
PAGES_WRITTEN = Counter(
    "mysql_info_schema_innodb_metrics_buffer_page_written_total", "Pages written, by kind.", ("type",)
)
POOL_PAGES = Gauge("mysql_info_schema_innodb_metrics_buffer_pool_pages", "Buffer pool pages, by state.", ("state",))
POOL_DIRTY = Gauge("mysql_info_schema_innodb_metrics_buffer_pool_dirty_pages", "Buffer pool pages not yet on disk.")
INSIDE = Gauge("mysql_engine_innodb_queries_inside_innodb", "Queries that InnoDB works on.")
QUEUED = Gauge("mysql_engine_innodb_queries_in_queue", "Queries that wait to be let into InnoDB.")
VIEWS = Gauge("mysql_engine_innodb_read_views_open_inside_innodb", "Read views that are open.")
LAST_DEADLOCK = Gauge("sql_deadlock_last_timestamp_seconds", "When InnoDB last ended a deadlock, in Unix time.")


def _compressed(name: str, text: str) -> Family:
    return Counter(f"mysql_info_schema_innodb_cmp_{name}_total", text, ("page_size",))


def _pooled(name: str, text: str) -> Family:
    return Counter(f"mysql_info_schema_innodb_cmpmem_{name}_total", text, ("page_size", "buffer_pool"))


COMPRESSED: dict[str, tuple[Family, float]] = {
    "compress_ops": (_compressed("compress_ops", "Pages that were compressed."), 1),
    "compress_ops_ok": (_compressed("compress_ops_ok", "Pages that were compressed and fit."), 1),
    "compress_time": (_compressed("compress_time_seconds", "Time spent compressing pages."), 1),
    "uncompress_ops": (_compressed("uncompress_ops", "Pages that were uncompressed."), 1),
    "uncompress_time": (_compressed("uncompress_time_seconds", "Time spent uncompressing pages."), 1),
}
POOLED: dict[str, tuple[Family, float]] = {
    "pages_used": (_pooled("pages_used", "Blocks in use; it may fall."), 1),
    "pages_free": (_pooled("pages_free", "Free blocks; it may fall."), 1),
    "relocation_ops": (_pooled("relocation_ops", "Blocks that were moved."), 1),
    "relocation_time": (_pooled("relocation_time_seconds", "Time spent moving blocks."), 1e-3),
}
"""Column -> family, with the factor to its unit."""
FAMILIES = (
    METRIC, PAGES_READ, PAGES_WRITTEN, POOL_PAGES, POOL_DIRTY, INSIDE, QUEUED, VIEWS, LAST_DEADLOCK, DEADLOCKS,
    *(family for family, _ in (*COMPRESSED.values(), *POOLED.values())),
)  # fmt: skip

RIGHT = "PROCESS ON *.*"
COUNTERS = ("counter", "status_counter")
STATUS = (
    (re.compile(r"(\d+) queries inside InnoDB", re.ASCII), INSIDE),
    (re.compile(r"(\d+) queries in queue", re.ASCII), QUEUED),
    (re.compile(r"(\d+) read views open inside InnoDB", re.ASCII), VIEWS),
)
DEADLOCK = re.compile(r"LATEST DETECTED DEADLOCK\n-+\n(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.ASCII)


class Payload(TypedDict):
    metrics: Table
    status: list[str]
    """Only the lines that we know: the others hold statements."""
    deadlock: str
    """Unix seconds; empty when there was none."""
    deadlocks_elsewhere: bool
    """SHOW GLOBAL STATUS counts them."""
    compressed: Table
    pooled: Table


def read(session: Session) -> Payload:
    counters = table(session, "SELECT * FROM information_schema.innodb_metrics", RIGHT)
    status = "\n".join(row[-1] for row in ask(session, "SHOW ENGINE INNODB STATUS", RIGHT))
    deadlock = DEADLOCK.search(status)
    return {
        "metrics": [
            {name: row.get(name) for name in ("name", "subsystem", "type", "count")}
            for row in counters
            if _enabled(row)
        ],
        "status": [found[0] for pattern, _ in STATUS if (found := pattern.search(status))],
        "deadlock": ask(session, f"SELECT UNIX_TIMESTAMP('{deadlock[1]}')")[0][0] if deadlock else "",
        "deadlocks_elsewhere": bool(ask(session, "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")),
        "compressed": table(session, "SELECT * FROM information_schema.innodb_cmp", RIGHT),
        "pooled": table(session, "SELECT * FROM information_schema.innodb_cmpmem", RIGHT),
    }


def _enabled(row: Row) -> bool:
    """MariaDB from 10.5 says 1, MySQL `enabled`."""
    return word(row, "enabled") == "1" or word(row, "status") == "enabled"


def parse(payload: Payload) -> Iterable[Sample]:
    for row in payload["metrics"]:
        value = number(row.get("count"))
        if value is not None:
            yield from _metric(row, value)
            if word(row, "name") == "lock_deadlocks" and not payload["deadlocks_elsewhere"]:
                yield DEADLOCKS(value)
    for pattern, family in STATUS:
        yield from (family(float(found[1])) for line in payload["status"] if (found := pattern.match(line)))
    last = number(payload["deadlock"])
    if last is not None:
        yield LAST_DEADLOCK(last)
    for row in payload["compressed"]:
        yield from _pages(row, COMPRESSED, word(row, "page_size"))
    for row in payload["pooled"]:
        yield from _pages(row, POOLED, word(row, "page_size"), word(row, "buffer_pool_instance"))


def _metric(row: Row, value: float) -> Iterable[Sample]:
    name, subsystem = word(row, "name"), word(row, "subsystem")
    if subsystem == "buffer_page_io":
        for prefix, family in (("buffer_page_read_", PAGES_READ), ("buffer_page_written_", PAGES_WRITTEN)):
            if name.startswith(prefix):
                yield family(value, name.removeprefix(prefix))
    elif subsystem == "buffer" and name.startswith("buffer_pool_pages_"):
        kind = name.removeprefix("buffer_pool_pages_")
        if kind == "dirty":
            yield POOL_DIRTY(value)
        elif kind != "total":  # the others' sum
            yield POOL_PAGES(value, kind)
    elif word(row, "type") in COUNTERS and value >= 0:  # https://bugs.mysql.com/bug.php?id=75966
        yield METRIC.named(plain(f"{subsystem}_{name}_total"), "counter")(value)
    else:
        yield METRIC.named(plain(f"{subsystem}_{name}"))(value)


def _pages(row: Row, columns: dict[str, tuple[Family, float]], *labels: str) -> Iterable[Sample]:
    for column, (family, factor) in columns.items():
        value = number(row.get(column))
        if value is not None:
            yield family(value * factor, *labels)
