"""What happened around an event, and events as tables for other programs. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from collectors.model import Event

BEFORE, AFTER = 1800.0, 1800.0  # seconds
COLUMNS = ("first", "last", "severity", "kind", "host", "site", "count", "title", "state", "source", "id", "evidence")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these a cell begins that a spreadsheet would carry out."""


def around(events: Iterable[Event], event: Event, before: float = BEFORE, after: float = AFTER) -> Sequence[Event]:
    """Those of the same host or site near it and itself, in the order in which they began."""
    start, end = event.first - before, event.last + after
    near = [each for each in events if each.first <= end and each.last >= start and _belongs(each, event)]
    whole = {each.id: each for each in (*near, event)}
    return sorted(whole.values(), key=lambda each: (each.first, each.last, each.id))


def _belongs(each: Event, event: Event) -> bool:
    """The host's own events belong to each of its sites, and the other way round; two sites do not."""
    if each.host and event.host and each.host != event.host:
        return bool(each.site) and each.site == event.site
    return not each.site or not event.site or each.site == event.site


def as_json(events: Iterable[Event]) -> str:
    """A list; times in Unix seconds."""
    return json.dumps([asdict(event) for event in events], ensure_ascii=False, indent=1, default=dict)


def as_csv(events: Iterable[Event]) -> str:
    """A line for each, evidence as JSON in its cell; no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for event in events:
        values = {**asdict(event), "evidence": json.dumps([dict(each) for each in event.evidence], ensure_ascii=False)}
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return out.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
