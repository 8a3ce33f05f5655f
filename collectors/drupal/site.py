"""An opened site: its settings, its version, its tables."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time as clock

from collectors.drupal import via_mysql, via_pgsql, via_sqlite
from collectors.drupal.account import account, settings_of
from collectors.drupal.config import Drupal
from collectors.drupal.tables import Tables
from collectors.errors import Absent, CollectError
from collectors.inventory.backends import Backend, backends
from collectors.inventory.settings_php import Settings
from collectors.inventory.sites import CORE, core_version
from collectors.sources.files import read_text

DRIVERS = {"mysql": via_mysql.connect, "pgsql": via_pgsql.connect, "sqlite": via_sqlite.connect}


@dataclass
class Site:
    docroot: str
    directory: str
    """Its folder below sites/."""
    settings: Settings
    version: str
    """Of core; "" where its files cannot be read."""
    seven: bool
    """Drupal 7, else any later one."""
    tables: Tables
    releases: Path | None = None
    config_sync: Path | None = None
    """These two as our configuration says."""

    @property
    def now(self) -> float:
        return clock()  # Unix seconds

    def backend(self, subsystem: str) -> Backend:
        return backends(self.settings)[subsystem]

    def only_in_database(self, subsystem: str) -> None:
        """Absent where something else keeps it, and the table is a leftover."""
        if (backend := self.backend(subsystem)) != "database":
            raise Absent(f"{subsystem}: kept by {backend}, not by the database")


VIEWS = {
    "key_value": "raingauge_state", "variable": "raingauge_state", "config": "raingauge_config",
    "key_value_expire": "raingauge_expire", "config_hashes": "raingauge_config_hashes",
}  # fmt: skip
"""A view may show us what we need of tables that also hold secrets."""


@contextmanager
def connect(config: Drupal) -> Iterator[Site]:
    settings = settings_of(config)
    where = account(config, settings)
    version = _version(config.docroot)
    with DRIVERS[where.driver](where, config.timeout) as execute:
        tables = Tables(where, execute)
        seven = version.startswith("7.") if version else _is_seven(tables)
        wanted = ("variable",) if seven else ("key_value", "config", "key_value_expire", "config_hashes")
        tables.views = {table: VIEWS[table] for table in wanted if _may_read(tables, VIEWS[table])}
        yield Site(
            config.docroot, config.directory, settings, version, seven, tables, config.releases, config.config_sync
        )


def _version(docroot: str) -> str:
    texts: dict[str, str] = {}
    for file in CORE if docroot else ():
        path = posixpath.join(docroot, file)
        try:
            texts[path] = read_text(path)
        except (Absent, CollectError, OSError):
            continue
    return core_version(texts, docroot)


def _is_seven(tables: Tables) -> bool:
    return _may_read(tables, "system") and not _may_read(tables, "config")


def _may_read(tables: Tables, table: str) -> bool:
    try:
        return tables.exists(table)
    except CollectError:
        return False
