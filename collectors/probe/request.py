"""One GET with the time of each phase, over sockets of our own: what the check needs to know, as plain data.

http.client and ssl, because the phases (name, connection, TLS, answer, body) have to be told apart.
"""

import http.client
import io
import queue
import socket
import ssl
import string
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypedDict, cast
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from collectors.probe.config import Probe
from collectors.probe.tls import context, told

MOST_BYTES = 1_000_000
MOST_REDIRECTS = 10
PHASES = ("resolve", "connect", "tls", "processing", "transfer")
REDIRECTS = (301, 302, 303, 307, 308)


class Facts(TypedDict):
    error: str
    """"" when an answer came; else what went wrong, in words."""
    phases: dict[str, float]  # seconds, summed over redirects
    seconds: float
    ip: str
    status: int
    version: float
    redirects: int
    content_length: int
    """-1 when it was not given."""
    body_length: int
    last_modified: float | None  # Unix seconds
    tls: dict[str, Any] | None
    """version, cipher, earliest (Unix seconds) of the last hop."""
    is_tls: bool
    has_text: bool
    """What must and must not be on the page is as it should be."""


def read(config: Probe) -> Facts:
    """Raises nothing for what the site does: a check that fails is an answer."""
    facts = Facts(
        error="", phases=dict.fromkeys(PHASES, 0.0), seconds=0.0, ip="", status=0, version=0.0, redirects=0,
        content_length=-1, body_length=0, last_modified=None, tls=None, is_tls=False, has_text=True,
    )  # fmt: skip
    began = time.perf_counter()
    try:
        _follow(config, facts, began + config.timeout)
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a redirect to nonsense
        facts["error"] = f"{type(error).__name__}: {error}"
    facts["seconds"] = time.perf_counter() - began
    return facts


def _follow(config: Probe, facts: Facts, until: float) -> None:
    hop = Hop(urlsplit(config.url), config.host_header)
    while True:
        target = _get(config, hop, facts, until)
        if target is None or facts["status"] in config.expect_status:
            return
        if facts["redirects"] >= MOST_REDIRECTS:
            raise ValueError(f"redirected more than {MOST_REDIRECTS} times")
        onward = hop.onward(target)
        if config.height == "local" and not onward.same_server(hop):
            return  # the check of this host's own server ends here
        facts["redirects"] += 1
        hop = onward


class Hop(NamedTuple):
    """Where to connect, and which site to ask for there ("" for the one of the address)."""

    at: SplitResult
    name: str

    @property
    def site(self) -> str:
        """In lower case, and other letters than English ones as name servers know them (xn--...)."""
        name = (self.name or self.at.hostname or "").lower()
        return name if name.isascii() else name.encode("idna").decode()

    @property
    def port(self) -> int:
        return self.at.port or (443 if self.at.scheme == "https" else 80)

    @property
    def host(self) -> str:
        """The Host header."""
        site = f"[{self.site}]" if ":" in self.site else self.site
        return site if self.port == (443 if self.at.scheme == "https" else 80) else f"{site}:{self.port}"

    @property
    def path(self) -> str:
        path = f"{self.at.path or '/'}?{self.at.query}" if self.at.query else self.at.path or "/"
        return quote(path, safe=string.punctuation)

    def onward(self, location: str) -> "Hop":
        """The next hop; a redirect to the same site stays at the same address."""
        as_named = self.at._replace(netloc=self.host)
        there = Hop(urlsplit(urljoin(as_named.geturl(), location)), "")
        if self.name and (there.site, there.port, there.at.scheme) == (self.site, self.port, self.at.scheme):
            return Hop(there.at._replace(netloc=self.at.netloc), self.name)
        return there

    def same_server(self, other: "Hop") -> bool:
        return (self.at.hostname, self.port, self.at.scheme) == (other.at.hostname, other.port, other.at.scheme)


