"""nginx: connections and requests, read from the stub_status page.

Source: https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from collectors.config import Config, Seconds
from collectors.errors import ParseError
from collectors.inventory import Inventory
from collectors.model import Collector, Counter, Gauge, Part, Proposal, Sample
from collectors.sources.http import http_get


class Nginx(Config):
    url: str = "http://127.0.0.1/stub_status"
    """Address of the stub_status page."""
    timeout: Seconds = 2.0
    """How long one read may take."""


# Names and types as nginx-prometheus-exporter has them, also where they break today's rules (counters without _total).
UP = Gauge("nginx_up", "1 when nginx answered its status page.")
ACTIVE = Gauge("nginx_connections_active", "Client connections open now, waiting ones included.")
READING = Gauge("nginx_connections_reading", "Connections whose request header is being read.")
WRITING = Gauge("nginx_connections_writing", "Connections to which a response is being written.")
WAITING = Gauge("nginx_connections_waiting", "Idle keep-alive connections.")
ACCEPTED = Counter("nginx_connections_accepted", "Client connections accepted.")
HANDLED = Counter("nginx_connections_handled", "Client connections handled; accepted less handled were dropped.")
REQUESTS = Counter("nginx_http_requests_total", "Client requests served.")

FAMILIES = (ACTIVE, ACCEPTED, HANDLED, REQUESTS, READING, WRITING, WAITING)  # in the order of the page
PAGE = re.compile(
    r"Active connections: (\d+)\s+server accepts handled requests[^\n]*\n\s*(\d+) (\d+) (\d+)[^\n]*\n"
    r"Reading: (\d+) Writing: (\d+) Waiting: (\d+)"
)


def read(config: Nginx) -> str:
    return http_get(config.url, timeout=config.timeout)


def parse(page: str) -> Iterable[Sample]:
    """Raise ParseError on any text that is not a stub_status page."""
    if not (found := PAGE.search(page)):
        raise ParseError(f"expected a stub_status page, found {page[:80]!r}")
    return [family(int(value)) for family, value in zip(FAMILIES, found.groups(), strict=True)]


def instance(config: Nginx, host: str) -> str:
    at = urlsplit(config.url)
    return f"{host}:{at.port or 80}"


def discover(_inventory: Inventory) -> Iterable[Proposal]:
    return []


COLLECTOR = Collector(
    "nginx",
    "nginx",
    Nginx,
    parts=(Part("status", FAMILIES, read, parse),),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    grants="A `stub_status` location that answers 127.0.0.1.",
)
