"""The one door to the database. Every room declares the tables that it owns on METADATA.

Numpy-free and Alembic-free, unless something is to be migrated: `raingauge agent` opens it too.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from collectors.model import Event

log = logging.getLogger("raingauge.database")

METADATA = MetaData()

SCHEMA = "0005"
"""The newest of history/migrations/versions."""
FILE = "raingauge.db"
BUSY_SECONDS = 10
CHECK_SECONDS = 2.0
FRESH = ("page_size=8192", "auto_vacuum=INCREMENTAL")
"""Hold only if they are set before the first table, and the second writes each time. 8 KiB: measured best for blobs."""
PRAGMAS = (
    "journal_mode=WAL",
    "journal_size_limit=16777216",  # bytes that the log keeps after it was long
    "synchronous=NORMAL",
    "foreign_keys=ON",
)
SPOILT = ("file is not a database", "malformed")
"""What SQLite says of a file whose structure is damaged."""
ONE_AT_A_TIME = 7_246_387
"""PostgreSQL's lock while the tables are made or changed."""


class SchemaError(Exception):
    """The database was written by a newer Raingauge, or its address is none."""


def open_database(state_dir: Path, url: str = "", *, check: bool = False) -> Engine:
    """The engine of `<state_dir>/raingauge.db`, or of PostgreSQL by URL; its tables made or brought up to date.

    The folder is made, with mode 0700, if need be. A file whose structure is damaged is set aside and a fresh one
    begun; `check` also looks into it, for as long as CHECK_SECONDS.
    """
    if url:
        return _up_to_date(_by_url(url))
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state_dir / FILE
    try:
        if check and path.exists() and not sound(path, CHECK_SECONDS):
            return _afresh(path, "its structure is damaged")
        return _up_to_date(_sqlite(path))
    except DatabaseError as error:
        if isinstance(error, OperationalError) or not any(words in str(error.orig) for words in SPOILT):
            raise
        return _afresh(path, str(error.orig))


def sound(path: Path, seconds: float) -> bool:
    """Whether SQLite finds its structure whole, as far as it gets in that time."""
    until = time.monotonic() + seconds
    connection = sqlite3.connect(path)
    connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.OperationalError:  # the time is over, or others write
        return True
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def _sqlite(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    return engine


def _by_url(url: str) -> Engine:
    try:
        found = make_url(url)
    except ArgumentError:
        raise SchemaError("history.database: expected an address such as postgresql://user@host/name") from None
    if found.get_backend_name() != "postgresql":
        raise SchemaError(f"history.database: expected postgresql://, found {found.get_backend_name()}://")
    found = found.set(drivername="postgresql+psycopg")
    return create_engine(found, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_SECONDS})


def _up_to_date(engine: Engine) -> Engine:
    try:
        with engine.connect() as connection:
            current = _version(connection)
        if current != SCHEMA:
            with _alone(engine) as connection:
                _change(connection, _version(connection))
    except BaseException:
        engine.dispose()
        raise
    make_tables(engine, list(METADATA.tables.values()))
    return engine


def make_tables(engine: Engine, tables: Sequence[Table]) -> None:
    """Those that are missing. A room calls it for its own, as it may be imported after the database was opened."""
    if not {table.name for table in tables} <= set(inspect(engine).get_table_names()):
        with _alone(engine) as connection:
            METADATA.create_all(connection, tables=tables)


def _version(connection: Connection) -> str | None:
    """None: there are no tables yet. The first schema had no version in it."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    return "0001" if tables else None


def _change(connection: Connection, found: str | None) -> None:
    if found is None:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:now)"), {"now": SCHEMA})
    elif found > SCHEMA:
        raise SchemaError(f"the database has schema {found}, of a newer Raingauge; this one knows up to {SCHEMA}")
    elif found != SCHEMA:
        from history import migrations  # Alembic: only here

        migrations.upgrade(connection, found)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction in which no other process makes or changes tables: all of it happens, or nothing."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
            yield connection
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # By hand, as Python's driver would not have the changes of tables in the transaction.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def _afresh(path: Path, why: str) -> Engine:
    """A new database; the old file and its log are kept under another name. An event says so."""
    from history.events import Events  # which needs this module

    aside = _set_aside(path, why)
    engine = _up_to_date(_sqlite(path))
    now = time.time()
    title = f"The history was damaged ({why}): it is kept as {aside.name}, and a new one is begun"
    evidence = {"file": str(aside), "restore": "raingauge history restore FILE"}
    Events(engine).record(
        Event(f"history.damaged:{aside.name}", "history.damaged", "critical", "", "", now, now, 1, title, (evidence,))
    )
    return engine


def _set_aside(path: Path, why: str) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("-wal", "-shm", ""):
        found = path.with_name(path.name + suffix)
        if found.exists():
            found.rename(aside.with_name(aside.name + suffix))
    log.error("database=damaged error=%r aside=%s a fresh one is begun", why, aside)
    return aside


@dataclass(frozen=True)
class Room:
    """What the database takes, in bytes."""

    used: int
    spare: int
    """Free pages within the file: used again before it grows."""


def room(engine: Engine) -> Room:
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            # Its files shrink long after rows have gone, if ever: what counts is what the blocks take.
            return Room(int(connection.execute(text("SELECT coalesce(sum(bytes), 0) FROM block")).scalar_one()), 0)
        pages, free, size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        )
    return Room((pages - free) * size, free * size)


def give_back(engine: Engine, most: int) -> None:
    """Free pages at the end of the file, up to that many bytes, go back to the file system."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # A page is freed at each step of this statement, and only a script takes all of them.
            cast("sqlite3.Connection", connection.connection.dbapi_connection).executescript(
                f"PRAGMA incremental_vacuum({most // 8192})"
            )


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    fresh = connection.execute("PRAGMA page_count").fetchone()[0] == 0
    for pragma in (*FRESH, *PRAGMAS) if fresh else PRAGMAS:
        _patiently(connection, f"PRAGMA {pragma}")


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """SQLite itself waits for who writes, but not where it changes the journal of a file that others begin as well."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
