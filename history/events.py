"""Events: the dated facts beside the samples, always in the local database.

A flood stays small and loses nothing: from the sixth event of a dedup key within an hour on, the newest of them counts
the further ones; from the thousandth of a kind, one event counts them, whatever their keys are.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)  # fmt: skip
from sqlalchemy.exc import IntegrityError

from collectors.model import Event, Severity
from history.changes import changes_table, next_change
from history.database import METADATA, make_tables
from history.pseudonyms import forgotten

event_table = Table(
    "event", METADATA,
    Column("number", Integer, primary_key=True),  # in the order they came
    Column("id", String(200), nullable=False, unique=True),
    Column("kind", String(100), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("host", String(255), nullable=False),
    Column("site", String(255), nullable=False),
    Column("first", Float, nullable=False),  # Unix seconds
    Column("last", Float, nullable=False, index=True),  # Unix seconds
    Column("count", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON
    Column("dedup_key", String(255), nullable=False),
    Column("state", String(10), nullable=False),
    Column("source", String(255), nullable=False),
    Column("folded", Text, nullable=False, default="", server_default=""),  # hashes of the newest ids counted here
    Column("origin", String(255), nullable=False, default="", server_default=""),  # host it was copied from; "": ours
    Column("changed", Integer, nullable=False, default=0, server_default="0"),  # as history/changes.py counts
    Index("event_key", "kind", "dedup_key", "last"),
    Index("event_kind", "kind", "last"),
    Index("event_open", "state", "severity", "kind"),
    Index("event_changed", "changed"),
    sqlite_autoincrement=True,
)  # fmt: skip

COLUMNS = ("id", "kind", "severity", "host", "site", "first", "last", "count", "title", "dedup_key", "state", "source")

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
FLOOD_SECONDS = 3600.0
ALONE = 5
"""Events of one dedup key that stand alone within that time."""
MOST_OF_A_KIND = 1000
"""Events of one kind within that time."""
EVIDENCE = 10
"""Records that a folded event keeps: the first half and the last."""
REPLAYED = 64
"""Events that are known again when they are recorded twice after they were folded."""
MOST_ROWS = 200_000
AT_ONCE = 1000
"""Rows that go in one transaction."""


class Events:
    """Any thread, any process; every method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        make_tables(engine, [event_table, changes_table])

    def record(self, *events: Event) -> None:
        """Idempotent by each event's id: the first one stays."""
        for at in range(0, len(events), AT_ONCE):
            self._record(events[at : at + AT_ONCE])

    def _record(self, events: Sequence[Event]) -> None:
        try:
            with self._engine.begin() as connection:
                for event in events:
                    self.record_in(connection, event)
        except IntegrityError:  # another process was faster with the same event
            for event in events if len(events) > 1 else ():
                self._record([event])

    @staticmethod
    def record_in(connection: Connection, event: Event) -> None:
        """As a part of another transaction. IntegrityError when another process was faster: try all of it again."""
        if _known(connection, event):
            return
        into = _fold_into(connection, event)
        if into is None:
            insert_in(connection, event)
        else:
            here = event_table.c.number == into.number
            values = {**_folded(into, event), "changed": next_change(connection)}
            connection.execute(update(event_table).where(here).values(values))

    def expire(self, before: float) -> int:
        """Some of what ended before that time (Unix seconds) goes, and the oldest of too many; how many went."""
        column = event_table.c
        with self._engine.begin() as connection:
            count = connection.execute(select(func.count()).select_from(event_table)).scalar_one()
            old = select(column.number).where(column.last < before).order_by(column.last).limit(AT_ONCE)
            many = select(column.number).order_by(column.last).limit(min(AT_ONCE, max(0, count - MOST_ROWS)))
            numbers = {*connection.execute(old).scalars(), *connection.execute(many).scalars()}
            if numbers:
                connection.execute(delete(event_table).where(column.number.in_(numbers)))
        return len(numbers)

    def forget(self, after: float, before: float) -> float:
        """Addresses and accounts go from some of what ended in after..before (Unix seconds); how far that came."""
        column = event_table.c
        with self._engine.begin() as connection:
            query = select(event_table).where(column.last >= after, column.last < before)
            rows = connection.execute(query.order_by(column.last).limit(AT_ONCE)).all()
            for row in rows:
                event = event_of(row)
                if (less := forgotten(event)) != event:
                    values = {name: values_of(less)[name] for name in ("title", "evidence", "dedup_key")}
                    connection.execute(update(event_table).where(column.number == row.number).values(values))
        return before if len(rows) < AT_ONCE else max(math.nextafter(after, before), rows[-1].last)

    def events(
        self,
        start: float,
        end: float,
        *,
        kind: str | None = None,
        severity: str | None = None,
        host: str | None = None,
        site: str | None = None,
        text: str | None = None,
    ) -> list[Event]:
        """Those that touch start..end (Unix seconds), newest first. `text` is looked for in title and evidence."""
        column = event_table.c
        query = select(event_table).where(column.last >= start, column.first <= end)
        exact = {"kind": kind, "severity": severity, "host": host, "site": site}
        query = query.filter_by(**{name: value for name, value in exact.items() if value is not None})
        if text:
            found = (column[name].contains(text, autoescape=True) for name in ("title", "evidence"))
            query = query.where(or_(*found))
        return [event for _, event in self._read(query.order_by(column.last.desc(), column.number.desc()))]

    def newest(self) -> int:
        """The number of the last one; 0: there is none."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(event_table.c.number))).scalar() or 0

    def events_after(self, number: int, limit: int = 1000) -> list[tuple[int, Event]]:
        """The next events of this host in the order they came, each with its number; 0 begins at the first.

        What is folded into an event later does not make it come again.
        """
        column = event_table.c
        own = select(event_table).where(column.number > number, column.origin == "")
        return self._read(own.order_by(column.number).limit(limit))

    def _read(self, query: Select[Any]) -> list[tuple[int, Event]]:
        with self._engine.connect() as connection:
            return [(row.number, event_of(row)) for row in connection.execute(query).all()]


def insert_in(connection: Connection, event: Event, origin: str = "") -> None:
    values = {**values_of(event), "origin": origin, "changed": next_change(connection)}
    connection.execute(insert(event_table), values)


def _known(connection: Connection, event: Event) -> bool:
    column = event_table.c
    if connection.execute(select(column.number).where(column.id == event.id)).first() is not None:
        return True
    mine = column.folded.contains(_hash(event.id))
    keys = column.dedup_key.in_([event.dedup_key, _overflow(event)])
    recent = column.last >= event.last - 2 * FLOOD_SECONDS
    query = select(column.number).where(column.kind == event.kind, keys, recent, column.folded != "", mine)
    return connection.execute(query).first() is not None


def _fold_into(connection: Connection, event: Event) -> Row[Any] | None:
    """The row that counts the event; None: it stands alone."""
    column = event_table.c
    recent = (column.origin == "", column.kind == event.kind, column.last >= event.last - FLOOD_SECONDS)
    newest = column.last.desc(), column.number.desc()
    if event.dedup_key:
        same = select(event_table).where(*recent, column.dedup_key == event.dedup_key).order_by(*newest).limit(ALONE)
        rows = connection.execute(same).all()
        if len(rows) == ALONE:
            return rows[0]
    some = select(column.number).where(*recent).limit(MOST_OF_A_KIND).subquery()
    if connection.execute(select(func.count()).select_from(some)).scalar_one() < MOST_OF_A_KIND:
        return None
    key = _overflow(event)
    query = select(event_table).where(*recent, column.dedup_key == key).order_by(*newest).limit(1)
    row = connection.execute(query).first()
    if row is None:
        more = replace(
            event, id=f"{key}:{event.id}"[:200], title=f"Many more events of the kind {event.kind}", count=0,
            evidence=(), dedup_key=key,
        )  # fmt: skip
        insert_in(connection, more)
        row = connection.execute(query).one()
    return row


def _overflow(event: Event) -> str:
    return f"{event.kind}: more"[:255]


def _folded(row: Row[Any], event: Event) -> dict[str, Any]:
    """What the row becomes when it counts the event too."""
    evidence = [*json.loads(row.evidence), *(dict(record) for record in event.evidence)]
    if row.dedup_key != event.dedup_key:  # of many keys: which ones
        evidence.append({"dedup_key": event.dedup_key, "title": event.title})
    if len(evidence) > EVIDENCE:
        evidence = [*evidence[: EVIDENCE // 2], *evidence[-(EVIDENCE - EVIDENCE // 2) :]]
    ids = [*row.folded.split(), _hash(event.id)][-REPLAYED:]
    worse = SEVERITIES.index(event.severity) < SEVERITIES.index(row.severity)
    return {
        "severity": event.severity if worse else row.severity,
        "title": event.title if worse else row.title,
        "state": "open" if event.state == "open" else row.state,
        "first": min(row.first, event.first),
        "last": max(row.last, event.last),
        "count": row._mapping["count"] + event.count,
        "evidence": json.dumps(evidence, ensure_ascii=False),
        "folded": " ".join(ids),
    }


def _hash(event_id: str) -> str:
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def values_of(event: Event) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in COLUMNS}
    return {**values, "evidence": json.dumps([dict(record) for record in event.evidence], ensure_ascii=False)}


def event_of(row: Row[Any]) -> Event:
    values = dict(row._mapping)
    evidence: tuple[Mapping[str, str], ...] = tuple(json.loads(values["evidence"]))
    return Event(**{name: values[name] for name in COLUMNS}, evidence=evidence)
