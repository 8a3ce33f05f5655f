"""What databases, the largest tables and the write-ahead log take on disk.

The server looks at every file for it, so it is asked rarely.
Source: https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE
"""

from collections.abc import Iterator

from collectors.model import Part, Sample
from collectors.postgres.connection import Session
from collectors.postgres.rows import (
    MOST_DATABASES,
    Columns,
    Payload,
    families,
    gauge,
    gauges,
    label,
    labels,
    read_all,
    rows_of,
    samples,
)
from collectors.postgres.tables import MOST_TABLES, TABLE

DATABASE: Columns = {
    "size": gauge("pg_database_size_bytes", "Bytes that the database takes on disk.", ("datname",)),
    "datconnlimit": gauge(
        "pg_database_connection_limit", "Most connections to the database; -1 without a limit.", ("datname",)
    ),
}
TABLE_SIZES: Columns = gauges(
    "pg_stat_user_tables_*_bytes",
    TABLE,
    table_size="Bytes of the table on disk, without its indexes.",
    index_size="Bytes of the table's indexes on disk.",
)
WAL: Columns = {
    "segments": gauge("pg_wal_segments", "Files of the write-ahead log."),
    "size": gauge("pg_wal_size_bytes", "Bytes that the write-ahead log takes on disk."),
}

STATEMENTS = {
    "databases": f"""
        SELECT datname, datconnlimit, CASE WHEN has_database_privilege(oid, 'CONNECT')
            OR pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(oid) END AS size
        FROM pg_database LIMIT {MOST_DATABASES}""",  # noqa: S608 # no input
    # The size functions wait for whoever holds a table or an index for itself alone, so those are left out.
    "tables": f"""
        WITH busy AS MATERIALIZED (SELECT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock'
            AND relation IS NOT NULL AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        SELECT current_database() AS datname, schemaname, relname,
            pg_table_size(oid) AS table_size, pg_indexes_size(oid) AS index_size
        FROM (SELECT c.oid, nspname AS schemaname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relkind IN ('r', 'm', 'p') AND nspname !~ '^pg_(toast|temp_)'
                AND nspname NOT IN ('pg_catalog', 'information_schema')
                AND c.oid NOT IN (SELECT relation FROM busy) AND c.reltoastrelid NOT IN (SELECT relation FROM busy)
                AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid
                    AND indexrelid IN (SELECT relation FROM busy))
            ORDER BY relpages DESC, c.oid LIMIT {MOST_TABLES}) AS largest""",  # noqa: S608 # no input
    "wal": "SELECT count(*) AS segments, sum(size)::int8 AS size FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'",
}


def read(session: Session) -> Payload:
    return read_all(session, STATEMENTS)


def parse(payload: Payload) -> Iterator[Sample]:
    for row in rows_of(payload, "databases"):
        yield from samples(row, DATABASE, label(row, "datname"))
    for row in rows_of(payload, "tables"):
        yield from samples(row, TABLE_SIZES, *labels(row, TABLE))
    for row in rows_of(payload, "wal")[:1]:
        yield from samples(row, WAL)


PART = Part(
    "sizes",
    families(DATABASE, TABLE_SIZES, WAL),
    read,
    parse,
    interval=300.0,
)
