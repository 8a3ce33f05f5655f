"""The one door to the local database. Every room declares the tables that it owns on METADATA.

Numpy-free: `raingauge agent` opens it too.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event

METADATA = MetaData()

BUSY_SECONDS = 10


def open_database(state_dir: Path) -> Engine:
    """The engine of `<state_dir>/raingauge.db`, its tables made. The folder is made, with mode 0700, if need be."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{state_dir / 'raingauge.db'}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    METADATA.create_all(engine)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # The page size holds only if it is set before the first table (8 KiB: measured best for blobs).
    for pragma in ("page_size=8192", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