def _get(config: Probe, hop: Hop, facts: Facts, until: float) -> str | None:
    """One request; where the answer redirects to, if it does."""
    if hop.at.scheme not in ("http", "https") or not hop.at.hostname:
        raise ValueError(f"redirected to {hop.at.scheme or 'nothing'}, which is no http address")
    facts["tls"] = None
    sock = _connected(hop, facts, until)
    try:
        if hop.at.scheme == "https":
            sock = _secured(config, sock, hop, facts, until)
        sock.settimeout(_left(until))
        return _exchange(config, sock, hop, facts, until)
    finally:
        sock.close()


def _left(until: float) -> float:
    left = until - time.perf_counter()
    if left <= 0:
        raise TimeoutError("no complete answer in time")
    return left


def _timed(facts: Facts, phase: str, since: float) -> float:
    now = time.perf_counter()
    facts["phases"][phase] += now - since
    return now


def _connected(hop: Hop, facts: Facts, until: float) -> socket.socket:
    since = time.perf_counter()
    try:
        family, kind, protocol, _, where = _resolved(hop, until)
    finally:
        since = _timed(facts, "resolve", since)
    facts["ip"] = str(where[0])
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(_left(until))
        sock.connect(where)
    except BaseException:
        sock.close()
        raise
    _timed(facts, "connect", since)
    return sock


def _resolved(hop: Hop, until: float) -> Any:
    """What getaddrinfo prefers, asked in a thread of its own: it knows no limit, and silent name servers take long."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(hop.at.hostname, hop.port, type=socket.SOCK_STREAM)[0])
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=_left(until))
    except queue.Empty:
        raise TimeoutError(f"no address of {hop.at.hostname} in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _secured(config: Probe, sock: socket.socket, hop: Hop, facts: Facts, until: float) -> ssl.SSLSocket:
    """A certificate that is refused is asked for once more, so that its end is still told."""
    since = time.perf_counter()
    try:
        secured = context(config.verify_tls).wrap_socket(sock, server_hostname=hop.site)
    except ssl.SSLCertVerificationError:
        with (
            _connected(hop, facts, until) as again,
            context(verify=False).wrap_socket(again, server_hostname=hop.site) as unverified,
        ):
            facts["tls"] = told(unverified)
        raise
    facts["tls"] = told(secured)
    _timed(facts, "tls", since)
    return secured


class _Timely(io.RawIOBase):
    """What comes over a socket until the check's time is over, however slowly it drips."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._until))
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)


def _exchange(config: Probe, sock: socket.socket, hop: Hop, facts: Facts, until: float) -> str | None:
    since = time.perf_counter()
    connection = http.client.HTTPConnection(hop.site)
    connection.sock = sock
    headers = {"Host": hop.host, "User-Agent": "raingauge", "Connection": "close"}
    connection.request("GET", hop.path, headers=headers)
    answer = http.client.HTTPResponse(cast("socket.socket", _Timely(sock, until)), method="GET")
    answer.begin()
    since = _timed(facts, "processing", since)
    facts["status"], facts["version"] = answer.status, answer.version / 10
    facts["is_tls"] = hop.at.scheme == "https"
    length = answer.headers.get("Content-Length", "")
    facts["content_length"] = int(length) if length.isdecimal() else -1
    facts["last_modified"] = _date(answer.headers.get("Last-Modified"))
    body = b""
    while len(body) < MOST_BYTES and (piece := answer.read1(MOST_BYTES - len(body))):
        body += piece
    if answer.length and len(body) < MOST_BYTES:
        raise http.client.IncompleteRead(body, answer.length)
    _timed(facts, "transfer", since)
    facts["body_length"] = len(body)
    facts["has_text"] = _has_text(config, body.decode(errors="replace"))
    return _onward(answer) if answer.status in REDIRECTS else None


def _onward(answer: http.client.HTTPResponse) -> str | None:
    """Where it redirects to; bytes that are no ASCII are quoted, as browsers do."""
    location = answer.headers.get("Location")
    return quote(location.encode("latin-1"), safe=string.punctuation) if location else None


def _has_text(config: Probe, body: str) -> bool:
    return config.must_contain in body and not (config.must_not_contain and config.must_not_contain in body)


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
