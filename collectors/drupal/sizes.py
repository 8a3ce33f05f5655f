"""How large the tables are, from what the database keeps about them: nothing is counted.

Source: https://mariadb.com/kb/en/information-schema-tables-table/ https://www.sqlite.org/dbstat.html
https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE
"""

from collections.abc import Iterable
from typing import Any

from collectors.drupal.site import Site
from collectors.drupal.tables import Rows
from collectors.model import Gauge, Sample

TABLES = 25
BINS = 25
TABLE_BYTES = Gauge(
    "drupal_table_bytes", "Data and indexes of the largest tables.", ("table",), bounds={"table": 2 * TABLES}
)
TABLE_ROWS = Gauge(
    "drupal_table_rows", "Rows of the largest tables, as estimated.", ("table",), bounds={"table": 2 * TABLES}
)
BIN_BYTES = Gauge(
    "drupal_cache_bin_bytes", "Data and indexes of a cache bin's table.", ("bin",), bounds={"bin": 2 * BINS}
)
BIN_ROWS = Gauge(
    "drupal_cache_bin_rows", "Rows of a cache bin's table, as estimated.", ("bin",), bounds={"bin": 2 * BINS}
)
TOTAL = Gauge("drupal_database_bytes", "Data and indexes of all of the site's tables.")
FREE = Gauge("drupal_database_free_bytes", "Room within the database's files that is not used.")
COUNT = Gauge("drupal_tables", "Tables of the site.")
FAMILIES = (TABLE_BYTES, TABLE_ROWS, BIN_BYTES, BIN_ROWS, TOTAL, FREE, COUNT)

STATEMENTS = {
    "mysql": "SELECT table_name, table_rows, data_length + index_length, data_free FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' LIMIT 20000",
    "pgsql": "SELECT c.relname, c.reltuples, pg_total_relation_size(c.oid), 0 FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
    " AND n.nspname = COALESCE(NULLIF(%s, ''), current_schema()) LIMIT 20000",
    "sqlite": "SELECT name, NULL, NULL, 0 FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'",
}


def read(site: Site) -> dict[str, Any]:
    account = site.tables.account
    parameters = (account.schema,) if account.driver == "pgsql" else ()
    found = site.tables.rows(STATEMENTS[account.driver], parameters)
    prefix = account.prefix("")
    names = {prefix, *account.prefixes.values()}
    rows = [row for row in found if any(row[0].startswith(each.rpartition(".")[2]) for each in names)]
    return {"prefix": prefix, "tables": rows, "pages": _pages(site) if account.driver == "sqlite" else []}


def _pages(site: Site) -> Rows:
    """Of the whole file; SQLite keeps no sizes of tables."""
    return [site.tables.rows(f"PRAGMA {name}")[0] for name in ("page_size", "page_count", "freelist_count")]


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    prefix = payload["prefix"].rpartition(".")[2]
    tables = [(name.removeprefix(prefix), *rest) for name, *rest in payload["tables"]]
    yield COUNT(len(tables))
    if payload["pages"]:
        (size,), (pages,), (free,) = payload["pages"]
        yield TOTAL(size * (pages - free))
        yield FREE(size * free)
        return
    sized = sorted((each for each in tables if each[2] is not None), key=lambda each: -each[2])
    yield TOTAL(sum(octets for _, _, octets, _ in sized))
    if any(free for *_, free in sized):
        yield FREE(sum(free or 0 for *_, free in sized))
    bins = [each for each in sized if each[0] == "cache" or each[0].startswith("cache_")][:BINS]
    for name, rows, octets, _ in bins:
        yield BIN_BYTES(octets, name.removeprefix("cache_"))
        if rows is not None and rows >= 0:  # -1: PostgreSQL has not looked at it yet
            yield BIN_ROWS(rows, name.removeprefix("cache_"))
    others = [each for each in sized if each not in bins][:TABLES]
    for name, rows, octets, _ in others:
        yield TABLE_BYTES(octets, name)
        if rows is not None and rows >= 0:
            yield TABLE_ROWS(rows, name)
