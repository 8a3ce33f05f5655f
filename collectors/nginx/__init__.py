"""nginx: connections and requests, read from the stub_status page.

Source: https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from collectors.errors import ParseError
from collectors.inventory import Inventory, Vhost, nginx_main
from collectors.model import Collector, Counter, Gauge, Part, Proposal, Sample, tcp_instance
from collectors.nginx import zones
from collectors.nginx.config import Nginx
from collectors.sources.http import http_get

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
DEBIAN_MAIN = "/etc/nginx/nginx.conf"
API_VERSION = 9
"""Of nginx Plus since release 30."""
USUAL_PATHS = ("/stub_status", "/nginx_status")
PAGE_BLOCK = """\
    server {
        listen 127.0.0.1:8099;
        location = /stub_status { stub_status; access_log off; allow 127.0.0.1; deny all; }
    }
"""
PAGE = re.compile(
    r"Active connections: (\d+)\s+server accepts handled requests[^\n]*\n\s*(\d+) (\d+) (\d+)[^\n]*\n"
    r"Reading: (\d+) Writing: (\d+) Waiting: (\d+)"
)


def read(config: Nginx) -> str:
    return http_get(config.url, config.timeout, config.host_header)


def parse(page: str) -> Iterable[Sample]:
    """Raise ParseError on any text that is not a stub_status page."""
    if not (found := PAGE.search(page)):
        raise ParseError(f"expected a stub_status page, found {page[:80]!r}")
    return [family(int(value)) for family, value in zip(FAMILIES, found.groups(), strict=True)]


def instance(config: Nginx, host: str) -> str:
    at = urlsplit(config.url)
    return tcp_instance(host, at.hostname or "", at.port or (443 if at.scheme == "https" else 80))


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """One proposal for each nginx whose configuration we know; guesses for one whose configuration we cannot read."""
    mains = dict.fromkeys(vhost.main for vhost in inventory.vhosts if vhost.server == "nginx")
    for main in mains:
        pages = list(_pages(main, inventory))
        if pages:
            yield Proposal(f"nginx ({main}) has stub_status at {pages[0].url}", pages[0], _let_us_in(main))
        elif master := _masters(inventory).get(main):
            yield Proposal(f"nginx (pid {master}, {main}) has no stub_status", remedy=_add_page(main, master))
    if set(_masters(inventory)) - set(mains):
        yield from _guesses(inventory)


def _pages(main: str, inventory: Inventory) -> Iterable[Nginx]:
    vhosts = [vhost for vhost in inventory.vhosts if vhost.main == main]
    for vhost in vhosts:
        for url in _urls(vhost, vhost.status_paths):
            counted = [f"{each.rstrip('/')}/format/json" for each in _urls(vhost, vhost.traffic_paths)]
            counted += [f"{each.rstrip('/')}/{API_VERSION}" for each in _urls(vhost, vhost.api_paths)]
            yield Nginx(url=url, host_header=_name(vhost), status_json=next(iter(counted), None))


def _name(vhost: Vhost) -> str:
    return next((name for name in vhost.names if re.fullmatch(r"[\w-]+(\.[\w-]+)*", name) and name != "_"), "")


def _urls(vhost: Vhost, paths: Iterable[str]) -> Iterable[str]:
    for path in paths:
        for listen in vhost.listens:
            address, _, port = listen.rpartition(":")
            if listen.startswith("unix:") or not port.isdecimal():
                continue
            scheme = "https" if listen in vhost.tls_listens else "http"
            place = "127.0.0.1" if address == "*" else address
            yield f"{scheme}://{place}:{port}{path}"


def _masters(inventory: Inventory) -> dict[str, int]:
    """Main configuration file -> pid."""
    found = ((nginx_main(process), process.pid) for process in inventory.processes)
    return {main[0]: pid for main, pid in found if main}


def _guesses(inventory: Inventory) -> Iterable[Proposal]:
    for at in inventory.listeners:
        if at.process == "nginx" and at.port and at.port != 443:
            address = "127.0.0.1" if at.address in ("0.0.0.0", "::") else at.address  # noqa: S104 - not bound
            place = f"[{address}]:{at.port}" if ":" in address else f"{address}:{at.port}"
            for path in USUAL_PATHS:
                config = Nginx(url=f"http://{place}{path}")
                yield Proposal(f"nginx (pid {at.pid}) listens on {place}", config, _add_page("nginx.conf", at.pid))


def _let_us_in(main: str) -> str:
    return f"in the stub_status location, before any deny, add:\n    allow 127.0.0.1;\nthen: {_reload(main)}"


def _add_page(main: str, master: int) -> str:
    place = "in a new file /etc/nginx/conf.d/raingauge.conf" if main == DEBIAN_MAIN else f"inside http {{ }} of {main}"
    return f"{place}, write:\n{PAGE_BLOCK}then: {_reload(main, master)}"


def _reload(main: str, master: int = 0) -> str:
    if main == DEBIAN_MAIN or not master:
        return "nginx -t && systemctl reload nginx"
    return f"kill -HUP {master}"


COLLECTOR = Collector(
    "nginx",
    "nginx",
    Nginx,
    parts=(
        Part("status", FAMILIES, read, parse),
        Part("zones", zones.FAMILIES, zones.read, zones.parse, wanted=zones.wanted),
    ),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    grants="A `stub_status` location that answers 127.0.0.1.",
)
