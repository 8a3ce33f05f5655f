"""One kept connection through libpq, its good manners, and what the server's errors mean.

libpq is used as it is: with deadlines for every wait, and rows as JSON that the server has made.
Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from collectors.config import login
from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.postgres.config import Postgres
from collectors.postgres.greeting import refusal

DENIED = ("28", "3D000", "42501")
"""Authentication, no such database, privilege missing."""
DOWN = ("53", "57", "55P03", "08000", "08003", "08006")
"""Out of connections or memory, starting or shutting down, took too long, waited too long for a lock, lost."""
DOWN_IN_WORDS = (
    "too many connections",
    "too many clients",
    "remaining connection slots",
    "server closed the connection",
)
"""What comes after the password, where we see no code; the last is libpq's own, and always in English."""
MANNERS = {
    "default_transaction_read_only": "on",
    "search_path": "pg_catalog",
    "statement_timeout": "{milliseconds:.0f}",
    "lock_timeout": "{tenth:.0f}",
    "jit": "off",  # compiling costs more than our statements
    "timezone": "UTC",
}
"""Set once we are in, not at login: else pg_settings would give ours as the server's."""
ENCODING = "CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END"
"""A database without an encoding refuses to give as UTF-8 what is none, so that we take its bytes as they are."""
AS_JSON = "SELECT row_to_json(answer) FROM ({statement}) AS answer"
MOST_BYTES = 4 << 20
"""Of one answer. The largest that we ask for are a thousand rows of a few hundred bytes. libpq takes a message whole,
believes any length that a server says, and reads on while there is more: what it took is asked of the kernel."""
BYTES_RECEIVED = struct.Struct("128xQ")
"""Where tcpi_bytes_received is in Linux' struct tcp_info."""
KERNEL_BYTES = 1 << 16
"""So much may wait there."""

Row = dict[str, Any]
Rows = list[Row]


@dataclass
class Session:
    connection: Any
    timeout: float  # seconds
    server: str
    """`host:port`, as postgres_exporter names it."""
    monitors: bool = True
    """We may see what other roles' sessions do."""
    refused: set[str] = field(default_factory=set)
    """Statements that are not asked again: each refusal is a line in the server's log."""

    @property
    def version(self) -> int:
        """150018 is 15.18."""
        return int(self.connection.server_version)


@contextmanager
def connect(config: Postgres) -> Iterator[Session]:
    connection = _logged_in(config)
    try:
        _keep_small(connection.socket)
        session = Session(connection, config.timeout, ":".join(map(str, config.place)))
        session.monitors = any(row.get("monitors") is True for row in ask(session, _greeting(session)))
        yield session
    finally:
        connection.finish()


def _logged_in(config: Postgres) -> Any:
    import psycopg

    attempt = f"connect to {config.socket or ':'.join(map(str, config.place))} as {config.user}"
    try:
        connection = psycopg.pq.PGconn.connect_start(_parameters(config))
    except (psycopg.Error, UnicodeError) as error:
        raise Unsupported(f"{attempt}: {type(error).__name__}") from error  # whose words may repeat the password
    try:
        good = _handshake(connection, Answer(connection.socket, time.monotonic() + config.timeout, attempt))
        words = one_line(connection.error_message)
    except psycopg.Error as error:
        good, words = False, str(error)
    except BaseException:
        connection.finish()
        raise
    if good:
        return connection
    connection.finish()
    raise _why_not(config, f"{attempt}: {words}")


def _handshake(connection: Any, answer: "Answer") -> bool:
    """Whether it let us in."""
    from psycopg.pq import ConnStatus, PollingStatus

    state = PollingStatus.FAILED if connection.status == ConnStatus.BAD else PollingStatus.WRITING
    while state in (PollingStatus.READING, PollingStatus.WRITING):
        answer.descriptor = connection.socket  # of the next address that a name has
        answer.wait(write=state == PollingStatus.WRITING)
        state = PollingStatus(connection.connect_poll())
    return state == PollingStatus.OK


def _parameters(config: Postgres) -> bytes:
    from psycopg.conninfo import make_conninfo

    host, port = config.place
    password = login(config.password, config.password_file)
    secured: dict[str, Any] = {}
    if config.tls:
        config.tls.check_files()
        secured = {
            "sslmode": {"full": "verify-full", "ca": "verify-ca", "none": "require"}[config.tls.verify],
            "sslrootcert": config.tls.ca or (None if config.tls.verify == "none" else "system"),
            "sslcert": config.tls.certificate, "sslkey": config.tls.key,
        }  # fmt: skip
    return make_conninfo(
        "", host=host, port=port, user=config.user, dbname=config.database, password=password,
        application_name="raingauge", client_encoding="SQL_ASCII", gssencmode="disable",
        **{name: str(value) for name, value in secured.items() if value},
    ).encode()  # fmt: skip


