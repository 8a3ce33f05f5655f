"""Events above info wait for somebody: they are open until a person closes them, or nothing came for a long time."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from collectors.model import Event
from history.changes import next_change
from history.events import event_of, event_table

DAY = 86400.0
QUIET_SECONDS = {"critical": 7 * DAY, "warning": DAY}
"""Severity -> how long after its last occurrence an event that nobody closes is closed."""
OWN = "alert"
"""Kind of the events that alerts make when they begin and end."""
MOST_NOTE = 500

column = event_table.c
OPEN: tuple[ColumnElement[bool], ...] = (
    column.state == "open", column.severity.in_(list(QUIET_SECONDS)), column.kind != OWN,
)  # fmt: skip


def open_events(connection: Connection) -> list[Event]:
    """The newest first."""
    query = select(event_table).where(*OPEN).order_by(column.last.desc(), column.number.desc())
    return [event_of(row) for row in connection.execute(query)]


def mark(connection: Connection) -> tuple[object, ...]:
    """Another one whenever an event comes, goes, or counts another occurrence."""
    counts = func.count(), func.max(column.number), func.max(column.last), func.sum(column["count"])
    by = select(column.severity, *counts).where(*OPEN).group_by(column.severity).order_by(column.severity)
    return tuple(tuple(row) for row in connection.execute(by))


def close(connection: Connection, event_id: str, at: float, who: str, note: str) -> int:
    """With those of its kind and dedup key, which are about the same; how many were open. `at`: Unix seconds."""
    same = column.id == event_id
    found = connection.execute(select(column.kind, column.dedup_key, column.origin).where(same)).first()
    if found is not None and found.dedup_key:
        alike = (column.kind == found.kind) & (column.dedup_key == found.dedup_key)
        same = same | (alike & (column.origin == found.origin))
    rows = connection.execute(select(event_table).where(*OPEN, same)).all()
    for row in rows:
        _close(connection, row, at, who, note)
    return len(rows)


def close_quiet(connection: Connection, now: float) -> None:
    for severity, quiet in QUIET_SECONDS.items():
        rows = select(event_table).where(*OPEN, column.severity == severity, column.last < now - quiet)
        for row in connection.execute(rows).all():
            _close(connection, row, now, "raingauge", f"nothing came for {quiet / DAY:g} d")


def _close(connection: Connection, row: Row[tuple[object, ...]], at: float, who: str, note: str) -> None:
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    evidence = [*event_of(row).evidence, _record(when, who, note)]
    text = json.dumps([dict(each) for each in evidence], ensure_ascii=False)
    values = {"state": "closed", "evidence": text, "changed": next_change(connection)}
    connection.execute(update(event_table).where(column.number == row.number).values(values))


def _record(when: str, who: str, note: str) -> Mapping[str, str]:
    words = {"closed": when, "by": who, "note": note[:MOST_NOTE]}
    printable = {name: "".join(each if each.isprintable() else " " for each in text) for name, text in words.items()}
    return {name: text.strip() for name, text in printable.items() if text.strip()}
