"""One kept connection, its good manners, and what the server's errors mean.

Source: https://dev.mysql.com/doc/mysql-errors/8.4/en/ https://mariadb.com/kb/en/mariadb-error-code-reference/
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from collectors.config import login
from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.mysql.config import Mysql
from collectors.sources import sockets

DENIED = {
    1044, 1045, 1129, 1130, 1203, 1226, 1227, 1251, 1698, 1820, 1862, 2058, 2059, 2061, 3118, 3159, 4151,
}  # fmt: skip
"""Access denied, host not allowed or blocked, the account's limits, privilege missing, a way to log in that PyMySQL
does not know, password expired, account locked, TLS wanted."""
REFUSED = {1040, 1053, 1152, 1969, 3024}
"""Too many connections, shutting down, connection aborted, statement stopped because it took too long."""
CLIENT = range(2000, 3000)
"""The client library's own: no server there, or it went away."""
GARBLED = (struct.error, LookupError, NameError, ValueError)
"""What PyMySQL raises while it reads a greeting that is none."""

Rows = list[list[str]]

MANNERS = (
    "SET SESSION long_query_time = 3600",
    "SET SESSION wait_timeout = 600",  # some servers close after a few seconds: before the next read
    "SET SESSION max_statement_time = {seconds:g}",  # MariaDB
    "SET SESSION max_execution_time = {milliseconds:.0f}",  # MySQL
)


@contextmanager
def connect(config: Mysql) -> Iterator[Any]:
    import pymysql

    address = f"unix:{config.socket}" if config.socket else f"{config.address}:{config.port}"
    password = login(config.password, config.password_file) or ""
    attempt = f"connect to {config.socket or address} as {config.user}"
    # The socket is ours: PyMySQL leaves its own open when there is no server.
    socket = sockets.connect(address, config.timeout)
    try:
        connection = pymysql.Connection(
            host=config.address, port=config.port, user=config.user, password=password,
            read_timeout=config.timeout, write_timeout=config.timeout, autocommit=True,
            ssl_disabled=True, charset="utf8mb4", program_name="raingauge", defer_connect=True,
        )  # fmt: skip # a TLS context costs 20 ms of CPU at each connect
        connection.connect(socket)
    except pymysql.err.MySQLError as error:
        raise _reason(error, attempt) from error
    except GARBLED as error:
        raise ParseError(f"{attempt}: expected a MySQL server, found {type(error).__name__}: {error}") from error
    try:
        _be_modest(connection, config.timeout)
        yield connection
    finally:
        connection.close()


def _be_modest(connection: Any, timeout: float) -> None:
    """Limit our statements and keep them out of the slow log; servers and accounts that refuse are left as they are."""
    import pymysql

    for words in MANNERS:
        statement = words.format(seconds=timeout, milliseconds=timeout * 1000)
        try:
            connection.query(statement)
        except pymysql.err.MySQLError as error:
            reason = _reason(error, statement)
            if isinstance(reason, Unreachable):
                raise reason from error


def _reason(error: Exception, attempt: str) -> CollectError:
    code, words = (error.args[0], error.args[-1]) if error.args else (0, error)
    text = f"{attempt}: {words}"
    if not isinstance(code, int):  # PyMySQL's own words about an answer out of order
        return ParseError(text)
    if code in DENIED:
        return Denied(text)
    return Unreachable(text) if code == 0 or code in REFUSED or code in CLIENT else Unsupported(text)


def ask(connection: Any, statement: str) -> Rows:
    import pymysql

    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [[str(field) for field in row] for row in cursor.fetchall()]
    except (pymysql.err.MySQLError, TimeoutError) as error:
        raise _reason(error, statement) from error
    except GARBLED as error:
        raise ParseError(f"{statement}: expected rows, found {type(error).__name__}: {error}") from error
