"""Settings of a Redis, and the connection that is kept to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collectors.config import Config, Port, Secret, Timeout, login
from collectors.errors import Denied, ParseError, Unsupported
from collectors.redis.resp import MOST_BYTES, Connection
from collectors.sources import sockets
from collectors.sources.bounded import bounded
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


@dataclass
class Session:
    connection: Connection
    refused: set[str] = field(default_factory=set)
    """Commands not to ask again: each refusal is an error that the server counts and keeps in its ACL log."""
    cursors: dict[int, int] = field(default_factory=dict)
    """Database -> where the next look at its keys goes on."""


@contextmanager
def connect(config: Redis) -> Iterator[Session]:
    password = login(config.password, config.password_file)
    words = (*([config.user] if config.user else []), password) if password else ()
    connection = Connection(lambda: _socket(config), config.timeout, words)
    try:
        yield Session(connection)
    finally:
        connection.close()


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


def ask(session: Session, *command: str | bytes) -> Any:
    return session.connection.ask(*command)


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


def text(answer: Any) -> str:
    if not isinstance(answer, bytes):
        raise ParseError(f"expected text from Redis, found {answer!r:.80}")
    return answer.decode(errors="replace")
