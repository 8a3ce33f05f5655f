"""One page over HTTP: wholly, in time and of bounded size, or not at all."""

import base64
import http.client
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from agent.ingest.scrape_config import ScrapeConfig
from collectors.config import reveal

ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
OPENMETRICS = "application/openmetrics-text"


class ScrapeError(Exception):
    """Why a scrape failed; `outcome` as reads of our own have it."""

    def __init__(self, text: str, outcome: str = "parse") -> None:
        super().__init__(text)
        self.outcome = outcome


@dataclass(frozen=True)
class Scraped:
    """What one target is asked with, after relabelling."""

    job: str
    address: str
    scheme: str
    path: str
    labels: tuple[tuple[str, str], ...]


def fetch(config: ScrapeConfig, target: Scraped) -> str:
    """The page. ScrapeError for anything else, also for one that was cut off: its last number may be half a one."""
    most = int(config.body_size_limit)
    began = time.monotonic()
    try:
        with _asked(config, target) as answer:
            body = answer.read(most + 1)
            if time.monotonic() - began >= config.patience:
                raise _late(config)
            if answer.status != 200:
                outcome = "denied" if answer.status in (401, 403) else "unsupported"
                raise ScrapeError(f"expected the status 200, found {answer.status}", outcome)
            if answer.length and len(body) <= most:
                raise ScrapeError(f"a page that was cut off: {answer.length:,} bytes are missing")
        if answer.headers.get("Content-Encoding") == "gzip":
            body = _unpacked(body, most)
        if len(body) > most:
            raise ScrapeError(f"a page of more than {most:,} bytes (body_size_limit)")
        text = body.decode()
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        if time.monotonic() - began >= config.patience:  # whoever is cut off may see a reset
            raise _late(config) from error
        kinds = {TimeoutError: "timeout", UnicodeDecodeError: "parse"}
        outcome = kinds.get(type(error), "unreachable" if isinstance(error, OSError) else "parse")
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ScrapeError(words, outcome) from error
    if answer.headers.get("Content-Type", "").startswith(OPENMETRICS) and not text.rstrip("\n").endswith("# EOF"):
        raise ScrapeError("a page that was cut off: expected # EOF at its end")
    return text


def _late(config: ScrapeConfig) -> ScrapeError:
    return ScrapeError(f"expected the page within {config.patience:g} s (scrape_timeout)", "timeout")


def _unpacked(body: bytes, most: int) -> bytes:
    """At most one byte more than `most`."""
    unpacking = zlib.decompressobj(wbits=31)
    text = unpacking.decompress(body, most + 1)
    if not unpacking.eof and len(text) <= most:
        raise ScrapeError("a page that was cut off: its gzip does not end")
    return text


@contextmanager
def _asked(config: ScrapeConfig, target: Scraped) -> Iterator[http.client.HTTPResponse]:
    """The answer. Whoever sends it byte by byte is cut off: a socket's own timeout is for each of them anew."""
    connection = _connection(config, target)
    timer = None
    try:
        connection.connect()
        timer = threading.Timer(config.patience, _cut_off, [connection.sock])
        timer.start()
        connection.request("GET", target.path, headers={
            "Accept": ACCEPT, "Accept-Encoding": "gzip", "User-Agent": "raingauge",
            "X-Prometheus-Scrape-Timeout-Seconds": f"{config.patience:g}", **_credentials(config),
        })  # fmt: skip
        yield connection.getresponse()
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()


def _cut_off(connected: socket.socket) -> None:
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)  # not TLS' own, which another thread may be reading from
    except OSError:
        return  # it has just ended


def _connection(config: ScrapeConfig, target: Scraped) -> http.client.HTTPConnection:
    if target.scheme == "http":
        return http.client.HTTPConnection(target.address, timeout=config.patience)
    tls = config.tls_config
    context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(target.address, timeout=config.patience, context=context)


def _credentials(config: ScrapeConfig) -> Mapping[str, str]:
    if config.basic_auth is not None:
        auth = config.basic_auth
        pair = f"{auth.username}:{reveal(auth.password, auth.password_file) or ''}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if config.authorization is not None:
        secret = reveal(config.authorization.credentials, config.authorization.credentials_file)
        if not (secret or "").isprintable():  # http.client's own words for it would show it
            raise ScrapeError("expected credentials on one line")
        return {"Authorization": f"{config.authorization.type} {secret or ''}"}
    return {}
