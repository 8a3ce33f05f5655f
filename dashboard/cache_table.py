"""The caches of a site as a table: how often each answers, which fell first, and what that cost PHP."""

import math
from collections.abc import Mapping

from alerts.cache_ladder import NAMES, Ladder, Rung, Series, ladder
from dashboard import units
from dashboard.costs import Span, quoted
from dashboard.moments import span as lasting
from dashboard.site_tables import Line, Table
from history.model import QueryError, Source

POINTS = 240
NOTES = {
    "proxy": "in front of PHP, by the access log", "drupal": "whole pages, for visitors without a session",
    "drupal-dynamic": "pages but for what is personal", "redis": "parts of pages, and what Drupal keeps",
    "memcached": "the same", "opcache": "compiled PHP",
}  # fmt: skip
MISSING = (
    "No cache of this site is known. The access log tells of Drupal's two where nginx's log_format has"
    " $upstream_http_x_drupal_cache and $upstream_http_x_drupal_dynamic_cache."
)


def cache_table(source: Source, site: str, shown: Span) -> Table:
    found = read(source, site, shown)
    lines = tuple(_line(rung, shown.at) for rung in found.rungs)
    lead, missing = (_lead(found, shown.at), "") if lines else ("", MISSING)
    return Table("caches", "Caches", lead, ("Cache", "now", "usual", "fell"), lines, 0, missing)


def read(source: Source, site: str, shown: Span) -> Ladder:
    only = f"{{site={quoted(site)}}}"
    php = _series(source, f"sum (site:php_seconds:rate10m{only})", shown)
    requests = _series(source, f"sum (site:requests:rate10m{only})", shown)
    ratios = _series(source, f"min by (cache) (site:cache_hit_ratio:rate10m{only})", shown)
    return ladder(ratios, php.get("", ()), requests.get("", ()))


def _series(source: Source, expr: str, shown: Span) -> Mapping[str, Series]:
    """By the label `cache`."""
    step = max(60.0, math.ceil(shown.seconds / POINTS / 60) * 60.0)
    end = shown.at // step * step
    try:
        lines = source.query_range(expr, end - shown.seconds // step * step, end, step).lines
    except QueryError:
        return {}
    return {
        line.labels.get("cache", ""): [
            (t, value)
            for t, value in zip(line.times.tolist(), line.values.tolist(), strict=True)
            if math.isfinite(value)
        ]
        for line in lines
    }


def _lead(found: Ladder, at: float) -> str:
    first = found.first
    if first is None or first.fell_at is None:
        return "each answers as often as usual"
    name = NAMES.get(first.name, first.name)
    when = f"fell first, {lasting(at - first.fell_at)} ago"
    if first.warm_at is not None:
        when += f", and was warm again after {lasting(first.warm_at - first.fell_at)}"
    if not found.cost:
        return f"{name} {when}"
    return f"{name} {when}; PHP worked {lasting(found.cost)} more for as many requests"


def _line(rung: Rung, at: float) -> Line:
    name, note = NAMES.get(rung.name, rung.name), NOTES.get(rung.name, "")
    fell = "–" if rung.fell_at is None else f"{lasting(at - rung.fell_at)} ago"
    if rung.fell_at is not None and rung.warm_at is not None:
        fell += f", for {lasting(rung.warm_at - rung.fell_at)}"
    share = round(min(1.0, max(0.0, rung.now)), 4)
    return Line(name, note, share, (units.text(rung.now, "ratio"), units.text(rung.usual, "ratio"), fell))
