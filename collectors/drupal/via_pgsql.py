"""PostgreSQL: one kept connection that only reads, and what the server's errors mean.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from collectors.drupal.account import Account
from collectors.drupal.tables import MissingTable
from collectors.errors import CollectError, Denied, Unreachable, Unsupported

MISSING = ("42P01", "3F000")
"""No such table, no such schema."""
DENIED = ("28", "42501", "3D000")
"""Wrong account, missing right, no such database."""
REFUSED = ("08", "53", "57", "55P03", "40")
"""Connection lost, too many connections, shutting down or stopped because it took too long, locked."""

Execute = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


@contextmanager
def connect(account: Account, timeout: float) -> Iterator[Execute]:
    import psycopg

    milliseconds = f"{timeout * 1000:.0f}"
    options = (
        f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        " -c client_encoding=UTF8"
    )
    try:
        connection = psycopg.connect(
            host=account.socket or account.address, port=account.port, dbname=account.database, user=account.user,
            password=account.password.reveal() if account.password else None, options=options, autocommit=True,
            connect_timeout=max(2, round(timeout)), application_name="raingauge", prepare_threshold=None,
        )  # fmt: skip
    except psycopg.Error as error:
        raise _reason(error, f"connect to {account.place} as {account.user}") from error
    try:
        yield lambda statement, parameters: _ask(connection, statement, parameters)
    finally:
        connection.close()


def _reason(error: Any, attempt: str) -> CollectError:
    code = getattr(error, "sqlstate", None) or ""
    words = str(error).strip().splitlines()
    text = f"{attempt}: {words[0] if words else type(error).__name__}"
    if code.startswith(DENIED) or (not code and any(part in text for part in ("authentication failed", "pg_hba.conf"))):
        return Denied(text)
    if not code and ("does not exist" in text or "permission denied" in text.lower()):
        return Denied(text)
    return Unreachable(text) if not code or code.startswith(REFUSED) else Unsupported(text)


def _ask(connection: Any, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    import psycopg

    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, list(parameters) or None)
            return list(cursor.fetchall())
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith(MISSING):
            raise MissingTable(statement) from error
        raise _reason(error, statement) from error
