"""What logs said of an incident's place, from the events that collectors make of lines. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from alerts.incidents.gather import is_here
from alerts.incidents.model import Incident
from collectors.model import Event

KINDS = ("drupal.error", "drupal.queue_item", "php.error", "security.", "web.not_found")
"""What kinds begin with that tell of lines. Their collectors mask sessions, queries, accounts and addresses."""
SHOWN = ("request", "status", "path", "place")
"""Of a record, in this order; who it was is for the event's own page."""
MOST = 5


def evidence(incident: Incident, events: Iterable[Event]) -> tuple[str, ...]:
    """Lines of at most MOST of them, the newest first. `events`: the newest first."""
    found = [
        event
        for event in events
        if event.kind.startswith(KINDS) and is_here(incident, {"host": event.host, "site": event.site})
    ]
    return tuple(_line(event) for event in found[:MOST])


def _line(event: Event) -> str:
    """`22:13:20 UTC php: Error: ... (path /node/1; 12 times)`."""
    record = event.evidence[-1] if event.evidence else {}
    said = [f"{name} {record[name]}" for name in SHOWN if record.get(name) and record[name] not in event.title]
    said += [f"{event.count} times"] if event.count > 1 else []
    more = f" ({'; '.join(said)})" if said else ""
    return f"{datetime.fromtimestamp(event.last, UTC):%H:%M:%S} UTC {event.title}{more}"
