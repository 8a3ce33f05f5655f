"""Errors of a site by their message: since when, how often, and the last deploy before the first of them."""

from collections.abc import Iterable, Sequence

from collectors.model import Event
from dashboard import units
from dashboard.moments import span
from dashboard.site_tables import Line, Table, table

SECONDS = 7 * 86400
ERRORS = ("drupal.error", "php.error")
DEPLOYS = ("deploy", "drupal.deploy")


def new_errors(events: Iterable[Event], site: str, at: float) -> Table:
    """`events`: those of SECONDS until `at`, of any kind and site; what names no site is of all."""
    mine = [event for event in events if event.site in ("", site)]
    deploys = [event for event in mine if event.kind in DEPLOYS]
    groups: dict[str, list[Event]] = {}
    for event in mine:
        if event.kind in ERRORS:
            groups.setdefault(event.title, []).append(event)
    found = sorted(groups.items(), key=lambda each: (-max(event.last for event in each[1]), each[0]))
    lines = [_line(title, those, deploys, at) for title, those in found]
    return table("new-errors", "Errors by message", "last 7 days, as events tell them", (
        "Message", "times", "first", "last", "last deploy before",
    ), lines, "No error was told in the last 7 days.")  # fmt: skip


def _line(title: str, those: Sequence[Event], deploys: Iterable[Event], at: float) -> Line:
    first, last = min(event.first for event in those), max(event.last for event in those)
    before = max((event.last for event in deploys if event.last <= first), default=None)
    deploy = f"{span(first - before)} earlier" if before is not None else "–"
    times = units.text(float(sum(event.count for event in those)), "count")
    ago = (f"{span(max(0.0, at - moment))} ago" for moment in (first, last))
    return Line(title, "", None, (times, *ago, deploy))
