"""What is told of requests, and how it is made from what the engine knows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collectors.model import Counter, Family, Gauge, Histogram, Sample, State
from collectors.weblog.values import BUCKETS

REQUESTS = Counter(
    "web_requests_total", "Requests by class of route and of status.", ("site", "class", "status"),
    bounds={"class": 2000, "status": 7},
)  # fmt: skip
BYTES = Counter("web_response_bytes_total", "Bytes sent in answers.", ("site",))
DURATION = Histogram("web_request_duration_seconds", "Time from a request to the end of its answer.", ("site",))
CLASS_DURATION = Histogram(
    "web_class_duration_seconds", "The same of the classes that took the most time in all.", ("site", "class"),
    bounds={"class": 2000},
)  # fmt: skip


def _series(whole: Family) -> tuple[Family, Family, Family]:
    return (
        whole.with_suffix("_bucket", "Requests that took up to so many seconds."),
        whole.with_suffix("_sum", "Seconds that they took in all."),
        whole.with_suffix("_count", "Requests whose time was logged."),
    )


DURATIONS, CLASS_DURATIONS = _series(DURATION), _series(CLASS_DURATION)
UPSTREAM = Counter(
    "web_upstream_seconds_total", "Time that the web server waited for PHP or whatever else it asked.", ("site",)
)
UPSTREAM_REQUESTS = Counter("web_upstream_requests_total", "Requests for which it asked one.", ("site",))
PHP_REQUESTS = Counter("web_php_requests_total", "Requests in the access logs of PHP-FPM.", ("site",))
PHP_SECONDS = Counter(
    "web_php_seconds_total",
    "Time that PHP-FPM was busy with them. What exceeds web_upstream_seconds_total came after the answers.",
    ("site",),
)
CACHE = Counter(
    "web_cache_total", "Answers by what a cache said of them; cache is drupal, drupal-dynamic or proxy.",
    ("site", "cache", "state"), bounds={"cache": 3, "state": 9},
)  # fmt: skip
METHODS = Counter("web_methods_total", "Requests by method.", ("site", "method"), bounds={"method": 8})
AGENTS = Counter(
    "web_agents_total", "Requests by what the user agent says it is.", ("site", "agent"), bounds={"agent": 8}
)
LINES = Counter("web_lines_total", "Lines of logs that were understood, or not.", ("outcome",))
LAG = Gauge("web_log_lag_seconds", "Age of the newest line when it was read last.")
READABLE = Gauge("web_log_readable", "1 if we may read the log.", ("log",))

FAMILIES = (
    REQUESTS, BYTES, *DURATIONS, *CLASS_DURATIONS, UPSTREAM, UPSTREAM_REQUESTS, PHP_REQUESTS,
    PHP_SECONDS, CACHE, METHODS, AGENTS, LINES, LAG, READABLE,
)  # fmt: skip
SITE = "site "
"""What the state's keys begin with that hold what is counted of a site."""
PLAIN = {
    "bytes": BYTES, "upstream": UPSTREAM, "upstream requests": UPSTREAM_REQUESTS, "php requests": PHP_REQUESTS,
    "php seconds": PHP_SECONDS,
}  # fmt: skip
"""What is kept as one number a site."""
CLASS_BUCKETS = (0.1, 0.5, 2.0, math.inf)
DEAREST = 20
"""Classes of a site that have durations of their own."""


def samples(state: State) -> Iterable[Sample]:
    for outcome, count in state.get("lines", {}).items():
        yield LINES(count, outcome)
    if "lag" in state:
        yield LAG(state["lag"])
    for log, readable in state.get("readable", {}).items():
        yield READABLE(readable, log)
    for key, counts in state.items():
        if key.startswith(SITE):
            yield from _of_site(key.removeprefix(SITE), counts)


def _of_site(site: str, counts: Mapping[str, Any]) -> Iterable[Sample]:
    for key, count in counts["requests"].items():
        yield REQUESTS(count, site, *key.split(" "))
    for key, count in counts["cache"].items():
        yield CACHE(count, site, *key.split(" "))
    for method, count in counts["methods"].items():
        yield METHODS(count, site, method)
    for agent, count in counts["agents"].items():
        yield AGENTS(count, site, agent)
    for name, family in PLAIN.items():
        if name in counts:
            yield family(counts[name], site)
    yield from _durations(site, counts["durations"])


def _durations(site: str, durations: Mapping[str, Sequence[float]]) -> Iterable[Sample]:
    """Of each class: how many in each bucket, then seconds."""
    if not durations:
        return
    whole = [sum(column) for column in zip(*durations.values(), strict=True)]
    yield from _histogram(DURATIONS, BUCKETS, whole, site)
    for name in sorted(durations, key=lambda name: -durations[name][-1])[:DEAREST]:
        yield from _histogram(CLASS_DURATIONS, CLASS_BUCKETS, durations[name], site, name)


def _histogram(
    families: tuple[Family, Family, Family], bounds: Sequence[float], found: Sequence[float], *labels: str
) -> Iterable[Sample]:
    bucket, total, count = families
    below = 0.0
    for bound, here in zip(BUCKETS, found, strict=False):
        below += here
        if bound in bounds:
            yield bucket(below, *labels, "+Inf" if math.isinf(bound) else f"{bound:g}")
    yield total(found[-1], *labels)
    yield count(below, *labels)
