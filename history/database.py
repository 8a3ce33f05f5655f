"""The one door to the local database. Every room declares the tables that it owns on METADATA.

Numpy-free: `raingauge agent` opens it too.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, MetaData, create_engine, event, text

METADATA = MetaData()

BUSY_SECONDS = 10
FRESH = ("page_size=8192", "auto_vacuum=INCREMENTAL")
"""Hold only if they are set before the first table, and the second writes each time. 8 KiB: measured best for blobs."""
PRAGMAS = (
    "journal_mode=WAL",
    "journal_size_limit=16777216",  # bytes that the log keeps after it was long
    "synchronous=NORMAL",
    "foreign_keys=ON",
)


def open_database(state_dir: Path) -> Engine:
    """The engine of `<state_dir>/raingauge.db`, its tables made. The folder is made, with mode 0700, if need be."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{state_dir / 'raingauge.db'}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    METADATA.create_all(engine)
    return engine


@dataclass(frozen=True)
class Room:
    """What the database takes, in bytes."""

    used: int
    spare: int
    """Free pages within the file: used again before it grows."""


def room(engine: Engine) -> Room:
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            return Room(int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()), 0)
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


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    fresh = cursor.execute("PRAGMA page_count").fetchone()[0] == 0
    for pragma in (*FRESH, *PRAGMAS) if fresh else PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
