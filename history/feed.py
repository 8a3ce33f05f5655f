"""This host's events for another Raingauge, in the order they came and changed; and taking those of another host.

A copy is kept under (host, id). Who closes it here closes the copy; when it occurs again there, it is open again here.
"""

import re
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import Column, Connection, Engine, Row, String, Table, Text, delete, insert, select, update

from collectors.model import Event
from history.changes import newest, next_change
from history.database import METADATA, make_tables
from history.events import event_of, event_table, insert_in, values_of
from history.open_events import OWN

AT_ONCE = 200
CURSOR = re.compile(r"([0-9a-f]{1,32})\.([0-9]{1,18})")
MOST_ID = 200

pulled_table = Table(
    "pulled", METADATA,
    Column("agent", String(500), primary_key=True),  # its address
    Column("cursor", Text, nullable=False),
)  # fmt: skip
column = event_table.c


@dataclass(frozen=True)
class Feed:
    host: str
    events: tuple[Event, ...]
    next: str
    """What the next question begins after."""
    more: bool
    """Some are left."""


def after(engine: Engine, host: str, cursor: str) -> Feed:
    """The next events of this host that came or changed; "" begins at the first. ValueError for what is no cursor.

    So does the cursor of another database, or of a later state of this one: one was lost, or an older copy restored.
    What alerts say of themselves is left out: whoever has the series evaluates the rules.
    """
    found = CURSOR.fullmatch(cursor)
    if cursor and not found:
        raise ValueError("after: expected what an earlier answer has as `next`, or nothing")
    with engine.connect() as connection:
        era, last = newest(connection)
        known = int(found[2]) if found and found[1] == era and int(found[2]) <= last else 0
        own = (column.origin == "", column.kind != OWN, column.changed > known)
        query = select(event_table).where(*own).order_by(column.changed, column.number).limit(AT_ONCE)
        rows = connection.execute(query).all()
    more = len(rows) == AT_ONCE
    upto = rows[-1].changed if more else last
    return Feed(host, tuple(event_of(row) for row in rows), f"{era}.{upto}" if era else "", more)


class Pulled:
    """What was taken from others. Any thread; every method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        make_tables(engine, [pulled_table])

    def cursor(self, agent: str) -> str:
        with self._engine.connect() as connection:
            found = select(pulled_table.c.cursor).where(pulled_table.c.agent == agent)
            return str(connection.execute(found).scalar() or "")

    def take(self, agent: str, feed: Feed) -> None:
        """Its events and where it goes on: both or none."""
        with self._engine.begin() as connection:
            for event in feed.events:
                _take(connection, feed.host, event)
            connection.execute(delete(pulled_table).where(pulled_table.c.agent == agent))
            connection.execute(insert(pulled_table).values(agent=agent, cursor=feed.next))


def _take(connection: Connection, host: str, event: Event) -> None:
    copy = replace(event, id=copied_id(host, event.id), host=host)
    row = connection.execute(select(event_table).where(column.id == copy.id)).first()
    if row is None:
        insert_in(connection, copy, host)
    elif _is_news(row, copy):
        values = {**values_of(copy), "changed": next_change(connection)}
        connection.execute(update(event_table).where(column.number == row.number).values(values))


def _is_news(row: Row[Any], copy: Event) -> bool:
    """It occurred again, or was closed there; anything else would undo what was done with it here."""
    again = copy.count > row._mapping["count"] or copy.last > row.last
    return again or (copy.state == "closed" and row.state == "open")


def copied_id(host: str, event_id: str) -> str:
    name = f"{host}:{event_id}"
    if len(name) <= MOST_ID:
        return name
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{name[: MOST_ID - 33]}:{digest}"
