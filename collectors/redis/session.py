"""Settings of a Redis, and the connection that is kept to it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collectors.config import Config, Port, Secret, Timeout, login
from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.sources import sockets
from collectors.sources.bounded import TooMuch, below, bounded
from collectors.tls import TlsOverTcp


class Redis(Config):
    socket: str = ""
    """Path of the server's unix socket; empty: TCP."""
    address: str = "127.0.0.1"
    """Host name or IP address of the server."""
    port: Port = 6379
    """TCP port of the server."""
    user: str = ""
    """ACL user; empty: the default user."""
    password: Secret | None = None
    """Its password."""
    password_file: Path | None = None
    """File that holds the password instead."""
    tls: TlsOverTcp = None
    """Speaks TLS, as to a `tls-port`, `{}` with the system's authorities; none: plain."""
    big_keys: bool = False
    """Look at some hundred keys every ten minutes, and tell which kinds of them take the most memory; it needs the
    rights `+scan +select +memory|usage %R~*`. Names are shown without their numbers, hashes and ends."""
    timeout: Timeout = 2.0
    """How long connecting and each command may take."""


MOST_BYTES = 4 << 20
"""Of one answer."""


@dataclass
class Session:
    connection: Any
    connected: bool = False
    refused: set[str] = field(default_factory=set)
    """Commands not to ask again: each refusal is an error that the server counts and keeps in its ACL log."""
    cursors: dict[int, int] = field(default_factory=dict)
    """Database -> where the next look at its keys goes on."""


@contextmanager
def connect(config: Redis) -> Iterator[Session]:
    import redis

    redis_connection: Any = redis.Connection  # whose methods have no types

    class Connection(redis_connection):  # type: ignore[misc]
        def _connect(self) -> Any:
            return _socket(config)

        def send_command(self, *words: Any, **options: Any) -> None:
            self.connect()
            self._sock.allow(config.timeout, MOST_BYTES)  # an answer may come piece by piece
            super().send_command(*words, **options)

    password = login(config.password, config.password_file)
    connection: Any = Connection(
        config.address, config.port, username=config.user or None, password=password,
        socket_timeout=config.timeout, socket_connect_timeout=config.timeout, protocol=2,
    )  # fmt: skip # 3 is not spoken before Redis 6, and we need nothing of it
    # Else it tells its own name, by a command that is an error before Redis 7.2 and for users with few rights.
    connection.driver_info = connection.lib_name = connection.lib_version = None
    try:
        yield Session(connection)
    finally:
        connection.disconnect()


def _socket(config: Redis) -> Any:
    address = f"[{config.address}]:{config.port}" if ":" in config.address else f"{config.address}:{config.port}"
    context = config.tls.context() if config.tls else None
    plain = sockets.connect(f"unix:{config.socket}" if config.socket else address, config.timeout)
    made = bounded(plain, config.timeout, MOST_BYTES)
    try:
        return context.wrap_socket(made, server_hostname=config.address) if context else made
    except BaseException:
        made.close()
        raise


def ask(session: Session, *command: str) -> Any:
    import redis

    connection = session.connection
    if session.connected and _closed(connection):
        connection.disconnect()  # the next command connects anew
    session.connected = True
    try:
        connection.send_command(*command)
        return connection.read_response()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise Denied(f"{command[0]}: {error}") from error
    except redis.ResponseError as error:
        kind: type[CollectError] = (
            Denied if str(error).startswith(("NOAUTH", "WRONGPASS", "NOPERM", "DENIED")) else Unsupported
        )
        raise kind(f"{command[0]}: {error}") from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error.__context__, PermissionError) or below(error, ssl.SSLCertVerificationError):
            raise Denied(f"{command[0]}: {error}") from error
        raise (ParseError if below(error, TooMuch) else Unreachable)(f"{command[0]}: {error}") from error
    except (redis.RedisError, ValueError, AttributeError, RecursionError) as error:  # the last three: redis-py misled
        raise ParseError(f"{command[0]}: expected an answer of Redis, found {str(error)[:80]!r}") from error


def ask_if_allowed(session: Session, *command: str) -> Any:
    """None where it is refused, or not known to this version."""
    name = " ".join(command[:2])
    if name in session.refused:
        return None
    try:
        return ask(session, *command)
    except (Denied, Unsupported):
        session.refused.add(name)
        return None


def _closed(connection: Any) -> bool:
    """The server ends clients that were idle for its `timeout`; it is not down."""
    import redis

    try:
        return bool(connection.can_read(timeout=0))
    except (redis.ConnectionError, redis.TimeoutError):
        return True


def text(answer: Any) -> str:
    if not isinstance(answer, bytes):
        raise ParseError(f"expected text from Redis, found {answer!r:.80}")
    return answer.decode(errors="replace")
