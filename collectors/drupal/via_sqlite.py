"""SQLite: the file, opened for reading only, with a limit of time for each statement.

Source: https://www.sqlite.org/uri.html https://www.sqlite.org/rescode.html
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from collectors.drupal.account import Account
from collectors.drupal.tables import MissingTable
from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported

BUSY_SECONDS = 0.1
STEPS = 5000
"""Of SQLite's machine between two looks at the clock: below a millisecond."""

Execute = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


@contextmanager
def connect(account: Account, timeout: float) -> Iterator[Execute]:
    path = account.database
    if not os.path.exists(path):  # noqa: PTH110
        if os.path.isdir(os.path.dirname(path)) and os.access(os.path.dirname(path), os.X_OK):  # noqa: PTH112, PTH120
            raise Unreachable(f"open {path}: no such file")
        raise Denied(f"open {path}: no such file, or a folder that is shut to us")
    if not os.access(path, os.R_OK):
        raise Denied(f"open {path}: permission denied")
    try:
        connection = sqlite3.connect(
            f"file:{quote(path)}?mode=ro", uri=True, timeout=BUSY_SECONDS, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise _reason(error, f"open {path}") from error
    limit = [0.0]
    connection.text_factory = bytes
    connection.create_collation("NOCASE_UTF8", _compared)
    connection.create_function("MD5", 1, _md5, deterministic=True)
    connection.set_progress_handler(lambda: int(time.monotonic() > limit[0]), STEPS)

    def ask(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        limit[0] = time.monotonic() + timeout
        try:
            return connection.execute(statement.replace("%s", "?"), tuple(parameters)).fetchall()
        except sqlite3.Error as error:
            if "no such table" in str(error):
                raise MissingTable(statement) from error
            raise _reason(error, statement) from error

    try:
        ask("PRAGMA query_only = 1", ())
        ask("SELECT 1 FROM sqlite_master LIMIT 1", ())  # whether it is a database at all
        yield ask
    finally:
        connection.close()


def _compared(left: str, right: str) -> int:
    """As Drupal's own: letters of any language without their case."""
    one, other = left.casefold(), right.casefold()
    return (one > other) - (one < other)


def _md5(value: str | bytes) -> str:
    """The other databases have it."""
    data = value.encode() if isinstance(value, str) else value
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _reason(error: sqlite3.Error, attempt: str) -> CollectError:
    text, words = f"{attempt}: {error}", str(error)
    if isinstance(error, sqlite3.OperationalError):
        if any(part in words for part in ("unable to open", "readonly", "not authorized", "disk I/O")):
            return Denied(text)
        if any(part in words for part in ("interrupted", "locked", "busy")):
            return Unreachable(text)
        return Unsupported(text)
    return ParseError(text) if isinstance(error, sqlite3.DatabaseError) else Unsupported(text)
