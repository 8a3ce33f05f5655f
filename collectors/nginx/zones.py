"""Server zones and upstreams, where nginx has the module vts or is nginx Plus: requests, bytes, times, who is down.

Source: https://github.com/vozlt/nginx-module-vts https://nginx.org/en/docs/http/ngx_http_api_module.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from collectors.errors import ParseError
from collectors.model import Counter, Family, Gauge, Sample
from collectors.nginx.config import Nginx
from collectors.sources.http import http_get
from collectors.sources.jsontext import inside, json_object, number, objects

ZONE, ZONES = ("zone",), {"zone": 100}
PEER, PEERS = ("upstream", "server"), {"upstream": 50, "server": 100}
CODES = ("1xx", "2xx", "3xx", "4xx", "5xx")
ZONE_REQUESTS = Counter("web_zone_requests_total", "Requests of the zone.", (*ZONE, "code"), bounds=ZONES)
PEER_REQUESTS = Counter("web_upstream_requests_total", "Requests sent to the server.", (*PEER, "code"), bounds=PEERS)
PEER_UP = Gauge("web_upstream_up", "0 for a server that is marked as down.", PEER, bounds=PEERS)
OF_ZONE = {
    "inBytes": (Counter("web_zone_received_bytes_total", "Bytes from clients.", ZONE, bounds=ZONES), 1),
    "outBytes": (Counter("web_zone_sent_bytes_total", "Bytes to clients.", ZONE, bounds=ZONES), 1),
    "requestMsecCounter": (Counter("web_zone_request_seconds_total", "Time of requests.", ZONE, bounds=ZONES), 1e3),
}
OF_PEER = {
    "inBytes": (Counter("web_upstream_received_bytes_total", "Bytes from clients.", PEER, bounds=PEERS), 1),
    "outBytes": (Counter("web_upstream_sent_bytes_total", "Bytes to clients.", PEER, bounds=PEERS), 1),
    "responseMsecCounter": (
        Counter("web_upstream_response_seconds_total", "Time until the server had answered.", PEER, bounds=PEERS),
        1e3,
    ),
}
FAMILIES = (ZONE_REQUESTS, PEER_REQUESTS, PEER_UP, *(family for family, _ in (*OF_ZONE.values(), *OF_PEER.values())))


PLUS = re.compile(r"/api/[0-9]+/?$")
PLUS_ZONE = {"received": "inBytes", "sent": "outBytes"}
PLUS_PEER = {"sent": "inBytes", "received": "outBytes"}
"""What goes to the server is what came from clients."""


def read(config: Nginx) -> str:
    url = config.status_json or config.url
    if not PLUS.search(url):
        return http_get(url, config.timeout, config.host_header)
    parts = {name: http_get(f"{url.rstrip('/')}/http/{name}", config.timeout, config.host_header)
             for name in ("server_zones", "upstreams")}  # fmt: skip
    return "{" + ", ".join(f'"{name}": {text}' for name, text in parts.items()) + "}"


def wanted(config: Nginx) -> bool:
    return config.status_json is not None


def parse(text: str) -> Iterable[Sample]:
    """Raise ParseError on what is the JSON of neither."""
    answer = json_object(text, "the status of nginx-module-vts")
    if "server_zones" in answer:
        yield from _plus(answer)
        return
    if "serverZones" not in answer:
        raise ParseError(f"expected serverZones of nginx-module-vts, found {text[:80]!r}")
    for zone, facts in objects(answer, "serverZones").items():
        if zone != "*":  # all zones
            yield from _counted(facts, ZONE_REQUESTS, OF_ZONE, zone)
    for upstream, peers in objects(answer, "upstreamZones").items():
        by_name = {str(inside(peer, "server")): peer for peer in (peers if isinstance(peers, list) else [])}
        for server, peer in by_name.items():
            yield PEER_UP(float(inside(peer, "down") is not True), upstream, server)
            yield from _counted(peer, PEER_REQUESTS, OF_PEER, upstream, server)


def _plus(answer: Mapping[str, Any]) -> Iterable[Sample]:
    for zone, facts in objects(answer, "server_zones").items():
        yield from _counted(_renamed(facts, PLUS_ZONE), ZONE_REQUESTS, OF_ZONE, zone)
    for upstream, facts in objects(answer, "upstreams").items():
        found = inside(facts, "peers")
        peers = found if isinstance(found, list) else []
        for server, peer in {str(inside(each, "server")): each for each in peers}.items():
            if isinstance(state := inside(peer, "state"), str):
                yield PEER_UP(float(state in ("up", "draining", "checking")), upstream, server)
            yield from _counted(_renamed(peer, PLUS_PEER), PEER_REQUESTS, OF_PEER, upstream, server)


def _renamed(facts: Any, names: Mapping[str, str]) -> dict[str, Any]:
    return {"responses": inside(facts, "responses"), **{to: inside(facts, name) for name, to in names.items()}}


def _counted(
    facts: Any, requests: Family, fields: Mapping[str, tuple[Family, float]], *labels: str
) -> Iterable[Sample]:
    for code in CODES:
        if (value := number(inside(facts, "responses", code))) is not None:
            yield requests(value, *labels, code)
    for name, (family, divisor) in fields.items():
        if (value := number(inside(facts, name))) is not None:
            yield family(value / divisor, *labels)
