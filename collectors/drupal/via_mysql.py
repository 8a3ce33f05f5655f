"""MySQL and MariaDB: one kept connection that only reads, and what the server's errors mean.

Source: https://dev.mysql.com/doc/mysql-errors/8.4/en/ https://mariadb.com/kb/en/mariadb-error-code-reference/
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from collectors.drupal.account import Account
from collectors.drupal.tables import MissingTable
from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.sources import sockets

MISSING = {1146}
DENIED = {
    1044, 1045, 1049, 1129, 1130, 1142, 1143, 1203, 1226, 1227, 1251, 1356, 1370, 1698, 1820, 1862, 2058, 2059, 2061,
    3118, 3159, 4151,
}  # fmt: skip
REFUSED = {1040, 1053, 1152, 1205, 1969, 3024}
"""Too many connections, shutting down, aborted, waited for a lock, statement stopped because it took too long."""
GARBLED = (struct.error, LookupError, NameError, ValueError)
MANNERS = (
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",  # no row waits for us, and none is kept for us
    "SET SESSION long_query_time = 3600",
    "SET SESSION wait_timeout = 600",
    "SET SESSION max_statement_time = {seconds:g}",  # MariaDB
    "SET SESSION max_execution_time = {milliseconds:.0f}",  # MySQL
)
MUST = 1
"""How many of the manners a server has to take."""

Execute = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]


@contextmanager
def connect(account: Account, timeout: float) -> Iterator[Execute]:
    import pymysql

    attempt = f"connect to {account.place} as {account.user}"
    address = f"unix:{account.socket}" if account.socket else f"{account.address}:{account.port}"
    socket = sockets.connect(address, timeout)
    try:
        connection = pymysql.Connection(
            host=account.address, port=account.port, user=account.user, database=account.database,
            password=account.password.reveal() if account.password else "", read_timeout=timeout, write_timeout=timeout,
            autocommit=True, ssl_disabled=True, charset="utf8mb4", program_name="raingauge", defer_connect=True,
        )  # fmt: skip
        connection.connect(socket)
    except pymysql.err.MySQLError as error:
        raise _reason(error, attempt) from error
    except GARBLED as error:
        raise ParseError(f"{attempt}: expected a MySQL server, found {type(error).__name__}: {error}") from error
    try:
        _be_modest(connection, timeout)
        yield lambda statement, parameters: _ask(connection, statement, parameters)
    finally:
        connection.close()


def _be_modest(connection: Any, timeout: float) -> None:
    import pymysql

    for number, words in enumerate(MANNERS):
        statement = words.format(seconds=timeout, milliseconds=timeout * 1000)
        try:
            connection.query(statement)
        except pymysql.err.MySQLError as error:
            reason = _reason(error, statement)
            if number < MUST or isinstance(reason, Unreachable):
                raise reason from error


def _reason(error: Exception, attempt: str) -> CollectError:
    code, words = (error.args[0], error.args[-1]) if error.args else (0, error)
    text = f"{attempt}: {words}"
    if not isinstance(code, int):
        return ParseError(text)
    if code in DENIED:
        return Denied(text)
    return Unreachable(text) if code == 0 or code in REFUSED or 2000 <= code < 3000 else Unsupported(text)


def _ask(connection: Any, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    import pymysql

    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())
    except (pymysql.err.MySQLError, TimeoutError) as error:
        if error.args and error.args[0] in MISSING:
            raise MissingTable(statement) from error
        raise _reason(error, statement) from error
    except GARBLED as error:
        raise ParseError(f"{statement}: expected rows, found {type(error).__name__}: {error}") from error
