"""Counters of each database, of the checkpointer and background writer, and locks.

Source: https://www.postgresql.org/docs/current/monitoring-stats.html https://www.postgresql.org/docs/current/view-pg-locks.html
"""

from collections.abc import Iterable, Iterator

from collectors.model import Gauge, Part, Sample
from collectors.postgres.connection import Rows, Session
from collectors.postgres.rows import (
    MOST_DATABASES,
    Columns,
    Payload,
    counter,
    counters,
    families,
    gauges,
    label,
    number,
    read_all,
    rows_of,
    samples,
)

BY_DATABASE = ("datid", "datname")
DATABASE: Columns = {
    **gauges(
        "pg_stat_database_*",
        BY_DATABASE,
        numbackends="Sessions that are connected to it now.",
    ),
    **counters(
        "pg_stat_database_*",
        BY_DATABASE,
        xact_commit="Transactions committed.",
        xact_rollback="Transactions rolled back.",
        blks_read="Blocks that were not in the shared buffers and had to be read.",
        blks_hit="Blocks that were found in the shared buffers.",
        tup_returned="Rows that scans went over.",
        tup_fetched="Rows that index scans fetched.",
        tup_inserted="Rows inserted.",
        tup_updated="Rows updated.",
        tup_deleted="Rows deleted.",
        conflicts="Queries that a standby ended because of a conflict with replay.",
        temp_files="Temporary files that queries wrote.",
        temp_bytes="Bytes of the temporary files that queries wrote.",
        deadlocks="Deadlocks.",
        blk_read_time="Milliseconds spent reading blocks; 0 without track_io_timing.",
        blk_write_time="Milliseconds spent writing blocks; 0 without track_io_timing.",
        stats_reset="When these numbers began, in Unix time; a counter in name only.",
    ),
    "active_time": counter(
        "pg_stat_database_active_time_seconds_total",
        "Seconds that sessions spent executing statements.",
        BY_DATABASE,
        1e-3,
    ),
}
CONFLICTS: Columns = {
    f"confl_{name}": counter(
        f"pg_stat_database_conflicts_confl_{name}", f"Queries ended on a standby because of {why}.", BY_DATABASE
    )
    for name, why in (
        ("tablespace", "a dropped tablespace"),
        ("lock", "a lock that was not given up in time"),
        ("snapshot", "an old snapshot"),
        ("bufferpin", "a pinned buffer"),
        ("deadlock", "a deadlock with replay"),
    )
}
BGWRITER: Columns = {
    **counters(
        "pg_stat_bgwriter_*_total",
        checkpoints_timed="Checkpoints that were due by time; before PostgreSQL 17.",
        checkpoints_req="Checkpoints that were requested; before PostgreSQL 17.",
        checkpoint_write_time="Milliseconds that checkpoints spent writing files.",
        checkpoint_sync_time="Milliseconds that checkpoints spent syncing files.",
        buffers_checkpoint="Buffers written by checkpoints; before PostgreSQL 17.",
        buffers_clean="Buffers written by the background writer.",
        maxwritten_clean="Times that the background writer stopped at its limit.",
        buffers_backend="Buffers that sessions had to write themselves; before PostgreSQL 17.",
        buffers_backend_fsync="Times that a session had to fsync; before PostgreSQL 17.",
        buffers_alloc="Buffers allocated.",
        stats_reset="When these numbers began, in Unix time; a counter in name only.",
    ),
}


