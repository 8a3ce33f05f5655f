"""Who did what: logins, what was refused, changes by people. Bounded in number and in time."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Engine, Float, Integer, String, Table, delete, func, insert, or_, select

from history.database import METADATA

KEPT_SECONDS = 90 * 86400.0
MOST = 10_000
MOST_CHARACTERS = 300

audit_table = Table(
    "audit", METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("who", String, nullable=False),
    Column("address", String, nullable=False),
    Column("what", String, nullable=False),
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    at: float  # Unix seconds
    who: str
    address: str
    """Where the request came from; "" for the command line."""
    what: str


class Audit:
    """Every method is one short transaction; any thread, any process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, entry: Entry) -> None:
        what = " ".join(entry.what.split())[:MOST_CHARACTERS]
        row = {"at": entry.at, "who": entry.who[:MOST_CHARACTERS], "address": entry.address, "what": what}
        with self._engine.begin() as connection:
            connection.execute(insert(audit_table).values(**row))
            newest = connection.execute(select(func.max(audit_table.c.id))).scalar_one()
            too_old = or_(audit_table.c.id <= newest - MOST, audit_table.c.at < entry.at - KEPT_SECONDS)
            connection.execute(delete(audit_table).where(too_old))

    def newest(self, most: int) -> Sequence[Entry]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(audit_table).order_by(audit_table.c.id.desc()).limit(most)).all()
        return [Entry(row.at, row.who, row.address, row.what) for row in rows]
