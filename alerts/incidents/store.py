"""Incidents in the local database: one row each, its alerts, what explains it, and what people noted."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from alerts.incidents.grouping import REOPEN_SECONDS
from alerts.incidents.model import Cause, Change, Incident, Member, Mover, Note
from alerts.notices import fingerprint
from history.database import METADATA

incident_table = Table(
    "incident", METADATA,
    Column("id", Integer, primary_key=True),
    Column("host", String(255), nullable=False),
    Column("site", String(255), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("symptom", Text, nullable=False),
    Column("opened", Float, nullable=False, index=True),  # Unix seconds
    Column("ended", Float, index=True),  # Unix seconds; null while it is open
    Column("changed", Float, nullable=False),  # Unix seconds of the last change of its alerts
    Column("explained", Float, nullable=False),  # Unix seconds; 0: not yet
    Column("explanation", Text, nullable=False),  # JSON of causes, movers, changes and command
    sqlite_autoincrement=True,
)  # fmt: skip
member_table = Table(
    "incident_alert", METADATA,
    Column("incident", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("member", Text, nullable=False),  # JSON
)  # fmt: skip
note_table = Table(
    "incident_note", METADATA,
    Column("id", Integer, primary_key=True),
    Column("incident", Integer, nullable=False, index=True),
    Column("at", Float, nullable=False),  # Unix seconds
    Column("by", String(255), nullable=False),
    Column("text", Text, nullable=False),
)  # fmt: skip
TABLES = (incident_table, member_table, note_table)

NEW_SECONDS, AGAIN_SECONDS = 180.0, 30.0
"""A new incident is explained again so often."""
KEPT_SECONDS = 400 * 86400.0
MOST_NOTE = 4000
"""Characters of a note."""
MOST_ID = 2**31 - 1
"""What PostgreSQL's Integer can be."""


def incidents(connection: Connection, *, open_only: bool = False, limit: int = 50) -> tuple[Incident, ...]:
    """The open ones first, then the newest."""
    query = select(incident_table)
    if open_only:
        query = query.where(incident_table.c.ended.is_(None))
    order = (incident_table.c.ended.is_not(None), incident_table.c.opened.desc(), incident_table.c.id.desc())
    return _read(connection, connection.execute(query.order_by(*order).limit(limit)).all())


def incident(connection: Connection, id: int) -> Incident | None:  # noqa: A002
    if id > MOST_ID:
        return None
    found = _read(connection, connection.execute(select(incident_table).where(incident_table.c.id == id)).all())
    return found[0] if found else None


def current(connection: Connection, now: float) -> tuple[Incident, ...]:
    """What `grouping.step` wants to know: the open ones, and those that may be opened again."""
    lately = incident_table.c.ended.is_(None) | (incident_table.c.ended >= now - REOPEN_SECONDS)
    return _read(
        connection, connection.execute(select(incident_table).where(lately).order_by(incident_table.c.id)).all()
    )


def of_alerts(connection: Connection, keys: Iterable[str], since: float) -> Incident | None:
    """The newest of those that are open, or ended after `since`, with an alert of such a fingerprint."""
    wanted = set(keys)
    lately = incident_table.c.ended.is_(None) | (incident_table.c.ended >= since)
    order = incident_table.c.id.desc()
    for found in _read(connection, connection.execute(select(incident_table).where(lately).order_by(order)).all()):
        if any(fingerprint(member.labels) in wanted for member in found.alerts):
            return found
    return None


def unexplained(connection: Connection, now: float) -> tuple[Incident, ...]:
    """Open ones whose alerts changed since they were explained, and new ones: what is read each minute comes later."""
    column = incident_table.c
    news = (column.opened > now - NEW_SECONDS) & (column.explained <= now - AGAIN_SECONDS)
    here = column.ended.is_(None) & ((column.explained < column.changed) | news)
    return _read(connection, connection.execute(select(incident_table).where(here).order_by(incident_table.c.id)).all())


