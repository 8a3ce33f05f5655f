"""What is counted of one site: a dictionary of the state, changed in a copy."""

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.weblog.routes import ALIAS_OTHER, OTHER, SECTION
from collectors.weblog.values import BUCKETS

MOST_SECTIONS = 20
"""First parts of aliases that become a class."""
MOST_REQUESTS = 380
"""Pairs of class and status; with all else a site has at most 600 series."""
FAILURES = "5xx"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
STATES = {
    "hit": "hit", "miss": "miss", "uncacheable": "uncacheable", "bypass": "bypass", "expired": "expired",
    "stale": "stale", "updating": "stale", "revalidated": "revalidated", "pass": "bypass",
}  # fmt: skip
CACHES = {"drupal_cache": "drupal", "dynamic_cache": "drupal-dynamic", "cache": "proxy"}
"""Value of a line -> how it is called."""
UNKNOWN = ("", "-")


class Site:
    def __init__(self, known: Mapping[str, Any] | None) -> None:
        known = known or {"requests": {}, "durations": {}, "cache": {}, "methods": {}, "agents": {}, "sections": []}
        self.counts = {name: _copied(value) for name, value in known.items()}

    def label(self, found: str) -> str:
        """The class as it is counted."""
        return ALIAS_OTHER if found.startswith(SECTION) and found not in self.counts["sections"] else found

    def may_learn(self, found: str) -> bool:
        return self.label(found) != found and len(self.counts["sections"]) < MOST_SECTIONS

    def learn(self, found: str, status: str) -> str:
        """The class of a line; a section is one from its first good answer on."""
        if status.startswith("2") and self.may_learn(found):
            self.counts["sections"].append(found)
        return self.label(found)

    def add(self, found: str, status: str, times: int) -> None:
        """Failures of a class begin at 0 with it: the first burst of them has to be an increase."""
        status = f"{status[0]}xx" if status and status[0] in "12345" else OTHER
        self._add(self.label(found), status, times)
        self._add(self.label(found), FAILURES, 0)

    def _add(self, label: str, status: str, times: int) -> None:
        key, requests = f"{label} {status}", self.counts["requests"]
        full = key not in requests and len(requests) >= MOST_REQUESTS
        _count(requests, f"{OTHER} {status}" if full else key, times)

    def add_client(self, method: str, agent: str, times: int) -> None:
        """Both "" where they are not logged."""
        if method:
            _count(self.counts["methods"], method if method in METHODS else OTHER, times)
        if agent:
            _count(self.counts["agents"], agent, times)

    def add_cached(self, column: str, said: str, times: int) -> None:
        if said not in UNKNOWN:
            state = STATES.get(said.partition(" ")[0].lower(), OTHER)
            _count(self.counts["cache"], f"{CACHES[column]} {state}", times)

    def add_durations(self, found: str, cell: Sequence[float]) -> None:
        name = self.label(found)
        before = self.counts["durations"].get(name) or [0] * (len(BUCKETS) + 1)
        self.counts["durations"][name] = [old + new for old, new in zip(before, cell, strict=True)]

    def add_to(self, name: str, amount: float) -> None:
        self.counts[name] = self.counts.get(name, 0.0) + amount


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value


def _count(table: dict[str, int], key: str, times: int) -> None:
    table[key] = table.get(key, 0) + times
