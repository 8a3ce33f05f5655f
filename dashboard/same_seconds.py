"""What PHP and the database did in the seconds in which a route took most time.

The access log, the slow log and the database know nothing of each other; time joins them, and which pool and which
server the site uses (`web_site_uses`).
"""

import math
from dataclasses import dataclass

from dashboard import units
from dashboard.costs import QUERY_LENGTH, Cost, Span, quoted
from dashboard.host_facts import points
from history.model import QueryError, Source

POINTS = 240
SHOWN = 3


@dataclass(frozen=True)
class Together:
    route: str
    site: str
    start: float  # Unix seconds
    end: float  # Unix seconds
    took: str
    """Time of the route's requests in between, all together."""
    places: tuple[tuple[str, str], ...]
    """Where in PHP slow requests were, and how many."""
    statements: tuple[tuple[str, str], ...]
    """SQL, and the time that it took."""


def together(source: Source, route: Cost, span: Span) -> Together | None:
    """Of the minutes of the span that were the worst for the route. None where the route was not asked for."""
    window = max(120, math.ceil(span.seconds / POINTS / 60) * 60)
    series = f"web_class_duration_seconds_sum{{class={quoted(route.name)},site={quoted(route.where)}}}"
    found = _worst(source, f"sum (increase({series}[{window}s]))", span, window)
    if found is None:
        return None
    end, seconds = found
    places = _top(source, "frame", f"increase(php_slow_requests_total[{window}s])", used(route.where, "phpfpm"), end)
    statements = _top(
        source, "query", f"increase(sql_digest_seconds_total[{window}s])", used(route.where, "mysql"), end
    )
    return Together(
        route.name, route.where, end - window, end, units.text(seconds, "seconds"),
        tuple((name, units.text(float(round(count)), "count")) for name, count in places if round(count)),
        tuple((name[:QUERY_LENGTH], units.text(spent, "seconds")) for name, spent in statements),
    )  # fmt: skip


def _worst(source: Source, expr: str, span: Span, window: float) -> tuple[float, float] | None:
    """(end of the window, value)."""
    step = window / 2
    start = math.ceil((span.at - span.seconds + window) / step) * step
    try:
        lines = source.query_range(expr, min(start, span.at), span.at, step).lines
    except QueryError:
        return None
    values = [
        (value, t)
        for line in lines
        for t, value in zip(line.times.tolist(), line.values.tolist(), strict=True)
        if math.isfinite(value) and value > 0
    ]
    if not values:
        return None
    value, t = max(values)
    return t, value


def used(site: str, job: str) -> str:
    uses = f'web_site_uses{{site={quoted(site)},target_job="{job}"}}'
    return f'max by (host, instance) (label_replace({uses}, "instance", "$1", "target_instance", "(.+)"))'


def _top(source: Source, label: str, expr: str, used: str, at: float) -> list[tuple[str, float]]:
    asked = f"topk({SHOWN}, sum by ({label}) ({expr} * on (host, instance) group_left () {used}) > 0)"
    found = [(point.labels.get(label, ""), point.value) for point in points(source, asked, at)]
    return sorted(found, key=lambda each: (-each[1], each[0]))
