"""Errors of a site by their message: since when, how often, and the last deploy before the first of them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from collectors.model import Event
from dashboard import units
from dashboard.host_facts import points
from dashboard.moments import span
from dashboard.same_seconds import used
from dashboard.site_tables import Line, Table, table
from history.model import Source

SECONDS = 7 * 86400
OF_DRUPAL = "drupal.error"
DEPLOYS = ("deploy", "drupal.deploy")
OF_PHP = ("max", "total"), ("min", "first_timestamp_seconds"), ("max", "last_timestamp_seconds")
"""Pools that share a log all count what is in it: the most of one is what is known."""
OF_POOL, OF_HOST = "in the log of its PHP pool", "any site of this host"


def new_errors(events: Iterable[Event], source: Source, site: str, at: float) -> Table:
    """`events`: those of Drupal's errors of SECONDS until `at` and all deploys, of any site; without one: of all."""
    mine = [event for event in events if event.site in ("", site)]
    deploys = [event.last for event in mine if event.kind in DEPLOYS]
    found = [*_of_drupal(event for event in mine if event.kind == OF_DRUPAL), *_of_php(source, site, at)]
    found.sort(key=lambda each: (-each.last, each.title))
    lines = [_line(each, deploys, at) for each in found]
    head = ("Message", "times", "first", "last", "last deploy before")
    return table(
        "new-errors", "Errors by message", "of the last 7 days; of PHP's log since it is read", head, lines,
        "No error message was recorded in the last 7 days.",
    )  # fmt: skip


class Errors(NamedTuple):
    title: str
    note: str
    times: float
    first: float  # Unix seconds
    last: float  # Unix seconds


def _of_drupal(events: Iterable[Event]) -> Iterable[Errors]:
    """Those that differ only in what is filled in are one."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.dedup_key, []).append(event)
    for those in groups.values():
        newest = max(those, key=lambda event: event.last)
        first, times = min(event.first for event in those), sum(event.count for event in those)
        yield Errors(newest.title, "", times, first, newest.last)


def _of_php(source: Source, site: str, at: float) -> Iterable[Errors]:
    """What came in SECONDS; a message whose log says no times is left out."""
    pools = used(site, "phpfpm")
    known = bool(points(source, pools, at))
    where = f" * on (host, instance) group_left () {pools}" if known else ""
    times, first, last = (
        {
            (point.labels.get("level", ""), point.labels.get("message", "")): point.value
            for point in points(source, f"{most} by (level, message) (php_error_message_{end}{where})", at)
        }
        for most, end in OF_PHP
    )
    for key in times.keys() & first.keys() & last.keys():
        if last[key] >= at - SECONDS:
            title, note = f"PHP {key[0]}: {key[1]}", OF_POOL if known else OF_HOST
            yield Errors(title, note, times[key], first[key], last[key])


def _line(found: Errors, deploys: Sequence[float], at: float) -> Line:
    before = max((moment for moment in deploys if moment <= found.first), default=None)
    deploy = f"{span(found.first - before)} earlier" if before is not None else "none is known"
    times = units.text(found.times, "count")
    return Line(found.title, found.note, None, (times, _ago(found.first, at), _ago(found.last, at), deploy))


def _ago(moment: float, at: float) -> str:
    return f"{span(max(0.0, at - moment))} ago"
