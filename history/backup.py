"""A copy of the local database while it is in use, and back again."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from history.database import FILE, sound

PAGES = 2000
"""Copied at a time: 16 MB, between which others may write."""

Progress = Callable[[int, int], None]
"""(pages that are left, pages in all)"""


class BackupError(Exception):
    """What was found, and what was expected."""


def backup(state_dir: Path, to: Path, progress: Progress) -> None:
    """Everything as it is at the end of the copying. BackupError if there is nothing, or `to` is there already."""
    path = state_dir / FILE
    if not path.exists():
        raise BackupError(f"{path} is not there: nothing to copy")
    if to.exists():
        raise BackupError(f"{to} is there already: expected the name of a new file")
    source, target = sqlite3.connect(path), sqlite3.connect(to)
    try:
        source.backup(target, pages=PAGES, progress=lambda _status, left, total: progress(left, total))
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    finally:
        source.close()
        target.close()


def restore(state_dir: Path, of: Path) -> Path | None:
    """The copy takes the place of the database, which is kept under another name: that name. No process may use it."""
    if not of.exists():
        raise BackupError(f"{of} is not there")
    if not sound(of, seconds=3600):
        raise BackupError(f"{of} is no database, or a damaged one")
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state_dir / FILE
    part = path.with_name(f"{path.name}.restoring")
    with sqlite3.connect(of) as source, sqlite3.connect(part) as target:
        source.backup(target)
        with suppress(sqlite3.OperationalError):  # of a version whose events were not copied by others
            # Whoever copies events from here begins anew: what came after the copy was made had the same numbers.
            target.execute("UPDATE event_changes SET era = lower(hex(randomblob(8)))")
    source.close()
    target.close()
    aside = None
    if path.exists():
        aside = path.with_name(f"{path.name}.before-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
        for suffix in ("-wal", "-shm", ""):
            found = path.with_name(path.name + suffix)
            if found.exists():
                found.rename(aside.with_name(aside.name + suffix))
    part.rename(path)
    return aside
