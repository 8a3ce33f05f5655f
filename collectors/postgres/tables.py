"""The largest tables and indexes of the database that we are connected to.

Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW
"""

from collections.abc import Iterator

from collectors.model import Part, Sample
from collectors.postgres.connection import Session
from collectors.postgres.rows import (
    Columns,
    Payload,
    counter,
    counters,
    families,
    gauges,
    labels,
    read_all,
    rows_of,
    samples,
)

MOST_TABLES = 100
MOST_INDEXES = 200  # LABEL_BOUND
TABLE = ("datname", "schemaname", "relname")
INDEX = ("schemaname", "relname", "indexrelname")


TABLES: Columns = {
    **counters(
        "pg_stat_user_tables_*",
        TABLE,
        seq_scan="Sequential scans of the table.",
        seq_tup_read="Rows that sequential scans went over.",
        idx_scan="Scans of the table's indexes.",
        idx_tup_fetch="Rows that index scans fetched.",
        n_tup_ins="Rows inserted.",
        n_tup_upd="Rows updated.",
        n_tup_del="Rows deleted.",
        n_tup_hot_upd="Rows updated without a new entry in any index.",
    ),
    **gauges(
        "pg_stat_user_tables_*",
        TABLE,
        n_live_tup="Rows that are alive, estimated.",
        n_dead_tup="Dead rows that vacuum has not removed yet, estimated.",
        n_mod_since_analyze="Rows changed since the last analyze, estimated.",
        last_vacuum="When somebody vacuumed the table last, in Unix time.",
        last_autovacuum="When autovacuum vacuumed the table last, in Unix time.",
        last_analyze="When somebody analyzed the table last, in Unix time.",
        last_autoanalyze="When autovacuum analyzed the table last, in Unix time.",
    ),
    **counters(
        "pg_stat_user_tables_*",
        TABLE,
        vacuum_count="Times that somebody vacuumed the table.",
        autovacuum_count="Times that autovacuum vacuumed the table.",
        analyze_count="Times that somebody analyzed the table.",
        autoanalyze_count="Times that autovacuum analyzed the table.",
    ),
}


BLOCKS: Columns = {
    f"{short}_blks_{how}": counter(
        f"pg_statio_user_tables_{short}_blocks_{how}", f"Blocks of {whose} that {why}.", TABLE
    )
    for short, whose in (
        ("heap", "the table"),
        ("idx", "the table's indexes"),
        ("toast", "the table's long values"),
        ("tidx", "the long values' index"),
    )
    for how, why in (("read", "had to be read"), ("hit", "were in the shared buffers"))
}
INDEX_BLOCKS: Columns = counters(
    "pg_statio_user_indexes_*_total",
    INDEX,
    idx_blks_read="Blocks of the index that had to be read.",
    idx_blks_hit="Blocks of the index that were in the shared buffers.",
)

# Temporary tables come and go, and only their own session can read them.
LARGEST = r"""
    SELECT current_database() AS datname, s.* FROM {view} s JOIN pg_class c ON c.oid = s.{oid}
    WHERE schemaname !~ '^pg_temp_' ORDER BY c.relpages DESC, c.oid LIMIT {most}"""
STATEMENTS = {
    "tables": LARGEST.format(view="pg_stat_user_tables", oid="relid", most=MOST_TABLES),
    "blocks": LARGEST.format(view="pg_statio_user_tables", oid="relid", most=MOST_TABLES),
    "indexes": LARGEST.format(view="pg_statio_user_indexes", oid="indexrelid", most=MOST_INDEXES),
}


def read(session: Session) -> Payload:
    return read_all(session, STATEMENTS)


def parse(payload: Payload) -> Iterator[Sample]:
    for name, columns, names in (
        ("tables", TABLES, TABLE),
        ("blocks", BLOCKS, TABLE),
        ("indexes", INDEX_BLOCKS, INDEX),
    ):
        for row in rows_of(payload, name):
            yield from samples(row, columns, *labels(row, names))


PART = Part(
    "tables",
    families(TABLES, BLOCKS, INDEX_BLOCKS),
    read,
    parse,
    interval=60.0,
)
