"""One request over HTTP with the time of each phase, over sockets of our own.

http.client and ssl, because the phases (name, connection, TLS, answer, body) have to be told apart.
Source: https://www.rfc-editor.org/rfc/rfc9112
"""

import http.client
import io
import socket
import string
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import quote

from collectors.probe.attempt import Attempt
from collectors.probe.hop import Hop
from collectors.probe.tls import Trust, secured

MOST_BYTES = 1_000_000
REDIRECTS = (301, 302, 303, 307, 308)
PHASES = ("resolve", "connect", "tls", "processing", "transfer")


@dataclass(frozen=True)
class Sending:
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    version: float
    headers: Message
    body: bytes
    """The first million bytes."""

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def location(self) -> str | None:
        """Where it redirects to, if it does; bytes that are no ASCII are quoted, as browsers do."""
        location = self.headers.get("Location") if self.status in REDIRECTS else None
        return quote(location.encode("latin-1"), safe=string.punctuation) if location else None

    @property
    def length(self) -> int:
        """-1 when it was not given."""
        length = self.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() and len(length) < 16 else -1

    @property
    def modified(self) -> float | None:
        """Unix seconds."""
        text = self.headers.get("Last-Modified")
        try:
            return parsedate_to_datetime(text).timestamp() if text else None
        except (ValueError, OverflowError):
            return None


def exchange(attempt: Attempt, hop: Hop, sending: Sending, trust: Trust) -> Answer:
    """OSError, HTTPException or ValueError for whatever goes wrong."""
    if hop.at.scheme not in ("http", "https") or not hop.at.hostname:
        raise ValueError(f"redirected to {hop.at.scheme or 'nothing'}, which is no http address")
    attempt.tls = None
    sock = _connected(attempt, hop)
    try:
        if hop.at.scheme == "https":
            sock = secured(attempt, sock, hop.site, trust, lambda: _connected(attempt, hop))
        return _asked(attempt, sock, hop, sending)
    finally:
        sock.close()


def _connected(attempt: Attempt, hop: Hop) -> socket.socket:
    return attempt.connect(hop.at.hostname or "", hop.port)


def _asked(attempt: Attempt, sock: socket.socket, hop: Hop, sending: Sending) -> Answer:
    with attempt.phase("processing"):
        sock.settimeout(attempt.left())
        connection = http.client.HTTPConnection(hop.site)
        connection.sock = sock
        headers = {"Host": hop.host, "User-Agent": "raingauge", **sending.headers, "Connection": "close"}
        connection.request(sending.method, hop.path, body=sending.body, headers=headers)
        answer = http.client.HTTPResponse(cast("socket.socket", _Timely(sock, attempt)), method=sending.method)
        answer.begin()
    # What came before the body is told even if the body never does.
    attempt.more |= {"status": answer.status, "version": answer.version / 10, "is_tls": hop.at.scheme == "https"}
    with attempt.phase("transfer"):
        body = b""
        while len(body) < MOST_BYTES and (piece := answer.read1(MOST_BYTES - len(body))):
            body += piece
        if answer.length and len(body) < MOST_BYTES:
            raise http.client.IncompleteRead(body, answer.length)
    return Answer(answer.status, answer.version / 10, answer.headers, body)


class _Timely(io.RawIOBase):
    """What comes over a socket until the check's time is over, however slowly it drips."""

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._attempt.left())
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)
