"""Server zones and upstreams, where nginx has the module vts: requests, bytes, times, and who is marked as down.

Source: https://github.com/vozlt/nginx-module-vts
"""

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


def read(config: Nginx) -> str:
    return http_get(config.status_json or config.url, config.timeout, config.host_header)


def wanted(config: Nginx) -> bool:
    return config.status_json is not None


def parse(text: str) -> Iterable[Sample]:
    """Raise ParseError on what is not the JSON of the module vts."""
    answer = json_object(text, "the status of nginx-module-vts")
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


def _counted(
    facts: Any, requests: Family, fields: Mapping[str, tuple[Family, float]], *labels: str
) -> Iterable[Sample]:
    for code in CODES:
        if (value := number(inside(facts, "responses", code))) is not None:
            yield requests(value, *labels, code)
    for name, (family, divisor) in fields.items():
        if (value := number(inside(facts, name))) is not None:
            yield family(value / divisor, *labels)