CHECKPOINTER: Columns = {
    **counters(
        "pg_stat_checkpointer_*_total",
        num_timed="Checkpoints that were due by time; PostgreSQL 17 and newer.",
        num_requested="Checkpoints that were requested.",
        restartpoints_timed="Restartpoints of a standby that were due by time.",
        restartpoints_req="Restartpoints of a standby that were requested.",
        restartpoints_done="Restartpoints of a standby that were done.",
        write_time="Milliseconds that checkpoints and restartpoints spent writing files.",
        sync_time="Milliseconds that checkpoints and restartpoints spent syncing files.",
        buffers_written="Buffers written by checkpoints and restartpoints.",
        stats_reset="When these numbers began, in Unix time; a counter in name only.",
    ),
}
ERROR = Gauge("pg_exporter_last_scrape_error", "0: this was read without an error; absent when it cannot be read.")
START = Gauge("pg_postmaster_start_time_seconds", "When the server started, in Unix time.")
LOCKS = Gauge("pg_locks_count", "Locks held or waited for, by database and mode.", ("datname", "mode"))
WAITS = Gauge("sql_lock_waits", "Sessions that wait for another's lock now.")
LONGEST = Gauge("sql_lock_wait_longest_seconds", "How long the one that waits longest has waited; 0 if none does.")
MODES = (
    "accesssharelock", "rowsharelock", "rowexclusivelock", "shareupdateexclusivelock", "sharelock",
    "sharerowexclusivelock", "exclusivelock", "accessexclusivelock", "sireadlock",
)  # fmt: skip

STATEMENTS = {
    "databases": f"SELECT * FROM pg_stat_database WHERE datname IS NOT NULL LIMIT {MOST_DATABASES}",  # noqa: S608 # no input
    "conflicts": f"SELECT * FROM pg_stat_database_conflicts LIMIT {MOST_DATABASES}",  # noqa: S608 # no input
    "bgwriter": "SELECT * FROM pg_stat_bgwriter",
    "start": "SELECT extract(epoch FROM pg_postmaster_start_time())::float8 AS seconds",
}
LOCK_COUNTS = """
    SELECT database, lower(mode) AS mode, count(*) AS locks, count(*) FILTER (WHERE NOT granted) AS waits{longest}
    FROM pg_locks WHERE pid IS DISTINCT FROM pg_backend_pid() GROUP BY 1, 2"""
SINCE = ", greatest(0, extract(epoch FROM clock_timestamp() - min(waitstart))::float8) AS longest"


def read(session: Session) -> Payload:
    statements = {**STATEMENTS, "locks": LOCK_COUNTS.format(longest=SINCE if session.version >= 140000 else "")}
    if session.version >= 170000:
        statements["checkpointer"] = "SELECT * FROM pg_stat_checkpointer"
    return read_all(session, statements)


def parse(payload: Payload) -> Iterator[Sample]:
    yield ERROR(0)
    databases = rows_of(payload, "databases")
    for row in databases:
        yield from samples(row, DATABASE, label(row, "datid"), label(row, "datname"))
    for row in rows_of(payload, "conflicts"):
        yield from samples(row, CONFLICTS, label(row, "datid"), label(row, "datname"))
    for name, columns in (("bgwriter", BGWRITER), ("checkpointer", CHECKPOINTER), ("start", {"seconds": (START, 1)})):
        for row in rows_of(payload, name)[:1]:
            yield from samples(row, columns)
    if payload.get("locks") is not None:
        yield from _locks(rows_of(payload, "locks"), databases)


def _locks(locks: Rows, databases: Rows) -> Iterable[Sample]:
    counts = {(label(row, "database"), label(row, "mode")): number(row.get("locks")) or 0 for row in locks}
    for row in databases:
        for mode in MODES:
            yield LOCKS(counts.get((label(row, "datid"), mode), 0), label(row, "datname"), mode)
    yield WAITS(sum(number(row.get("waits")) or 0 for row in locks))
    waits = [number(row.get("longest")) for row in locks if number(row.get("waits"))]
    known = [wait for wait in waits if wait is not None]
    if len(known) == len(waits):  # before PostgreSQL 14 nobody knows when a wait began
        yield LONGEST(max(known, default=0))


PART = Part(
    "status",
    (*families(DATABASE, CONFLICTS, BGWRITER, CHECKPOINTER), ERROR, START, LOCKS, WAITS, LONGEST),
    read,
    parse,
)
