"""What shows only over some minutes: who asks with ever new query strings, and storms of pages that are not there.

Each is told as an event with what to do about it; nothing of a path or a query becomes a label.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, NamedTuple
from zlib import crc32

from collectors.model import Event
from collectors.weblog import crawler_rules

SECONDS = 300.0
TOLD_SECONDS = 3600.0
"""So long the same is not told again."""
OF_A_NETWORK, OF_ALL = 200, 1000
"""Different query strings in that time that are told."""
SLOW_SECONDS, OF_A_PATH = 1800.0, 500
"""The same of one path from one network: slower than the above, and still more than readers ask for."""
NOT_FOUND = 300
MOST_WINDOWS = 128
MOST_PATHS = 200
EVERYBODY = "*"
SECRET = re.compile(r"(?=[^/]*\d)[\w-]{20,}|[^/]*(?:@|%40)[^/]*", re.ASCII)
PARAMETER = re.compile(r"(?:^|&)([A-Za-z_][\w.-]{0,30}(?:\[\w{0,10}\]|%5B\w{0,10}%5D)?)(?==)", re.ASCII)
MOST_NETWORKS = 300
TOLD_NETWORKS = 5


@dataclass
class Window:
    began: float  # Unix seconds
    told: bool = False
    requests: int = 0
    seen: dict[Any, int] = field(default_factory=dict)
    """Hash of a query string, or path -> how often."""
    answered: int = 0
    """Requests of which a cache said something."""
    missed: int = 0
    """Those that it did not have."""
    networks: dict[str, int] = field(default_factory=dict)
    seconds: float = SECONDS

    def over(self, now: float) -> bool:
        return now - self.began > (TOLD_SECONDS if self.told else self.seconds)

    def tell(self) -> None:
        self.told, self.seen, self.networks = True, {}, {}

    def add(self, mark: int, cache: str, network: str = "") -> int:
        """A query string, what a cache said and who asked -> how many different query strings there are."""
        self.seen[mark] = 1
        if cache not in ("", "-"):
            self.answered += 1
            self.missed += not cache.upper().startswith(("HIT", "STALE", "REVALIDATED", "UPDATING"))
        if network and (network in self.networks or len(self.networks) < MOST_NETWORKS):
            self.networks[network] = self.networks.get(network, 0) + 1
        return len(self.seen)

    def packed(self) -> list[Any]:
        """As it is kept: in JSON keys are texts."""
        seen, networks = (list(map(list, table.items())) for table in (self.seen, self.networks))
        return [self.began, self.told, self.requests, seen, self.answered, self.missed, networks, self.seconds]


def _unpacked(kept: list[Any]) -> Window:
    began, told, requests, seen, *more = kept
    answered, missed, networks, *seconds = more or (0, 0, ())
    return Window(began, told, requests, dict(seen), answered, missed, dict(networks), *seconds)


class Asked(NamedTuple):
    found: str
    """Class of the route."""
    path: str
    query: str
    remote: str
    cache: str
    """What the outermost cache said that is logged; "" if none is."""


class Windows:
    """Of one site."""

    def __init__(self, site: str, known: Any) -> None:
        known = known or {"queries": {}, "missing": Window(0.0).packed()}
        self._site = site
        self._queries = {key: _unpacked(kept) for key, kept in known["queries"].items()}
        self._missing = _unpacked(known["missing"])

    def packed(self) -> dict[str, Any]:
        queries = {key: window.packed() for key, window in self._queries.items()}
        return {"queries": queries, "missing": self._missing.packed()}

    def asked(self, asked: Asked, now: float) -> Iterator[Event]:
        """A request with a query string."""
        network, mark = network_of(asked.remote), _mark(asked.query)
        if network:
            whole = self._window(f"{asked.found} {network}", now)
            path = self._window(f"/{_mark(asked.path)} {network}", now, SLOW_SECONDS)
            whole.requests += 1
            path.requests += 1
            if whole.told or path.told:
                return  # it is not one of many, and is told once
            if whole.add(mark, asked.cache) >= OF_A_NETWORK:
                yield _crawler(self._site, network, asked, whole, now)
                whole.tell()
            elif path.add(mark, asked.cache) >= OF_A_PATH:
                yield _crawler(self._site, network, asked, path, now)
                path.tell()
        everybody = self._window(f"{asked.found} {EVERYBODY}", now)
        everybody.requests += 1
        if not everybody.told and everybody.add(mark, asked.cache, network) >= OF_ALL:
            yield _crawler(self._site, EVERYBODY, asked, everybody, now)
            everybody.tell()

    def _window(self, key: str, now: float, seconds: float = SECONDS) -> Window:
        window = self._queries.get(key)
        if window is None or window.over(now):
            if window is None and len(self._queries) >= MOST_WINDOWS:
                _make_room(self._queries, now)
            self._queries[key] = window = Window(now, seconds=seconds)
        return window

    def missed(self, path: str, now: float) -> Iterator[Event]:
        """A request for what is not there."""
        if self._missing.over(now):
            self._missing = Window(now)
        window = self._missing
        window.requests += 1
        if window.told:
            return
        seen, name = window.seen, masked(path)
        if name in seen or len(seen) < MOST_PATHS:
            seen[name] = seen.get(name, 0) + 1
        if window.requests >= NOT_FOUND:
            yield _storm(self._site, window, now)
            window.tell()


def _mark(text: str) -> int:
    return crc32(text.encode(errors="replace"))


def _make_room(table: dict[str, Window], now: float) -> None:
    """What is over goes, and if that is little, those with the fewest requests."""
    keep = [key for key in table if not table[key].over(now)]
    keep = sorted(keep, key=lambda key: (table[key].told, table[key].requests), reverse=True)[: MOST_WINDOWS // 2]
    for key in table.keys() - set(keep):
        del table[key]


def _crawler(site: str, who: str, asked: Asked, window: Window, now: float) -> Event:
    began, requests = window.began, window.requests
    where = masked(asked.path) if window.seconds == SLOW_SECONDS else asked.found
    by = "many networks" if who == EVERYBODY else who
    network = "" if who == EVERYBODY else who
    names = list(dict.fromkeys(PARAMETER.findall(asked.query)))[:8]
    took = max(1, round(now - began))
    title = f"{len(window.seen)} different query strings on {where} of {site} in {took} s from {by}"
    most = sorted(window.networks.items(), key=lambda each: (-each[1], each[0]))[:TOLD_NETWORKS]
    evidence = {
        "class": asked.found,
        "path": masked(asked.path),
        "network": who,
        "networks": ", ".join(f"{name} ({count})" for name, count in most),
        "requests": str(requests),
        "missed": f"{window.missed / window.answered:.0%} of what the cache was asked for" if window.answered else "",
        "parameters": ", ".join(names),
        "nginx": crawler_rules.nginx(network),
        "varnish": crawler_rules.varnish(network, names),
    }
    key = f"{site} {where} {who}"
    return Event(
        _id("web.crawler", key, began), "web.crawler", "info", "", site, began, now, requests, title,
        ({name: text for name, text in evidence.items() if text},), dedup_key=key[:255], source="web",
    )  # fmt: skip


def _storm(site: str, window: Window, now: float) -> Event:
    began, count = window.began, window.requests
    top = sorted(window.seen.items(), key=lambda each: (-each[1], each[0]))[:5]
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
    return "/".join("***" if SECRET.fullmatch(part) else part for part in path.split("/"))[:120]


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