def _greeting(session: Session) -> str:
    limits = {"milliseconds": max(1, session.timeout * 1000), "tenth": max(1, session.timeout * 100)}
    manners = {name: value.format(**limits) for name, value in MANNERS.items()}
    if session.version >= 140000:
        manners["idle_session_timeout"] = "0"
    settings = [f"set_config('{name}', '{value}', false)" for name, value in manners.items()]
    encoding = f"set_config('client_encoding', {ENCODING}, false)"
    return ", ".join(["SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS monitors", encoding, *settings])


@dataclass
class Answer:
    """What we wait for: until when, and how much of it we take."""

    descriptor: int
    end: float  # monotonic
    attempt: str
    before: int = 0
    """Bytes that the connection had received when we asked."""

    def wait(self, write: bool = False) -> None:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT if write else select.POLLIN)
        if not poll.poll(max(0.0, self.end - time.monotonic()) * 1000):
            raise Unreachable(f"{self.attempt}: no answer in time")
        if _received(self.descriptor) - self.before > MOST_BYTES:
            raise ParseError(f"{self.attempt}: expected a few rows, found more than {MOST_BYTES} bytes")


def _keep_small(descriptor: int) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)


def _received(descriptor: int) -> int:
    """Bytes since the connection was made; 0 for a unix socket, of which the kernel keeps no count: time bounds it."""
    with socket.socket(fileno=os.dup(descriptor)) as same:
        if same.family == socket.AF_UNIX:
            return 0
        told = same.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED.size)
    return int(BYTES_RECEIVED.unpack(told)[0])


def one_line(words: bytes) -> str:
    return " ".join(words.decode(errors="replace").split())


def _why_not(config: Postgres, text: str) -> CollectError:
    if any(words in text for words in DOWN_IN_WORDS):
        return Unreachable(text)
    return reason(refusal(config) or "28000", text)


def reason(code: str, text: str) -> CollectError:
    """What an SQLSTATE means to us; "" when the connection is lost."""
    if code.startswith(DENIED):
        return Denied(text)
    return Unreachable(text) if not code or code.startswith(DOWN) else Unsupported(text)


def ask(session: Session, statement: str) -> Rows:
    """The rows of a SELECT."""
    import psycopg

    attempt = " ".join(statement.split())[:60]
    end = time.monotonic() + session.timeout * 1.5  # the server's own limit comes first
    descriptor = session.connection.socket
    answer = Answer(descriptor, end, attempt, _received(descriptor))
    try:
        session.connection.send_query(AS_JSON.format(statement=statement).encode())
        session.connection.set_single_row_mode()
        return _rows(session.connection, answer)
    except psycopg.OperationalError as error:
        raise Unreachable(f"{attempt}: {' '.join(str(error).split())}") from error
    except (psycopg.Error, ValueError) as error:
        raise ParseError(f"{attempt}: expected rows, found {type(error).__name__}: {error}") from error


def _rows(connection: Any, answer: Answer) -> Rows:
    from psycopg.pq import DiagnosticField, ExecStatus

    attempt = answer.attempt
    rows: Rows = []
    size = 0
    failure: CollectError | None = None
    while (result := _result(connection, answer)) is not None:
        if result.status == ExecStatus.FATAL_ERROR:
            code = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
            failure = failure or reason(code, f"{attempt}: {one_line(result.error_message)}")
        elif result.status == ExecStatus.SINGLE_TUPLE:
            text = result.get_value(0, 0) or b"null"
            size += len(text)
            row = json.loads(text.decode(errors="replace"))
            if size > MOST_BYTES or not isinstance(row, dict):
                raise ParseError(f"{attempt}: expected a few rows of JSON, found {row!r:.60}")
            rows.append(row)
        elif result.status != ExecStatus.TUPLES_OK:
            raise ParseError(f"{attempt}: expected rows, found {ExecStatus(result.status).name}")
    if failure:
        raise failure
    return rows


def _result(connection: Any, answer: Answer) -> Any:
    while connection.is_busy():
        answer.wait()
        connection.consume_input()
    return connection.get_result()


def ask_if_allowed(session: Session, statement: str) -> Rows | None:
    """None where we lack the right, which is asked once a connection."""
    if statement in session.refused:
        return None
    try:
        return ask(session, statement)
    except Denied:
        session.refused.add(statement)
        return None
