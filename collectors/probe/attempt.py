"""One check under way: its time, the phases that it was in, the address that it found, and why it failed."""

import contextlib
import errno
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypedDict

REASONS = (
    "resolve", "connect", "tls", "certificate", "status", "header", "body", "json", "slow", "timeout", "protocol",
)  # fmt: skip


NOBODY = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
"""What a datagram, too, may come back with."""


class Failed(Exception):
    """The check has failed for one of REASONS; the text says what was found."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Facts(TypedDict):
    """What every check gives as plain data; each kind adds its own."""

    kind: str
    error: str
    """"" when all is as it should be; else what went wrong, in words."""
    reason: str
    """One of REASONS, "" when all is as it should be."""
    phases: dict[str, float]  # seconds
    lookup: float  # seconds
    seconds: float
    limit: float  # seconds
    ip: str
    tls: dict[str, Any] | None
    """What `tls.told` says."""
    more: dict[str, Any]
    """What only this kind of check knows."""


Guard = Callable[[str, str], None]
"""(host, IP address) -> nothing, or Failed where it may not be asked."""


class Attempt:
    def __init__(self, timeout: float, phases: tuple[str, ...], guard: Guard | None = None) -> None:
        self.began = time.perf_counter()
        self.until = self.began + timeout
        self.timeout = timeout
        self.phases = dict.fromkeys(phases, 0.0)
        self.lookup = 0.0
        self.ip = ""
        self.tls: dict[str, Any] | None = None
        self.more: dict[str, Any] = {}
        self.doing = ""
        self._guard = guard

    def left(self) -> float:
        """Seconds; TimeoutError when there are none."""
        left = self.until - time.perf_counter()
        if left <= 0:
            raise TimeoutError("the time is over")
        return left

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Counts the time, of a failure too; a kind of check need not tell every phase."""
        self.doing, began = name, time.perf_counter()
        try:
            yield
        finally:
            if name in self.phases:
                self.phases[name] += time.perf_counter() - began

    def resolve(self, host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Any:
        """What getaddrinfo prefers."""
        began = time.perf_counter()
        try:
            with self.phase("resolve"):
                found = self._resolved(host, port, kind)
        finally:
            self.lookup += time.perf_counter() - began
        self.ip = str(found[4][0])
        if self._guard:
            self._guard(host, self.ip)
        return found

    def _resolved(self, host: str, port: int, kind: socket.SocketKind) -> Any:
        """A name is asked for in a thread of its own: getaddrinfo knows no limit, and silent name servers take long."""
        if _is_numeric(host):
            return socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)[0]
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(socket.getaddrinfo(host, port, type=kind)[0])
            except (OSError, ValueError) as error:
                answers.put(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            answer = answers.get(timeout=self.left())
        except queue.Empty:
            raise TimeoutError(f"no address of {host} in time") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def connect(self, host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        family, kind, protocol, _, where = self.resolve(host, port, kind)
        sock = socket.socket(family, kind, protocol)
        try:
            with self.phase("connect"):
                sock.settimeout(self.left())
                sock.connect(where)
        except BaseException:
            sock.close()
            raise
        return sock

    def facts(self, kind: str, failed: Failed | None) -> Facts:
        return Facts(
            kind=kind, error=str(failed) if failed else "", reason=failed.reason if failed else "", phases=self.phases,
            lookup=self.lookup, seconds=time.perf_counter() - self.began, limit=self.timeout, ip=self.ip, tls=self.tls,
            more=self.more,
        )  # fmt: skip

    def failure(self, error: Exception) -> Failed:
        """Whatever a server may do wrong, as one of REASONS."""
        if isinstance(error, Failed):
            return error
        if isinstance(error, TimeoutError):
            return Failed("timeout", f"no answer within {self.timeout:g} s, in phase {self.doing or 'start'}: {error}")
        return Failed(self._reason(error), f"{type(error).__name__}: {error}")

    def _reason(self, error: Exception) -> str:
        if isinstance(error, ssl.SSLError):
            return "certificate" if isinstance(error, ssl.SSLCertVerificationError) else "tls"
        is_lost = isinstance(error, OSError) and not isinstance(error, http.client.HTTPException)
        if isinstance(error, OSError) and error.errno in NOBODY:
            return "connect"
        if self.doing == "resolve" or (is_lost and self.doing in ("connect", "tls")):
            return self.doing
        return "protocol"


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
