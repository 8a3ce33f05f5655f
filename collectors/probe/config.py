"""What is checked, and when it counts as good."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from collectors.config import Config, HttpUrl, Seconds, Secret
from collectors.probe.expectations import (
    Certificate,
    HeaderMatch,
    HostName,
    JsonText,
    Label,
    Pair,
    Pattern,
    Place,
    Value,
)  # fmt: skip
from collectors.sources.sockets import host_and_port

Status = Annotated[int, Field(ge=100, le=599)]
MOST_STEPS = 19


class Request(Config):
    """One request over HTTP, and what a good answer to it is."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    """How it is asked. A redirect by 301, 302 or 303 goes on with GET, as in browsers."""
    headers: tuple[Pair, ...] = ()
    """Headers to send; another site that is redirected to gets none of them."""
    form: tuple[Pair, ...] = ()
    """Fields of a form to send."""
    body: str = ""
    """Text to send instead of a form."""
    body_file: Path | None = None
    """File that holds the text, which may be secret, instead."""
    follow_redirects: bool = True
    """Without it a redirect is the answer."""
    expect_status: tuple[Status, ...] = ()
    """Statuses that count as good, a redirect among them too, which is then not followed; empty: 200 to 399."""
    must_contain: str = ""
    """Text that a good page has."""
    must_not_contain: str = ""
    """Text that a good page does not have."""
    must_match: tuple[Pattern, ...] = ()
    """Regular expressions (RE2), each of which matches in a good page; the first million bytes count."""
    must_not_match: tuple[Pattern, ...] = ()
    """Regular expressions (RE2) that match nowhere in a good page."""
    expect_headers: tuple[HeaderMatch, ...] = ()
    """Headers of a good answer."""
    expect_json: tuple[JsonText, ...] = ()
    """What holds of a good JSON document: `$.status == "ok"`, `$.queue[0].size < 100`; `$.name` alone: it is there."""
    max_seconds: Annotated[Seconds, Field(gt=0)] | None = None
    """A good answer takes no longer, redirects included."""
    extract: tuple[Value, ...] = ()
    """Values of the answer that later steps use as `{name}` in `url`, `body`, `form` and `headers`."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if sum(map(bool, (self.form, self.body, self.body_file))) > 1:
            raise ValueError("expected one of form, body and body_file, found several")
        return self


class Step(Request):
    """One more request of a journey."""

    name: Label
    """What it is called on charts and in messages."""
    url: str = Field(min_length=1)
    """Address, or path at the check's own address."""


class Line(Config):
    expect: Pattern = ""
    """Regular expression (RE2) that a line of the server has; lines before it are skipped."""
    send: str = ""
    """Line to send then; `${1}` stands for the first group of what was expected."""
    starttls: bool = False
    """Go on over TLS from here."""


class Tcp(Config):
    address: Place
    """Where to connect: host:port."""
    tls: bool = False
    """Speak TLS from the start."""
    starttls: Literal["", "smtp", "imap", "pop3"] = ""
    """Ask for TLS in that protocol's words."""
    server_name: HostName = ""
    """Name that the certificate is for, where `address` has another."""
    talk: tuple[Line, ...] = ()
    """What is said on the connection."""


class Dns(Config):
    server: str = Field(min_length=1)
    """Name server to ask: host or host:port."""
    name: str = Field(min_length=1)
    """Name to ask for."""
    type: Literal[
        "A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "ANY"
    ] = "A"  # fmt: skip
    """Kind of record to ask for."""
    protocol: Literal["udp", "tcp"] = "udp"
    """How the name server is asked."""
    expect: tuple[str, ...] = ()
    """Answers that must be among those given: `192.0.2.1`, `10 mail.example.org`."""
    expect_code: Literal["NOERROR", "NXDOMAIN", "REFUSED", "SERVFAIL"] = "NOERROR"
    """How a good server answers."""
    must_match: tuple[Pattern, ...] = ()
    """Regular expressions (RE2), each of which matches one of the answers."""
    must_not_match: tuple[Pattern, ...] = ()
    """Regular expressions (RE2) that match none of the answers."""


class Icmp(Config):
    address: str = Field(min_length=1)
    """Host to ping."""
    ttl: Annotated[int, Field(ge=1, le=255)] | None = None
    """Hops after which the packet is dropped; the system's own if not set."""