def save(connection: Connection, before: Sequence[Incident], after: Sequence[Incident], now: float) -> None:
    """What the step made of them: `after` begins with those of `before`, in their order; then come new ones."""
    for old, new in zip(before, after, strict=False):
        if new != old:
            values = _facts(new) | ({"changed": now} if _grew(old, new) else {})  # the symptom is the explanation's
            connection.execute(update(incident_table).where(incident_table.c.id == new.id).values(**values))
        if new.alerts != old.alerts:
            connection.execute(delete(member_table).where(member_table.c.incident == new.id))
            _write_members(connection, new.id, new.alerts)
    for new in after[len(before) :]:
        start = {"symptom": new.symptom, "changed": now, "explained": 0.0, "explanation": "{}"}
        key = connection.execute(insert(incident_table).values(**_facts(new), **start)).inserted_primary_key
        assert key is not None
        _write_members(connection, key[0], new.alerts)
    if len(after) > len(before):
        _let_go(connection, now - KEPT_SECONDS)


def explain(connection: Connection, explained: Incident, now: float) -> None:
    """Keep what was found out of it at that time."""
    found = asdict(explained)
    explanation = json.dumps({name: found[name] for name in ("causes", "movers", "changes", "command")})
    values = {"symptom": explained.symptom, "explained": now, "explanation": explanation}
    connection.execute(update(incident_table).where(incident_table.c.id == explained.id).values(**values))


def add_note(connection: Connection, id: int, by: str, text: str, at: float) -> None:  # noqa: A002
    """KeyError if there is no such incident; ValueError for an empty note, or one that is too long."""
    if not text.strip() or len(text) > MOST_NOTE:
        raise ValueError(f"expected 1 to {MOST_NOTE} characters, found {len(text.strip())}")
    if connection.execute(select(incident_table.c.id).where(incident_table.c.id == id)).first() is None:
        raise KeyError(id)
    connection.execute(insert(note_table).values(incident=id, at=at, by=by, text=text.strip()))


def _grew(old: Incident, new: Incident) -> bool:
    """It is to be explained again."""
    return {str(one.labels) for one in new.alerts} != {str(one.labels) for one in old.alerts} or (
        new.ended is None and old.ended is not None
    )


def _facts(one: Incident) -> dict[str, Any]:
    names = ("host", "site", "severity", "opened", "ended")
    return {name: getattr(one, name) for name in names}


def _write_members(connection: Connection, key: int, members: Iterable[Member]) -> None:
    rows = [
        {"incident": key, "number": number, "member": json.dumps(asdict(member))}
        for number, member in enumerate(members)
    ]
    connection.execute(insert(member_table), rows)


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Incident, ...]:
    keys = [row.id for row in rows]
    members: dict[int, list[Member]] = {}
    here: ColumnElement[bool] = member_table.c.incident.in_(keys)
    order = (member_table.c.incident, member_table.c.number)
    for row in connection.execute(select(member_table).where(here).order_by(*order)) if keys else ():
        members.setdefault(row.incident, []).append(Member(**json.loads(row.member)))
    notes: dict[int, list[Note]] = {}
    query = select(note_table).where(note_table.c.incident.in_(keys)).order_by(note_table.c.id)
    for row in connection.execute(query) if keys else ():
        notes.setdefault(row.incident, []).append(Note(row.at, row.by, row.text))
    return tuple(_incident(row, tuple(members[row.id]), tuple(notes.get(row.id, ()))) for row in rows)


def _incident(row: Row[Any], members: tuple[Member, ...], notes: tuple[Note, ...]) -> Incident:
    found = json.loads(row.explanation)
    causes = (Cause(**{**one, "evidence": tuple(one["evidence"])}) for one in found.get("causes", ()))
    return Incident(
        row.id, row.host, row.site, row.severity, row.symptom, row.opened, row.ended, members, tuple(causes),
        tuple(Mover(**one) for one in found.get("movers", ())),
        tuple(Change(**one) for one in found.get("changes", ())),
        found.get("command", ""), notes,
    )  # fmt: skip


def _let_go(connection: Connection, before: float) -> None:
    old = list(connection.execute(select(incident_table.c.id).where(incident_table.c.ended < before)).scalars())
    if old:
        connection.execute(delete(member_table).where(member_table.c.incident.in_(old)))
        connection.execute(delete(note_table).where(note_table.c.incident.in_(old)))
        connection.execute(delete(incident_table).where(incident_table.c.id.in_(old)))
