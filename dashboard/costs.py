"""What takes most time over a span: route classes, SQL statements, slow places of PHP; each as a table with shares."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.model import Finding, TargetStatus
from dashboard import trouble, units
from dashboard.host_facts import points
from history.model import Source

MOST_ROWS = 30
ORDERS = ("time", "calls", "mean")
"""What a table can be sorted by; the first is what costs."""
QUERY_LENGTH = 300  # characters


@dataclass(frozen=True)
class Cost:
    name: str
    where: str
    share: float
    """0 to 1, of the time of all of them."""
    time: str
    calls: str
    mean: str
    extra: tuple[str, ...]


@dataclass(frozen=True)
class CostTable:
    anchor: str
    title: str
    lead: str
    head: tuple[str, str, str, str]
    """What name, time, calls and mean are called here; "" for a column that is not there."""
    extra: tuple[str, ...]
    rows: tuple[Cost, ...]
    left_out: int
    missing: str
    """Why there is nothing, and what to do; "" where there is something."""


@dataclass(frozen=True)
class Span:
    """Which time is added up."""

    at: float  # Unix seconds
    seconds: float

    def total(self, series: str, by: str) -> str:
        return f"sum by ({by}) (increase({series}[{max(60, round(self.seconds))}s]))"


@dataclass(frozen=True)
class Watched:
    """What is read, to say why something is not."""

    targets: Sequence[TargetStatus]
    findings: Sequence[Finding]

    def why(self, job: str, collector: str, part: str) -> str:
        """What stands in the way of reading it; "" if nothing does."""
        mine = [status for status in self.targets if status.target.job == job]
        for status in mine:
            for each in status.parts:
                if each.part == part and each.outcome not in (*trouble.FINE, "waiting"):
                    said = trouble.WORDS.get(each.outcome, trouble.WORDS["failed"])
                    return f"{trouble.name(status)} {said}: {each.error}" if each.error else f"{status.slug} {said}."
        found = next((each for each in self.findings if each.collector == collector), None)
        return f"{found.found}: {found.reason}" if found and not mine else ""

    def reads(self, job: str) -> bool:
        return any(status.target.job == job for status in self.targets)


Key = tuple[str, ...]
Values = Mapping[Key, float]


def routes(source: Source, span: Span, watched: Watched, by: str, site: str | None = None) -> CostTable:
    only = "" if site is None else f"site={quoted(site)}"
    labels = ("class", "site")

    def ask(series: str, more: str = "") -> Values:
        matchers = ",".join(filter(None, (only, more)))
        return quantities(source, span, f"web_class_duration_seconds_{series}{{{matchers}}}", labels)

    seconds, calls, quick = ask("sum"), ask("count"), ask("bucket", 'le=~"2|2.0"')
    extra = {key: (_share(1 - quick[key] / calls[key]) if calls.get(key) and key in quick else "–",) for key in calls}
    rows = costs(seconds, calls, extra, by)
    missing = "" if rows else _no_routes(watched)
    return CostTable(
        "routes", "Routes", "classes of Drupal's routes, by the access log", ("Route", "time", "requests", "each"),
        ("over 2 s",), rows[:MOST_ROWS], len(rows[MOST_ROWS:]), missing,
    )  # fmt: skip


def _no_routes(watched: Watched) -> str:
    if why := watched.why("web", "weblog", "requests"):
        return why
    if not watched.reads("web"):
        return "No access log is read. Raingauge finds those that nginx and Apache name in their configuration."
    return (
        "The access log has no times, or nobody asked for anything. nginx writes them where log_format has"
        " $request_time, Apache where LogFormat has %D."
    )


def statements(source: Source, span: Span, watched: Watched, by: str) -> CostTable:
    labels = ("query", "schema", "digest")
    seconds, calls, examined, unindexed = (
        quantities(source, span, f"sql_digest_{name}_total", labels)
        for name in ("seconds", "calls", "rows_examined", "no_index")
    )
    extra = {
        key: (units.text(examined.get(key, 0) / count, "count"), _share(unindexed.get(key, 0) / count))
        for key, count in calls.items()
        if count
    }
    rows = costs(seconds, calls, extra, by)
    return CostTable(
        "sql", "SQL", "statements without their values", ("Statement", "time", "calls", "each"),
        ("rows read each", "without index"), rows[:MOST_ROWS], len(rows[MOST_ROWS:]),
        "" if rows else _no_statements(watched),
    )  # fmt: skip


def _no_statements(watched: Watched) -> str:
    if why := watched.why("mysql", "mysql", "digests"):
        return why
    if not watched.reads("mysql"):
        return "No MySQL or MariaDB is read."
    return "The server counts no statements: performance_schema = ON in its configuration, and a restart, change that."


def places(source: Source, span: Span, watched: Watched, _by_what: str) -> CostTable:
    """The log says how often a request was too slow, not how slow: the count is what costs."""
    counted = quantities(source, span, "php_slow_requests_total", ("frame", "script", "pool"))
    times: Values = {(frame, f"{script}, pool {pool}"): count for (frame, script, pool), count in counted.items()}
    rows = costs(times, times, {}, "calls")
    missing = "" if rows else watched.why("phpfpm", "phpfpm", "slowlog")
    if not rows and not missing:
        missing = (
            "No request was slower than its pool's limit, or no pool writes a slow log. In the pool's file,"
            " request_slowlog_timeout = 5s and slowlog = /var/log/php-fpm-slow.log start one."
            if watched.reads("phpfpm")
            else "No PHP-FPM is read."
        )
    return CostTable(
        "php", "PHP", "where slow requests were at that moment", ("Function", "", "slow requests", ""), (),
        rows[:MOST_ROWS], len(rows[MOST_ROWS:]), missing,
    )  # fmt: skip


def costs(seconds: Values, calls: Values, extra: Mapping[Key, tuple[str, ...]], by: str) -> tuple[Cost, ...]:
    """Of what was called at all, the highest of `by` first. Name and place are the key's first two."""
    whole = sum(seconds.values()) or 1.0
    found = [key for key, count in calls.items() if count > 0 and key in seconds]
    found.sort(key=lambda key: (-_height(by, seconds[key], calls[key]), key))
    width = max((len(each) for each in extra.values()), default=0)
    return tuple(
        Cost(
            name=key[0] if len(key[0]) <= QUERY_LENGTH else f"{key[0][: QUERY_LENGTH - 1]}…",
            where=key[1],
            share=float(f"{seconds[key] / whole:.3g}"),
            time=units.text(seconds[key], "seconds"),
            calls=units.text(float(round(calls[key])), "count"),
            mean=units.text(seconds[key] / calls[key], "seconds"),
            extra=extra.get(key, ("–",) * width),
        )
        for key in found
    )


def _height(by: str, seconds: float, calls: float) -> float:
    return {"calls": calls, "mean": seconds / calls}.get(by, seconds)


def quantities(source: Source, span: Span, series: str, labels: Key) -> Values:
    """What a counter grew by over the span, by labels; only what is above 0."""
    found = points(source, span.total(series, ", ".join(labels)), span.at)
    return {
        tuple(point.labels.get(label, "") for label in labels): point.value
        for point in found
        if math.isfinite(point.value) and point.value > 0
    }


def _share(value: float) -> str:
    return units.text(min(1.0, max(0.0, value)), "ratio")


def quoted(text: str) -> str:
    """As a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
