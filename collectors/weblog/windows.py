"""What shows only over some minutes: who asks with ever new query strings, and storms of pages that are not there.

Each is told as an event with what to do about it; nothing of a path or a query becomes a label.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any
from zlib import crc32

from collectors.model import Event

SECONDS = 300.0
TOLD_SECONDS = 3600.0
"""So long the same is not told again."""
OF_A_NETWORK, OF_ALL = 200, 1000
"""Different query strings in that time that are told."""
NOT_FOUND = 300
MOST_WINDOWS = 64
MOST_PATHS = 200
EVERYBODY = "*"
SECRET = re.compile(r"(?=[^/]*\d)[\w-]{20,}|[^/]*@[^/]*", re.ASCII)
PARAMETER = re.compile(r"(?:^|&)([A-Za-z_][\w.-]{0,30}(?:\[\w{0,10}\]|%5B\w{0,10}%5D)?)(?==)", re.ASCII)
LIMIT = """\
in http { }: map $args $with_query { "" ""; default $server_name; }
limit_req_zone $with_query zone=queries:1m rate=5r/s;
in the site's server { }: limit_req zone=queries burst=20 nodelay;"""


class Windows:
    """Of one site. A window: when it began, whether it was told, requests, and what was seen (the keys are a set that
    keeps its order)."""

    def __init__(self, site: str, known: Any) -> None:
        known = known or {"queries": {}, "missing": [0.0, False, 0, {}]}
        self._site = site
        self._queries = {key: [*each[:3], dict.fromkeys(each[3])] for key, each in known["queries"].items()}
        self._missing: list[Any] = [*known["missing"][:3], dict(known["missing"][3])]

    def packed(self) -> dict[str, Any]:
        """As it is kept."""
        queries = {key: [*each[:3], list(each[3])] for key, each in self._queries.items()}
        return {"queries": queries, "missing": self._missing}

    def asked(self, found: str, query: str, remote: str, now: float) -> Iterator[Event]:
        """A request with a query string."""
        hashed = crc32(query.encode(errors="replace"))
        network = network_of(remote)
        for who, most in ((network, OF_A_NETWORK), (EVERYBODY, OF_ALL)):
            window = self._window(f"{found} {who}", now) if who else None
            if window is None:
                continue
            window[2] += 1
            if window[1]:
                continue
            window[3][hashed] = None
            if len(window[3]) >= most:
                yield _crawler(self._site, (found, who, query), window, now)
                window[1], window[3] = True, {}

    def _window(self, key: str, now: float) -> list[Any]:
        window = self._queries.get(key)
        if window is None or _over(window, now):
            if window is None and len(self._queries) >= MOST_WINDOWS:
                _make_room(self._queries, now)
            self._queries[key] = window = [now, False, 0, {}]
        return window

    def missed(self, path: str, now: float) -> Iterator[Event]:
        """A request for what is not there."""
        window = self._missing
        if _over(window, now):
            window[:] = [now, False, 0, {}]
        window[2] += 1
        if window[1]:
            return
        paths, name = window[3], masked(path)
        if name in paths or len(paths) < MOST_PATHS:
            paths[name] = paths.get(name, 0) + 1
        if window[2] >= NOT_FOUND:
            yield _storm(self._site, window, now)
            window[1], window[3] = True, {}


def _over(window: list[Any], now: float) -> bool:
    return bool(now - window[0] > (TOLD_SECONDS if window[1] else SECONDS))


def _make_room(table: dict[str, Any], now: float) -> None:
    """What is over goes, and if that is little, those with the fewest requests."""
    keep = [key for key in table if not _over(table[key], now)]
    keep = sorted(keep, key=lambda key: (table[key][1], table[key][2]), reverse=True)[: MOST_WINDOWS // 2]
    for key in table.keys() - set(keep):
        del table[key]


def _crawler(site: str, asked: tuple[str, str, str], window: list[Any], now: float) -> Event:
    found, who, query = asked
    began, _, requests, hashes = window
    by = "many networks" if who == EVERYBODY else who
    names = list(dict.fromkeys(PARAMETER.findall(query)))[:8]
    title = f"{len(hashes)} different query strings on {found} of {site} in {max(1, round(now - began))} s from {by}"
    rule = LIMIT if who == EVERYBODY else f"in the site's server {{ }}: deny {who};"
    evidence = {
        "class": found,
        "network": who,
        "requests": str(requests),
        "parameters": ", ".join(names),
        "nginx": rule,
    }
    key = f"{site} {found} {who}"
    return Event(
        _id("web.crawler", key, began), "web.crawler", "info", "", site, began, now, requests, title, (evidence,),
        dedup_key=key[:255], source="web",
    )  # fmt: skip


def _storm(site: str, window: list[Any], now: float) -> Event:
    began, _, count, paths = window
    top = sorted(paths.items(), key=lambda each: (-each[1], each[0]))[:5]
    title = f"{count} requests for pages that are not there on {site} in {max(1, round(now - began))} s"
    return Event(
        _id("web.not_found", site, began), "web.not_found", "info", "", site, began, now, count, title,
        tuple({"path": path, "requests": str(times)} for path, times in top), dedup_key=site[:255], source="web",
    )  # fmt: skip


def _id(kind: str, key: str, began: float) -> str:
    """The same when the same lines are read again."""
    return f"{kind}:{blake2b(key.encode(errors='replace'), digest_size=8).hexdigest()}:{began:.3f}"


def masked(path: str) -> str:
    """Without what may be a key, a token or an address of a person."""
    return "/".join("***" if SECRET.fullmatch(part) else part for part in path[:120].split("/"))


@lru_cache(4096)
def network_of(remote: str) -> str:
    """ "" for what is no address."""
    try:
        address = ip_address(remote)
    except ValueError:
        return ""
    if not isinstance(address, IPv4Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network((address, 24 if isinstance(address, IPv4Address) else 48), strict=False))
