"""What the path must not forget, and why it did what it did, in the local database."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, Connection, Float, Integer, String, Table, delete, func, insert, select

from alerts.model import Alert
from alerts.path.flow import Address, Flap, Heard, Memory
from history.database import METADATA

group_table = Table(
    "alert_group", METADATA,
    Column("receiver", String, primary_key=True),
    Column("group_key", String, primary_key=True),
    Column("memory", String, nullable=False),
)  # fmt: skip
flap_table = Table(
    "alert_flap", METADATA,
    Column("fingerprint", String, primary_key=True),
    Column("flap", String, nullable=False),
)  # fmt: skip
decision_table = Table(
    "alert_decision", METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("receiver", String, nullable=False),
    Column("group_key", String, nullable=False),
    Column("fingerprints", String, nullable=False),
    Column("decision", String, nullable=False),
    Column("reason", String, nullable=False),
    sqlite_autoincrement=True,
)  # fmt: skip

DECISIONS = 20_000
DECISION_SECONDS = 30 * 86400.0


@dataclass(frozen=True)
class Decision:
    at: float  # Unix seconds
    receiver: str
    group_key: str
    fingerprints: tuple[str, ...]
    decision: str
    """told or held."""
    reason: str


def memories(connection: Connection) -> dict[Address, Memory]:
    return {
        Address(row.receiver, row.group_key): _memory(json.loads(row.memory))
        for row in connection.execute(select(group_table))
    }


def save_memories(
    connection: Connection, before: Mapping[Address, Memory], after: Mapping[Address, Memory | None]
) -> None:
    """Those of `after` that are others now; None is forgotten."""
    for address, memory in after.items():
        if memory == before.get(address):
            continue
        here = (group_table.c.receiver == address.receiver, group_table.c.group_key == address.group_key)
        connection.execute(delete(group_table).where(*here))
        if memory is not None:
            row = {"receiver": address.receiver, "group_key": address.group_key, "memory": json.dumps(asdict(memory))}
            connection.execute(insert(group_table).values(**row))


def flaps(connection: Connection) -> dict[str, Flap]:
    return {row.fingerprint: _flap(json.loads(row.flap)) for row in connection.execute(select(flap_table))}


def save_flaps(connection: Connection, before: Mapping[str, Flap], after: Mapping[str, Flap]) -> None:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) == after.get(key):
            continue
        connection.execute(delete(flap_table).where(flap_table.c.fingerprint == key))
        if key in after:
            connection.execute(insert(flap_table).values(fingerprint=key, flap=json.dumps(asdict(after[key]))))


def record(connection: Connection, decisions: Iterable[Decision], now: float) -> None:
    rows = [{**asdict(each), "fingerprints": " ".join(each.fingerprints)} for each in decisions]
    if not rows:
        return
    connection.execute(insert(decision_table), rows)
    newest = connection.execute(select(func.max(decision_table.c.id))).scalar_one()
    old = (decision_table.c.id <= newest - DECISIONS) | (decision_table.c.at < now - DECISION_SECONDS)
    connection.execute(delete(decision_table).where(old))


def decisions(connection: Connection, fingerprint: str, limit: int = 50) -> list[Decision]:
    """What was decided on one alert, newest first."""
    mine = decision_table.c.fingerprints.contains(fingerprint, autoescape=True)
    query = select(decision_table).where(mine).order_by(decision_table.c.id.desc()).limit(limit)
    return [
        Decision(row.at, row.receiver, row.group_key, tuple(row.fingerprints.split()), row.decision, row.reason)
        for row in connection.execute(query)
    ]


def told_since(connection: Connection, at: float, until: float) -> dict[str, int]:
    """Messages by receiver."""
    told = (decision_table.c.decision == "told", decision_table.c.at > at, decision_table.c.at <= until)
    query = select(decision_table.c.receiver, func.count()).where(*told).group_by(decision_table.c.receiver)
    return {row[0]: row[1] for row in connection.execute(query)}


def _memory(fields: dict[str, Any]) -> Memory:
    heard = {
        key: Heard(**{**one, "ended": Alert(**one["ended"]) if one["ended"] else None})
        for key, one in fields["heard"].items()
    }
    return Memory(**{**fields, "heard": heard, "members": tuple(fields["members"])})


def _flap(fields: dict[str, Any]) -> Flap:
    alert = Alert(**fields["alert"]) if fields["alert"] else None
    return Flap(**{**fields, "changes": tuple(fields["changes"]), "alert": alert})
