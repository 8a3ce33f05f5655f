"""A kept connection to a Redis: commands go out as arrays, and bounded answers come back.

Our own, as redis-py takes 25 MiB of memory for the few lines of protocol that reading INFO needs.
Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ (version 2, which all servers speak)
"""

import select
import ssl
from collections.abc import Callable
from typing import Any

from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.sources.bounded import TooMuch

MOST_BYTES = 4 << 20
"""Of one answer."""
MOST_LINE = 64 << 10
MOST_DEEP = 8
PIECE = 64 << 10
NO_ENTRY = ("NOAUTH", "WRONGPASS", "NOPERM", "DENIED")
NOT_NOW = ("LOADING", "ERR max number of clients reached")


class Connection:
    """Opens at the first command, anew when the server has closed it, and after each answer that was none."""

    def __init__(self, opened: Callable[[], Any], timeout: float, login: tuple[str, ...] = ()) -> None:
        """`opened`: a socket with limits; `timeout`: seconds for each answer; `login`: what AUTH is told, if it is."""
        self._opened = opened
        self._timeout = timeout
        self._login = login
        self._socket: Any = None
        self._came = bytearray()
        """Of the answer, what is not yet read."""

    def ask(self, *words: str | bytes) -> Any:
        """bytes, int, None or a list of them. Unsupported or Denied: the server refuses the command."""
        name = words[0]
        try:
            if self._socket is None or self._ended():
                self.close()
                self._open()
            answer = self._ask(words)
        except ssl.SSLCertVerificationError as error:  # a ValueError too
            self.close()
            raise Denied(f"{name!s}: {error}") from error
        except (TooMuch, ValueError) as error:
            self.close()
            raise ParseError(f"{name!s}: expected an answer of Redis, found {str(error)[:80]!r}") from error
        except OSError as error:
            self.close()
            raise Unreachable(f"{name!s}: {error.strerror or error}") from error
        if isinstance(answer, Refusal):
            raise answer.kind(f"{name!s}: {answer}")
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._came.clear()

    def _open(self) -> None:
        self._socket = self._opened()
        if self._login and isinstance(refusal := self._ask(("AUTH", *self._login)), Refusal):
            self.close()
            raise (Unreachable if refusal.kind is Unreachable else Denied)(f"AUTH: {refusal}")

    def _ended(self) -> bool:
        """The server closes clients that were idle for its `timeout`; and nothing is to come unasked."""
        look = select.poll()
        look.register(self._socket, select.POLLIN)
        return bool(self._came or look.poll(0))

    def _ask(self, words: tuple[str | bytes, ...]) -> Any:
        self._socket.allow(self._timeout, MOST_BYTES)
        self._socket.sendall(request(words))
        return self._answer(0)

    def _answer(self, depth: int) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-" and not depth:
            return Refusal(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._text(int(rest))
        if kind == b"*" and depth < MOST_DEEP:
            size = int(rest)
            return None if size < 0 else [self._answer(depth + 1) for _ in range(size)]
        raise ValueError(line.decode(errors="replace"))

    def _line(self) -> bytes:
        while (end := self._came.find(b"\r\n")) < 0:
            if len(self._came) > MOST_LINE:
                raise ValueError(self._came[:80].decode(errors="replace"))
            self._more()
        return self._take(end)

    def _text(self, size: int) -> bytes | None:
        if size < 0:
            return None
        if size > MOST_BYTES:
            raise TooMuch(f"expected at most {MOST_BYTES} bytes, found {size}")
        while len(self._came) < size + 2:
            self._more()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        """So many bytes, and the end of the line after them."""
        found, end = bytes(self._came[:size]), bytes(self._came[size : size + 2])
        if end != b"\r\n":
            raise ValueError(f"{end!r} at the end")
        del self._came[: size + 2]
        return found

    def _more(self) -> None:
        piece = self._socket.recv(PIECE)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._came += piece


class Refusal(str):
    """An error that the server answers with."""

    __slots__ = ()

    @property
    def kind(self) -> type[CollectError]:
        if self.startswith(NO_ENTRY):
            return Denied
        return Unreachable if self.startswith(NOT_NOW) else Unsupported


def request(words: tuple[str | bytes, ...]) -> bytes:
    texts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%b\r\n" % (len(text), text) for text in texts)
