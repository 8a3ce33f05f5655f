"""A site's tables, whatever database and prefixes it has: one question, plain rows."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from collectors.drupal.account import Account

NAME = re.compile(r"\{(\w+)\}")

Row = list[Any]
Rows = list[Row]
Execute = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


class MissingTable(Exception):
    """Drupal makes many tables when they are first written to."""


class Tables:
    def __init__(self, account: Account, execute: Execute) -> None:
        self.account = account
        self.views: dict[str, str] = {}
        """Table -> the view that shows us what we need of it, where there is one."""
        self._execute = execute

    def rows(self, statement: str, parameters: Sequence[Any] = (), blobs: Sequence[int] = ()) -> Rows:
        """JSON-able rows of a statement with `{table}` and `%s` in it; none where a table is missing.

        `blobs`: columns of bytes; they come as text of one character a byte.
        """
        try:
            return self.rows_of_existing(statement, parameters, blobs)
        except MissingTable:
            return []

    def rows_of_existing(self, statement: str, parameters: Sequence[Any] = (), blobs: Sequence[int] = ()) -> Rows:
        """As `rows`; MissingTable where a table is missing."""
        found = self._execute(NAME.sub(lambda name: self.quoted(name[1]), statement), parameters)
        return [[_plain(value, column in blobs) for column, value in enumerate(row)] for row in found]

    def direct(self) -> "Tables":
        """The tables themselves, for what their views leave out."""
        return Tables(self.account, self._execute)

    def exists(self, table: str) -> bool:
        """Whether it is there and we may read it."""
        try:
            self.rows_of_existing(f"SELECT 1 FROM {{{table}}} WHERE 1 = 0")
        except MissingTable:
            return False
        return True

    def quoted(self, table: str) -> str:
        """The table's own name, with its prefix, which may name another database or schema."""
        table = self.views.get(table, table)
        whole = self.account.prefix(table) + table
        schema, _, name = whole.rpartition(".")
        schema = schema or self.account.schema
        mark = "`" if self.account.driver == "mysql" else '"'
        parts = [part.replace(mark, mark * 2) for part in (schema, name) if part]
        return ".".join(f"{mark}{part}{mark}" for part in parts)


def _plain(value: Any, blob: bool) -> Any:
    if isinstance(value, memoryview | bytearray):
        value = bytes(value)
    if blob:
        data = value.encode() if isinstance(value, str) else value
        return data.decode("latin-1") if isinstance(data, bytes) else None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, str | int | float | None) else str(value)
