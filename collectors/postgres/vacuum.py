"""Vacuums that run now.

Source: https://www.postgresql.org/docs/current/progress-reporting.html#VACUUM-PROGRESS-REPORTING
"""

from collections.abc import Iterator

from collectors.errors import Denied
from collectors.model import Gauge, Part, Sample
from collectors.postgres.connection import Session
from collectors.postgres.rows import Columns, Payload, families, gauges, label, labels, read_all, rows_of, samples

TABLE = ("datname", "relname")
PROGRESS: Columns = gauges(
    "pg_stat_progress_vacuum_*",
    TABLE,
    heap_blks="Blocks of the table that is vacuumed.",
    heap_blks_scanned="Blocks that were scanned already.",
    heap_blks_vacuumed="Blocks that were vacuumed already.",
    index_vacuums="Times that the indexes were vacuumed already.",
    max_dead_tuples="Dead rows that memory has room for; their bytes in PostgreSQL 17 and newer.",
    num_dead_tuples="Dead rows found since the indexes were vacuumed last; their bytes in PostgreSQL 17 and newer.",
)
PHASE = Gauge("pg_stat_progress_vacuum_phase", "1 for the phase that the vacuum is in.", (*TABLE, "phase"))
PHASES = (
    "initializing",
    "scanning heap",
    "vacuuming indexes",
    "vacuuming heap",
    "cleaning up indexes",
    "truncating heap",
    "performing final cleanup",
)
BEGAN = Gauge(
    "pg_stat_activity_autovacuum_timestamp_seconds",
    "When autovacuum began to work on the table, in Unix time.",
    ("relname",),
)

STATEMENTS = {
    "progress": """
        SELECT datname, phase,
            CASE WHEN datname = current_database() THEN relid::regclass::text ELSE relid::text END AS relname,
            heap_blks_total AS heap_blks, heap_blks_scanned, heap_blks_vacuumed,
            index_vacuum_count AS index_vacuums, {room} AS max_dead_tuples, {found} AS num_dead_tuples
        FROM pg_stat_progress_vacuum WHERE phase IS NOT NULL""",
    "autovacuum": """
        SELECT substring(query FROM '\\.([^. ]+)') AS relname, extract(epoch FROM min(xact_start))::float8 AS began
        FROM pg_stat_activity
        WHERE backend_type = 'autovacuum worker' AND xact_start IS NOT NULL AND query LIKE 'autovacuum:%' GROUP BY 1""",
}


def read(session: Session) -> Payload:
    if not session.monitors:
        raise Denied("read pg_stat_progress_vacuum: our role may not see other sessions: GRANT pg_monitor TO it")
    new = session.version >= 170000
    room, found = ("max_dead_tuple_bytes", "dead_tuple_bytes") if new else ("max_dead_tuples", "num_dead_tuples")
    return read_all(session, {name: text.format(room=room, found=found) for name, text in STATEMENTS.items()})


def parse(payload: Payload) -> Iterator[Sample]:
    for row in rows_of(payload, "progress"):
        own = labels(row, TABLE)
        for phase in PHASES:
            yield PHASE(int(row.get("phase") == phase), *own, phase)
        yield from samples(row, PROGRESS, *own)
    for row in rows_of(payload, "autovacuum"):
        yield from samples(row, {"began": (BEGAN, 1)}, label(row, "relname"))


PART = Part("vacuum", (PHASE, *families(PROGRESS), BEGAN), read, parse)
