"""Why a server does not let us in, as the code that it gives.

libpq tells it in words only, in the server's language. So we begin a login by hand and read the code.
Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import socket
import struct
import time

from collectors.errors import ParseError, Unreachable
from collectors.postgres.config import Postgres
from collectors.sources import sockets

PROTOCOL = 3 << 16
LONGEST = 30_000  # bytes; libpq takes no longer error either
AHEAD = b"SNKv"
"""What may come between a login that succeeded and an error: settings, notices, the key, the protocol's version."""


def refusal(config: Postgres) -> str | None:
    """The SQLSTATE with which it refuses us; None when it asks for a password, or lets us in after all.

    Unreachable or Denied as `sockets.connect`; ParseError: it speaks another protocol.
    """
    host, port = config.place
    address = f"unix:{config.socket}" if config.socket else f"{f'[{host}]' if ':' in host else host}:{port}"
    attempt = f"begin a login at {config.socket or address}"
    end = time.monotonic() + config.timeout
    try:
        with sockets.connect(address, config.timeout) as connection:
            connection.sendall(_startup(config.user, config.database))
            return _answer(connection, end, attempt)
    except TimeoutError as error:
        raise sockets.NoAnswer(f"{attempt}: no answer within {config.timeout:g} s") from error
    except (OSError, UnicodeError) as error:  # the latter: a name that no host can have
        raise Unreachable(f"{attempt}: {error}") from error


def _startup(user: str, database: str) -> bytes:
    words = b"".join(word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
    return struct.pack("!II", len(words) + 8, PROTOCOL) + words


def _answer(connection: socket.socket, end: float, attempt: str) -> str | None:
    """Read on until it refuses us, asks for something, or is ready."""
    while True:
        kind, length = struct.unpack("!cI", _exactly(connection, 5, end, attempt))
        if kind not in b"ERZ" + AHEAD or not 4 <= length <= LONGEST:
            raise ParseError(f"{attempt}: expected a PostgreSQL server, found {kind + struct.pack('!I', length)!r}")
        body = _exactly(connection, length - 4, end, attempt)
        if kind == b"E":
            codes = [field[1:].decode(errors="replace") for field in body.split(b"\0") if field.startswith(b"C")]
            return codes[0] if codes else None
        if kind == b"Z" or (kind == b"R" and body[:4] != b"\0\0\0\0"):
            return None


def _exactly(connection: socket.socket, size: int, end: float, attempt: str) -> bytes:
    found = b""
    while len(found) < size:
        rest = end - time.monotonic()
        if rest <= 0:
            raise TimeoutError
        connection.settimeout(rest)
        more = connection.recv(size - len(found))
        if not more:
            raise Unreachable(f"{attempt}: it closed the connection")
        found += more
    return found
