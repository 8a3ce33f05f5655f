"""Sockets for client libraries that know no limit: so many bytes, until such a time, however they come.

A library waits for each piece anew, and takes whatever is sent: one byte a second would hold it for ever, and a
server that never stops sending would fill the memory.
"""

import socket
import ssl
import time
from typing import Any


class TooMuch(OSError):
    """More came than any good answer has."""


class _Limits:
    _until = _room = _most = float("inf")

    def allow(self, seconds: float, octets: int) -> None:
        """For the next answer; past it TimeoutError, or TooMuch."""
        self._until, self._room, self._most = time.monotonic() + seconds, octets, octets
        self.settimeout(seconds)  # type: ignore[attr-defined]

    def recv(self, *arguments: Any) -> bytes:
        self._wait()
        piece: bytes = super().recv(*arguments)  # type: ignore[misc]
        self._count(len(piece))
        return piece

    def recv_into(self, *arguments: Any) -> int:
        self._wait()
        size: int = super().recv_into(*arguments)  # type: ignore[misc]
        self._count(size)
        return size

    def _wait(self) -> None:
        patience = self.gettimeout()  # type: ignore[attr-defined]
        left = self._until - time.monotonic()
        if patience == 0 or left == float("inf"):  # 0: it only looks whether there is something
            return
        if left <= 0:
            raise TimeoutError("timed out")
        if patience is None or patience > left:
            self.settimeout(left)  # type: ignore[attr-defined]

    def _count(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise TooMuch(f"expected at most {self._most:.0f} bytes, found more")


class Bounded(_Limits, socket.socket):
    pass


class BoundedTls(_Limits, ssl.SSLSocket):
    """For a context's `sslsocket_class`; without limits until it is allowed some."""


def bounded(plain: socket.socket, seconds: float, octets: int) -> Bounded:
    """The same connection with limits; `plain` is not to be used any more."""
    made = Bounded(fileno=plain.detach())
    made.allow(seconds, octets)
    return made


def below(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether such an error is the reason for this one of a client library."""
    while error is not None:
        if isinstance(error, kind):
            return True
        error = getattr(error, "original_exception", None) or error.__cause__ or error.__context__
    return False
