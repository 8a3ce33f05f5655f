"""Memcached's text protocol, as far as `stats` goes.

Source: https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

import re
import socket
import time
from collections.abc import Iterator, Sequence

from collectors.errors import Denied, ParseError, Unreachable, Unsupported
from collectors.sources.sockets import connect

MOST_BYTES = 1_000_000
END = re.compile(rb"^(?:END|(?:ERROR|CLIENT_ERROR|SERVER_ERROR)[^\r\n]*)\r?\n", re.MULTILINE)
NO_RIGHT = re.compile(rb"unauthenticated|authentication", re.IGNORECASE)


def ask(address: str, commands: Sequence[str], timeout: float) -> dict[str, str]:
    """Command -> the lines that answer it; those after the first are "" where the server does not know them.

    `address` as for `connect`. The time is for all of it.
    """
    until = time.monotonic() + timeout
    with connect(address, timeout) as connection:
        try:
            # A server that speaks only the binary protocol hangs up once it has as much as one of its heads: `version`
            # makes it enough.
            connection.sendall("".join(f"{command}\r\n" for command in (*commands, "version")).encode())
            return _texts(_answers(connection, until), commands, address)
        except TimeoutError as error:
            raise Unreachable(f"{commands[0]} to {address}: no answer within {timeout:g} s") from error
        except ConnectionError as error:
            raise Unreachable(f"{commands[0]} to {address}: {error.strerror}") from error


def _texts(answers: Iterator[tuple[bytes, bytes]], commands: Sequence[str], address: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for command in commands:
        answer, end = next(answers, (b"", b""))
        if end.startswith(b"END"):
            texts[command] = answer.decode(errors="replace")
        elif not end and not texts:
            raise Denied(f"{command} to {address}: it hung up without an answer, as one does that asks for SASL")
        elif not end:
            raise ParseError(f"{command} to {address}: the answer breaks off")
        elif NO_RIGHT.search(end):
            raise Denied(f"{command} to {address}: {_line(end)}")
        elif not texts:
            raise _refusal(end)(f"{command} to {address}: expected STAT lines, found {_line(end)}")
        else:
            texts[command] = ""
    return texts


def _refusal(end: bytes) -> type[Unreachable | Unsupported]:
    return Unreachable if b"Too many open connections" in end else Unsupported


def _line(end: bytes) -> str:
    return repr(end.decode(errors="replace").strip()[:80])


def _answers(connection: socket.socket, until: float) -> Iterator[tuple[bytes, bytes]]:
    """(lines, the line that ends them) of each answer, as many as come. ParseError for what is no such answer."""
    data = bytearray()
    size = 0
    while True:
        while found := END.search(data):
            yield bytes(data[: found.start()]), found[0]
            del data[: found.end()]
        connection.settimeout(max(0.001, until - time.monotonic()))
        if not (piece := connection.recv(65_536)):
            break
        if time.monotonic() > until:
            raise TimeoutError
        data += piece
        size += len(piece)
        if size > MOST_BYTES:
            raise ParseError(f"expected STAT lines and END, found {MOST_BYTES} bytes without")
    if data:
        raise ParseError(f"expected STAT lines and END, found {bytes(data[:80])!r}")


def stats(text: str) -> dict[str, str]:
    """Name -> value of the STAT lines."""
    words = (line.split(" ", 2) for line in text.splitlines() if line.startswith("STAT "))
    return {word[1]: word[2] for word in words if len(word) == 3}
