"""One kept connection, its good manners, and what the server's errors mean.

Source: https://dev.mysql.com/doc/mysql-errors/8.4/en/ https://mariadb.com/kb/en/mariadb-error-code-reference/
"""

import ssl
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from collectors.config import login
from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.mysql.config import Mysql
from collectors.mysql.defaults import client_section, client_tls
from collectors.mysql.values import Rows
from collectors.sources import sockets
from collectors.sources.bounded import TooMuch, below, bounded

DENIED = {
    1044, 1045, 1129, 1130, 1142, 1143, 1203, 1226, 1227, 1251, 1698, 1820, 1862, 2026, 2058, 2059, 2061, 3118, 3159,
    4151,
}  # fmt: skip
"""Access denied, host not allowed or blocked, the account's limits, privilege missing, a way to log in that PyMySQL
does not know, password expired, account locked, TLS wanted."""
REFUSED = {1040, 1053, 1152, 1969, 3024}
"""Too many connections, shutting down, connection aborted, statement stopped because it took too long."""
CLIENT = range(2000, 3000)
"""The client library's own: no server there, or it went away."""
GARBLED = (struct.error, LookupError, NameError, ValueError)
"""What PyMySQL raises while it reads a greeting that is none."""

MANNERS = (
    "SET SESSION long_query_time = 3600",
    "SET SESSION wait_timeout = 600",  # some servers close after a few seconds: before the next read
    "SET SESSION max_statement_time = {seconds:g}",  # MariaDB
    "SET SESSION max_execution_time = {milliseconds:.0f}",  # MySQL
    "SET SESSION time_zone = 'SYSTEM'",  # of the clock that InnoDB's texts show
)
MOST_BYTES = 4 << 20
"""Of one answer; a thousand tables take a tenth of a megabyte. In memory its rows take ten times that."""
STOP_SECONDS = 0.5
"""The server stops a statement that is too slow before we hang up: a slow part costs no connection."""


@dataclass
class Session:
    """A kept connection, and what we learnt over it."""

    connection: Any
    config: Mysql
    denied: dict[str, str] = field(default_factory=dict)
    """Statement -> the server's words: what was refused once is not asked again over this connection."""
    works: dict[str, str] = field(default_factory=dict)
    """First spelling of a statement -> the one that this server knows."""
    facts: dict[str, str] = field(default_factory=dict)
    """Answers that do not change while the server runs."""
    digest_times: dict[tuple[str, str], float] = field(default_factory=dict)
    """(schema, digest) -> time spent, at the last read."""


@contextmanager
def connect(config: Mysql) -> Iterator[Session]:
    import pymysql

    address = f"unix:{config.socket}" if config.socket else f"{config.address}:{config.port}"
    client = client_section(config.defaults_file) if config.defaults_file else {}
    user = client.get("user", config.user)
    password = client.get("password") or login(config.password, config.password_file) or ""
    tls = config.tls or (None if config.socket else client_tls(client))
    context = tls.context() if tls else None
    attempt = f"connect to {config.socket or address} as {user}"
    # The socket is ours: PyMySQL leaves its own open when there is no server.
    socket = bounded(sockets.connect(address, config.timeout), config.timeout, MOST_BYTES)
    try:
        connection = pymysql.Connection(
            host=config.address, port=config.port, user=user, password=password,
            read_timeout=config.timeout + STOP_SECONDS, write_timeout=config.timeout, autocommit=True,
            ssl=context, ssl_disabled=not context, charset="utf8mb4", program_name="raingauge", defer_connect=True,
        )  # fmt: skip # a TLS context costs 20 ms of CPU at each connect
        connection.connect(socket)
    except pymysql.err.MySQLError as error:
        raise _reason(error, attempt) from error
    except GARBLED as error:
        raise ParseError(f"{attempt}: expected a MySQL server, found {type(error).__name__}: {error}") from error
    try:
        _be_modest(connection, config.timeout)
        yield Session(connection, config)
    finally:
        connection.close()


