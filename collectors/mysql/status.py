"""SHOW GLOBAL STATUS: one metric for each row, some by label; Galera's, and InnoDB's deadlocks.

Source: https://mariadb.com/kb/en/server-status-variables/ https://dev.mysql.com/doc/refman/8.4/en/server-status-variables.html
"""

from collections.abc import Iterable
from functools import lru_cache

from collectors.model import Counter, Family, Gauge, Sample, Untyped
from collectors.mysql.connection import Session, ask
from collectors.mysql.values import Rows, number, plain

STATUS = Untyped("mysql_global_status_*", "The row * of SHOW GLOBAL STATUS.")
COMMANDS = Counter(
    "mysql_global_status_commands_total", "Statements executed, by kind.", ("command",), bounds={"command": 300}
)
HANDLERS = Counter("mysql_global_status_handlers_total", "Calls of the storage engines, by kind.", ("handler",))
CONNECTION_ERRORS = Counter(
    "mysql_global_status_connection_errors_total", "Connections refused, by reason.", ("error",)
)
POOL_PAGES = Gauge("mysql_global_status_buffer_pool_pages", "InnoDB buffer pool pages, by state.", ("state",))
POOL_DIRTY = Gauge("mysql_global_status_buffer_pool_dirty_pages", "InnoDB buffer pool pages not yet written to disk.")
POOL_CHANGES = Counter(
    "mysql_global_status_buffer_pool_page_changes_total", "InnoDB buffer pool page changes, by kind.", ("operation",)
)
ROWS = Counter("mysql_global_status_innodb_row_ops_total", "Rows that InnoDB worked on, by kind.", ("operation",))
LOST = Counter(
    "mysql_global_status_performance_schema_lost_total",
    "Instruments that found no room in performance_schema, by kind.",
    ("instrumentation",),
)
GALERA = Gauge(
    "mysql_galera_status_info",
    "1; the cluster's and the node's identity and the provider's version are its labels.",
    ("wsrep_local_state_uuid", "wsrep_cluster_state_uuid", "wsrep_provider_version"),
)
LATENCY = (
    Gauge("mysql_galera_evs_repl_latency_min_seconds", "Shortest time to reach the other nodes."),
    Gauge("mysql_galera_evs_repl_latency_avg_seconds", "Average time to reach the other nodes."),
    Gauge("mysql_galera_evs_repl_latency_max_seconds", "Longest time to reach the other nodes."),
    Gauge("mysql_galera_evs_repl_latency_stdev", "Standard deviation of the time to reach the other nodes."),
    Gauge("mysql_galera_evs_repl_latency_sample_size", "Messages that these times were taken of."),
)
"""In the order of wsrep_evs_repl_latency."""
DEADLOCKS = Counter("sql_deadlocks_total", "Transactions that InnoDB ended because of a deadlock.")
FAMILIES = (
    STATUS, COMMANDS, HANDLERS, CONNECTION_ERRORS, POOL_PAGES, POOL_DIRTY, POOL_CHANGES, ROWS, LOST, GALERA, *LATENCY,
    DEADLOCKS,
)  # fmt: skip

GROUPS: tuple[tuple[str, Family], ...] = (
    ("com_", COMMANDS),
    ("handler_", HANDLERS),
    ("connection_errors_", CONNECTION_ERRORS),
    ("innodb_rows_", ROWS),
    ("performance_schema_", LOST),
)


def read(session: Session) -> Rows:
    return ask(session, "SHOW GLOBAL STATUS")


def parse(rows: Rows) -> Iterable[Sample]:
    texts = {name.lower(): text for name, text in rows}
    for name, text in texts.items():
        value = number(text)
        # mysqld_exporter drops the total too: it would be counted twice in a sum over the states.
        if value is not None and name != "innodb_buffer_pool_pages_total":
            family, labels = _place(name)
            yield Sample(family, labels, value)
            if name == "innodb_deadlocks":
                yield DEADLOCKS(value)
    if texts.get("wsrep_local_state_uuid"):
        yield GALERA(1, *(texts.get(name, "") for name in GALERA.labels))
    latency = [number(text) for text in texts.get("wsrep_evs_repl_latency", "").split("/")]
    if len(latency) == len(LATENCY):
        yield from (family(value) for family, value in zip(LATENCY, latency, strict=True) if value is not None)


@lru_cache(maxsize=5000)
def _place(name: str) -> tuple[Family, tuple[str, ...]]:
    """Family and labels of a row; kept, as there are hundreds and they are the same each time."""
    if name.startswith("innodb_buffer_pool_pages_"):
        return _pool_pages(name.removeprefix("innodb_buffer_pool_pages_"))
    for prefix, family in GROUPS:
        if name.startswith(prefix):
            return family, (name.removeprefix(prefix),)
    return STATUS.named(plain(name)), ()


def _pool_pages(kind: str) -> tuple[Family, tuple[str, ...]]:
    if kind in ("data", "free", "misc", "old"):
        return POOL_PAGES, (kind,)
    return (POOL_DIRTY, ()) if kind == "dirty" else (POOL_CHANGES, (kind,))