class Fastcgi(Config):
    address: str = Field(min_length=1)
    """The pool's socket as `unix:/path`, or `host:port`."""
    ping_path: str = "/ping"
    """The pool's `ping.path`."""
    expect: str = "pong"
    """The pool's `ping.response`; empty: any."""

    @model_validator(mode="after")
    def _is_an_address(self) -> Self:
        if not self.address.startswith("unix:/"):
            host_and_port(self.address)
        return self


class Probe(Request):
    url: HttpUrl = "http://127.0.0.1/"
    """Address to ask, unless it is a check of another kind: `tcp`, `dns`, `icmp` or `fastcgi`."""
    host_header: HostName = ""
    """Name of the site, where `url` has another address: sent as Host header and asked for in TLS."""
    module: str = ""
    """Label of the check; tells two checks of one address apart. Empty: blackbox_exporter's name for such a check."""
    height: Literal["fpm", "local", "public"] = "public"
    """`local`: asks this host's own web server, and follows no redirect to anywhere else; `fpm`: asks PHP itself."""
    interval: Annotated[Seconds, Field(ge=1, le=3600)] = 30.0
    """Time between two checks; a page costs the site more than a status page does."""
    verify_tls: bool = True
    """An invalid certificate counts as failed."""
    ca_file: Path | None = None
    """Certificates of an authority of your own, which counts beside those of the machine."""
    timeout: Annotated[Seconds, Field(gt=0, le=9)] = 5.0
    """How long the whole check may take, redirects and steps included; at most nine tenths of `interval`."""
    username: str = ""
    """Basic authentication, sent to the site of `url` only."""
    password: Secret | None = None
    """With `username`."""
    password_file: Path | None = None
    """File that holds the password instead."""
    token: Secret | None = None
    """Sent as `Authorization: Bearer` to the site of `url` only."""
    token_file: Path | None = None
    """File that holds the token instead."""
    certificate: Certificate | None = None
    """What a good certificate is, beside being valid; for checks over TLS."""
    steps: Annotated[tuple[Step, ...], Field(max_length=MOST_STEPS)] = ()
    """Further requests after the first, with one cookie jar: a visitor's journey. The check fails where a step does."""
    tcp: Tcp | None = None
    """A check of a TCP service instead."""
    dns: Dns | None = None
    """A check of a name server instead."""
    icmp: Icmp | None = None
    """A ping instead."""
    fastcgi: Fastcgi | None = None
    """A ping of a PHP-FPM pool, past the web server, instead."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(each is not None for each in (self.tcp, self.dns, self.icmp, self.fastcgi)) > 1:
            raise ValueError("expected one of tcp, dns, icmp and fastcgi, found several")
        names = [step.name for step in self.steps]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"expected each step's name once, found {twice!r} again")
        return self

    @property
    def kind(self) -> str:
        return next((kind for kind in ("tcp", "dns", "icmp", "fastcgi") if getattr(self, kind) is not None), "http")


def module(config: Probe) -> str:
    if config.module:
        return config.module
    if config.tcp:
        secured = config.tcp.starttls and f"{config.tcp.starttls}_starttls"
        return secured or ("tcp_connect_tls" if config.tcp.tls else "tcp_connect")
    if config.dns:
        return f"dns_{config.dns.protocol}"
    if config.kind == "http":
        return "http_post_2xx" if config.method == "POST" else "http_2xx"
    return "fpm_ping" if config.fastcgi else "icmp"


def address(config: Probe, host: str = "") -> str:
    """The instance. A URL as a visitor knows it, without account, query and fragment, which may hold secrets."""
    if config.tcp:
        return config.tcp.address
    if config.dns:
        return f"dns://{config.dns.server}/{config.dns.name}?type={config.dns.type}"
    if config.icmp:
        return config.icmp.address
    if config.fastcgi:
        place = config.fastcgi.address
        return f"{host}:{place.removeprefix('unix:')}" if place.startswith("unix:") else place
    at = urlsplit(config.url)
    name = config.host_header or at.hostname or ""
    name = f"[{name}]" if ":" in name else name
    standard = {"http": 80, "https": 443}[at.scheme]
    port = f":{at.port}" if at.port and at.port != standard else ""
    return f"{at.scheme}://{name}{port}{at.path or '/'}"