def _be_modest(connection: Any, timeout: float) -> None:
    """Limit our statements and keep them out of the slow log; servers and accounts that refuse are left as they are."""
    import pymysql

    for words in MANNERS:
        statement = words.format(seconds=timeout, milliseconds=timeout * 1000)
        try:
            _allow(connection, timeout)
            connection.query(statement)
        except pymysql.err.MySQLError as error:
            reason = _reason(error, statement)
            if isinstance(reason, Unreachable | ParseError):
                raise reason from error
        except GARBLED as error:
            raise ParseError(f"{statement}: expected MySQL's answer, found {type(error).__name__}: {error}") from error


def _reason(error: Exception, attempt: str) -> CollectError:
    code, words = (error.args[0], error.args[-1]) if error.args else (0, error)
    text = f"{attempt}: {words or 'the connection is closed'}"
    if below(error, ssl.SSLCertVerificationError):
        return Denied(text)
    if below(error, TooMuch):
        return ParseError(text)
    if not isinstance(code, int):  # PyMySQL's own words about an answer out of order
        return ParseError(text)
    if code in DENIED:
        return Denied(text)
    return Unreachable(text) if code == 0 or code in REFUSED or code in CLIENT else Unsupported(text)


def ask(session: Session, statement: str, right: str = "") -> Rows:
    """The rows as text, NULL as "None". `right`: what a refusal says to grant: "PROCESS ON *.*"."""
    _, rows = _execute(session, statement, right)
    return [["None" if field is None else field for field in row] for row in rows]


def table(session: Session, statement: str, right: str = "") -> list[dict[str, str | None]]:
    """The rows as column -> text, the columns in lower case; servers differ in it."""
    columns, rows = _execute(session, statement, right)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def first_table(session: Session, statements: Sequence[str], right: str = "") -> list[dict[str, str | None]]:
    """Of several spellings the first that the server knows; Unsupported when it knows none."""
    known = session.works.get(statements[0])
    for statement in [known] if known else statements:
        try:
            rows = table(session, statement, right)
        except Unsupported:
            if statement in (known, statements[-1]):
                raise
        except Denied:
            session.works[statements[0]] = statement
            raise
        else:
            session.works[statements[0]] = statement
            return rows
    raise AssertionError("there is always a last spelling")


def variable(session: Session, name: str) -> str:
    """A global variable that is fixed at the server's start; "" where there is none of that name."""
    if name not in session.facts:
        found = ask(session, f"SHOW GLOBAL VARIABLES LIKE '{name}'")
        session.facts[name] = found[0][-1] if found else ""
    return session.facts[name]


def _execute(session: Session, statement: str, right: str) -> tuple[list[str], list[list[str | None]]]:
    if said := session.denied.get(statement):
        raise Denied(said)
    try:
        return _rows(session.connection, statement, session.config.timeout + STOP_SECONDS)
    except Denied as error:
        said = f"{error}; allow it with: {grant(session, right)}" if right else str(error)
        session.denied[statement] = said
        raise Denied(said) from error


def grant(session: Session, right: str) -> str:
    """The statement that gives us a right, such as "PROCESS ON *.*"."""
    if "account" not in session.facts:
        session.facts["account"] = ask(session, "SELECT CURRENT_USER()")[0][0]
    user, _, host = session.facts["account"].rpartition("@")
    return f"GRANT {right} TO '{user}'@'{host}'"


def _rows(connection: Any, statement: str, seconds: float) -> tuple[list[str], list[list[str | None]]]:
    import pymysql

    shown = " ".join(statement.split())[:100]
    try:
        _allow(connection, seconds)
        with connection.cursor() as cursor:
            cursor.execute(statement)
            columns = [str(column[0]).lower() for column in cursor.description or ()]
            return columns, [[_text(field) for field in row] for row in cursor.fetchall()]
    except (pymysql.err.MySQLError, TimeoutError) as error:
        raise _reason(error, shown) from error
    except GARBLED as error:
        raise ParseError(f"{shown}: expected rows, found {type(error).__name__}: {error}") from error


def _allow(connection: Any, seconds: float) -> None:
    if connection._sock:  # PyMySQL wraps it anew for TLS; none: it was closed, as it will say itself
        connection._sock.allow(seconds, MOST_BYTES)


def _text(field: Any) -> str | None:
    if isinstance(field, bytes):  # a column of bytes
        return field.decode(errors="replace")
    return None if field is None else str(field)
