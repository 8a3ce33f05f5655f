"""The caches before PHP and around it as a ladder: which rung fell first, when, and what PHP did since in its place.

Pure: series in, an answer out. Of what the rules `site:cache_hit_ratio:rate10m`, `site:php_seconds:rate10m` and
`site:requests:rate10m` record.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

RUNGS = ("proxy", "varnish", "drupal", "drupal-dynamic", "redis", "memcached", "opcache")
"""The outermost first: what it answers, nothing below is asked for."""
NAMES = {
    "proxy": "Proxy", "varnish": "Varnish", "drupal": "Page cache", "drupal-dynamic": "Dynamic page cache",
    "redis": "Redis", "memcached": "Memcached", "opcache": "OPcache",
}  # fmt: skip
"""Rung -> what people call it."""
FELL_TO, FELL_BY = 0.8, 0.1
"""A rung is down below so large a part of what is usual, if that is so much less."""
USUAL = 0.75
"""Quantile of a span that counts as usual: a fall may take most of it, and its best moments are chance."""
LASTING = 2
"""Values in a row; one alone is noise."""

Series = Sequence[tuple[float, float]]
"""(Unix seconds, value), ascending."""


@dataclass(frozen=True)
class Rung:
    name: str
    usual: float
    """Hit ratio, as `now`."""
    now: float
    fell_at: float | None = None  # Unix seconds; None: it did not
    warm_at: float | None = None
    """When a fall had ended; None while it is down."""


@dataclass(frozen=True)
class Ladder:
    rungs: tuple[Rung, ...]
    """Those that are known, the outermost first."""
    first: Rung | None
    """The one that fell before the others, in the latest fall."""
    cost: float | None
    """Seconds that PHP worked since, beyond what as many requests took before; None where that is not known."""


def ladder(ratios: Mapping[str, Series], php: Series, requests: Series) -> Ladder:
    """`ratios`: by rung; `php`: seconds of PHP a second; `requests`: a second."""
    names = sorted(ratios, key=lambda name: (RUNGS.index(name) if name in RUNGS else len(RUNGS), name))
    rungs = tuple(_rung(name, ratios[name]) for name in names if ratios[name])
    first = _first(rungs)
    return Ladder(rungs, first, _cost(first, php, requests) if first else None)


def _rung(name: str, series: Series) -> Rung:
    values = sorted(value for _, value in series)
    usual, now = values[math.ceil(USUAL * len(values)) - 1], series[-1][1]
    floor = min(FELL_TO * usual, usual - FELL_BY)
    fell_at = warm_at = began = None
    length = 0
    for t, value in series:
        if value < floor:
            began, length = (t if began is None else began), length + 1
            if length == LASTING:
                fell_at, warm_at = began, None
        else:
            if length >= LASTING:
                warm_at = t
            began, length = None, 0
    return Rung(name, usual, now, fell_at, warm_at)


def _first(rungs: Sequence[Rung]) -> Rung | None:
    """Of those that were down together with the one that was down last. The outermost of several at once."""
    fallen = [(rung.fell_at, _end(rung), rung) for rung in rungs if rung.fell_at is not None]
    if not fallen:
        return None
    began = max(fallen, key=lambda each: each[1])[0]
    together = [each for each in fallen if each[1] > began]
    return min(together, key=lambda each: each[0])[2]


def _end(rung: Rung) -> float:
    return math.inf if rung.warm_at is None else rung.warm_at


def _cost(first: Rung, php: Series, requests: Series) -> float | None:
    """More visitors alone are no cost of a cache: what counts is PHP's time for a request, before and since."""
    assert first.fell_at is not None
    asked = dict(requests)
    both = [(t, busy, asked[t]) for t, busy in php if t in asked]
    before = [(busy, rate) for t, busy, rate in both if t < first.fell_at]
    since = [(t, busy, rate) for t, busy, rate in both if first.fell_at <= t < _end(first)]
    whole = math.fsum(rate for _, rate in before)
    if not whole or not since:
        return None
    each = math.fsum(busy for busy, _ in before) / whole
    times = [t for t, _, _ in both]
    step = min(later - t for t, later in pairwise(times))
    return max(0.0, math.fsum(busy - each * rate for _, busy, rate in since) * step)
