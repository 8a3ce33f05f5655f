"""One GET with the time of each phase, over sockets of our own: what the check needs to know, as plain data.

http.client and ssl, because the phases (name, connection, TLS, answer, body) have to be told apart.
"""

import http.client
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NamedTuple, TypedDict
from urllib.parse import SplitResult, urljoin, urlsplit

from collectors.probe.config import Probe

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
        if target is None or facts["redirects"] >= MOST_REDIRECTS:
            return
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
        return self.name or self.at.hostname or ""

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
        return f"{self.at.path or '/'}?{self.at.query}" if self.at.query else self.at.path or "/"

    def onward(self, location: str) -> "Hop":
        """The next hop; a redirect to the same site stays at the same address."""
        as_named = self.at._replace(netloc=self.host)
        there = Hop(urlsplit(urljoin(as_named.geturl(), location)), "")
        if self.name and (there.at.hostname, there.port, there.at.scheme) == (self.name, self.port, self.at.scheme):
            return Hop(there.at._replace(netloc=self.at.netloc), self.name)
        return there

    def same_server(self, other: "Hop") -> bool:
        return (self.at.hostname, self.port, self.at.scheme) == (other.at.hostname, other.port, other.at.scheme)


def _get(config: Probe, hop: Hop, facts: Facts, until: float) -> str | None:
    """One request; where the answer redirects to, if it does."""
    if hop.at.scheme not in ("http", "https") or not hop.at.hostname:
        raise ValueError(f"redirected to {hop.at.scheme or 'nothing'}, which is no http address")
    facts["is_tls"] = hop.at.scheme == "https"
    sock = _connected(hop, facts, until)
    try:
        if facts["is_tls"]:
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
    places = socket.getaddrinfo(hop.at.hostname, hop.port, type=socket.SOCK_STREAM)
    since = _timed(facts, "resolve", since)
    family, kind, protocol, _, where = places[0]
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


def _secured(config: Probe, sock: socket.socket, hop: Hop, facts: Facts, until: float) -> ssl.SSLSocket:
    """A certificate that is refused is asked for once more, so that its end is still told."""
    since = time.perf_counter()
    try:
        secured = _context(config.verify_tls).wrap_socket(sock, server_hostname=hop.site)
    except ssl.SSLCertVerificationError:
        with (
            _connected(hop, facts, until) as again,
            _context(verify=False).wrap_socket(again, server_hostname=hop.site) as unverified,
        ):
            facts["tls"] = _tls(unverified)
        raise
    facts["tls"] = _tls(secured)
    _timed(facts, "tls", since)
    return secured


@cache
def _context(verify: bool) -> ssl.SSLContext:
    """Made once: reading the machine's certificates takes 20 ms."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _tls(secured: ssl.SSLSocket) -> dict[str, Any]:
    from cryptography import x509  # only for hosts with TLS

    certificate = secured.getpeercert(binary_form=True)
    end = x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp() if certificate else None
    return {"version": secured.version(), "cipher": (secured.cipher() or ("",))[0], "earliest": end}


def _exchange(config: Probe, sock: socket.socket, hop: Hop, facts: Facts, until: float) -> str | None:
    since = time.perf_counter()
    connection = http.client.HTTPConnection(hop.site)
    connection.sock = sock
    headers = {"Host": hop.host, "User-Agent": "raingauge", "Connection": "close"}
    connection.request("GET", hop.path, headers=headers)
    answer = connection.getresponse()
    since = _timed(facts, "processing", since)
    facts["status"], facts["version"] = answer.status, answer.version / 10
    length = answer.headers.get("Content-Length", "")
    facts["content_length"] = int(length) if length.isdecimal() else -1
    facts["last_modified"] = _date(answer.headers.get("Last-Modified"))
    body = b""
    while len(body) < MOST_BYTES and (piece := answer.read1(MOST_BYTES - len(body))):
        body += piece
        sock.settimeout(_left(until))
    if answer.length and len(body) < MOST_BYTES:
        raise http.client.IncompleteRead(body, answer.length)
    _timed(facts, "transfer", since)
    facts["body_length"] = len(body)
    facts["has_text"] = _has_text(config, body.decode(errors="replace"))
    return answer.headers.get("Location") if answer.status in REDIRECTS else None


def _has_text(config: Probe, body: str) -> bool:
    return config.must_contain in body and not (config.must_not_contain and config.must_not_contain in body)


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
