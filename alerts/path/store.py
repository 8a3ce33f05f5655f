"""What the path must not forget, and why it did what it did, in the local database."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from alerts.model import Alert
from alerts.path.flow import ESCALATED, FIRST, Address, Flap, Heard, Memory
from history.database import METADATA

log = logging.getLogger("raingauge.alerts")

T = TypeVar("T")

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
    found: dict[Address, Memory] = {}
    for row in connection.execute(select(group_table)).all():
        address = Address(row.receiver, row.group_key)
        memory = _read(_memory, row.memory)
        if memory is None:
            connection.execute(delete(group_table).where(_at(address)))
        else:
            found[address] = memory
    return found


def save_memories(
    connection: Connection, before: Mapping[Address, Memory], after: Mapping[Address, Memory | None]
) -> None:
    """Those of `after` that are others now; None is forgotten."""
    changed = {address: memory for address, memory in after.items() if memory != before.get(address)}
    stored = [{"of_receiver": receiver, "of_group": key} for receiver, key in changed.keys() & before.keys()]
    if stored:
        here = (group_table.c.receiver == bindparam("of_receiver")) & (group_table.c.group_key == bindparam("of_group"))
        connection.execute(delete(group_table).where(here), stored)
    rows = [
        {"receiver": address.receiver, "group_key": address.group_key, "memory": json.dumps(asdict(memory))}
        for address, memory in changed.items()
        if memory is not None
    ]
    if rows:
        connection.execute(insert(group_table), rows)


def _at(address: Address) -> ColumnElement[bool]:
    return (group_table.c.receiver == address.receiver) & (group_table.c.group_key == address.group_key)


def flaps(connection: Connection) -> dict[str, Flap]:
    found: dict[str, Flap] = {}
    for row in connection.execute(select(flap_table)).all():
        flap = _read(_flap, row.flap)
        if flap is None:
            connection.execute(delete(flap_table).where(flap_table.c.fingerprint == row.fingerprint))
        else:
            found[row.fingerprint] = flap
    return found


def save_flaps(connection: Connection, before: Mapping[str, Flap], after: Mapping[str, Flap]) -> None:
    changed = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
    stored = [{"of_alert": key} for key in changed if key in before]
    if stored:
        connection.execute(delete(flap_table).where(flap_table.c.fingerprint == bindparam("of_alert")), stored)
    rows = [{"fingerprint": key, "flap": json.dumps(asdict(after[key]))} for key in changed if key in after]
    if rows:
        connection.execute(insert(flap_table), rows)


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


def begun_since(connection: Connection, at: float, until: float) -> dict[str, int]:
    """Groups of which the first word was said, by receiver."""
    here = (decision_table.c.reason.in_((FIRST, ESCALATED)), decision_table.c.at > at, decision_table.c.at <= until)
    query = select(decision_table.c.receiver, func.count()).where(*here).group_by(decision_table.c.receiver)
    return {row[0]: row[1] for row in connection.execute(query)}


def _read(make: Callable[[dict[str, Any]], T], text: str) -> T | None:
    """None for what another version wrote otherwise: it is begun anew, and told once more."""
    try:
        return make(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        log.warning("alerts=forgotten error=%r", str(error))
        return None


def _memory(fields: dict[str, Any]) -> Memory:
    heard = {
        key: Heard(**{**one, "ended": Alert(**one["ended"]) if one["ended"] else None})
        for key, one in fields["heard"].items()
    }
    return Memory(**{**fields, "heard": heard, "members": tuple(fields["members"])})


def _flap(fields: dict[str, Any]) -> Flap:
    alert = Alert(**fields["alert"]) if fields["alert"] else None
    return Flap(**{**fields, "changes": tuple(fields["changes"]), "alert": alert})
