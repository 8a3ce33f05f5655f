"""Errors of a site by their message: since when, how often, and the last deploy before the first of them."""

from collections.abc import Iterable, Sequence

from collectors.model import Event
from dashboard import units
from dashboard.moments import span
from dashboard.site_tables import Line, Table, table

SECONDS = 7 * 86400
OF_DRUPAL, OF_PHP = "drupal.error", "php.error"
DEPLOYS = ("deploy", "drupal.deploy")


def new_errors(events: Iterable[Event], site: str, at: float) -> Table:
    """`events`: those of SECONDS until `at`, of any kind and site; what names no site is of all."""
    mine = [event for event in events if event.site in ("", site)]
    deploys = [event for event in mine if event.kind in DEPLOYS]
    groups: dict[str, list[Event]] = {}
    for event in mine:
        if event.kind in (OF_DRUPAL, OF_PHP):
            groups.setdefault(_message(event), []).append(event)
    found = [sorted(those, key=lambda event: event.last) for those in groups.values()]
    found.sort(key=lambda those: (-those[-1].last, those[-1].title))
    lines = [_line(those, deploys, at) for those in found]
    head = ("Message", "times", "first", "last", "last deploy before")
    return table(
        "new-errors", "Errors by message", "last 7 days, as events tell them", head, lines,
        "No error was told in the last 7 days.",
    )  # fmt: skip


def _message(event: Event) -> str:
    """Drupal's without what is filled in; PHP's are told without it."""
    return event.dedup_key if event.kind == OF_DRUPAL else event.title


def _line(those: Sequence[Event], deploys: Iterable[Event], at: float) -> Line:
    """`those`: the newest last. Of PHP only the first of a message is an event: how often it came is not known."""
    newest, first = those[-1], min(event.first for event in those)
    before = max((event.last for event in deploys if event.last <= first), default=None)
    deploy = f"{span(first - before)} earlier" if before is not None else "none in 7 days"
    if newest.kind == OF_PHP:
        return Line(
            newest.title, "any site of this host" * (not newest.site), None, ("–", _ago(first, at), "–", deploy)
        )
    times = units.text(float(sum(event.count for event in those)), "count")
    return Line(newest.title, "", None, (times, _ago(first, at), _ago(newest.last, at), deploy))


def _ago(moment: float, at: float) -> str:
    return f"{span(max(0.0, at - moment))} ago"
