"""Events: the dated facts beside the samples, always in the local database."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Engine, Float, Integer, Row, Select, String, Table, Text, insert, or_, select

from collectors.model import Event
from history.database import METADATA

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
    sqlite_autoincrement=True,
)  # fmt: skip

COLUMNS = ("id", "kind", "severity", "host", "site", "first", "last", "count", "title", "dedup_key", "state", "source")


_record = insert(event_table).prefix_with("OR IGNORE", dialect="sqlite")


class Events:
    """Any thread, any process; every method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        METADATA.create_all(engine, tables=[event_table])

    def record(self, event: Event) -> None:
        """Idempotent by the event's id: the first one stays."""
        with self._engine.begin() as connection:
            connection.execute(_record, _values(event))

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

    def events_after(self, number: int, limit: int = 1000) -> list[tuple[int, Event]]:
        """The next events in the order they came, each with its number; 0 begins at the first."""
        column = event_table.c
        return self._read(select(event_table).where(column.number > number).order_by(column.number).limit(limit))

    def _read(self, query: Select[Any]) -> list[tuple[int, Event]]:
        with self._engine.connect() as connection:
            return [(row.number, _event(row)) for row in connection.execute(query).all()]


def _values(event: Event) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in COLUMNS}
    return {**values, "evidence": json.dumps([dict(record) for record in event.evidence], ensure_ascii=False)}


def _event(row: Row[Any]) -> Event:
    values = dict(row._mapping)
    evidence: tuple[Mapping[str, str], ...] = tuple(json.loads(values["evidence"]))
    return Event(**{name: values[name] for name in COLUMNS}, evidence=evidence)
