"""Alerts that others post to /api/v2/alerts, as they would to Alertmanager: they take the same path as our own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Column, Connection, Engine, Float, String, Table, bindparam, delete, insert, select

from alerts.engine import RESOLVED_KEPT_SECONDS
from alerts.model import Alert, Labels
from alerts.notices import fingerprint
from history.database import METADATA

RESOLVE_SECONDS = 300.0
"""How long one without an end fires after it was posted last: Alertmanager's resolve_timeout."""
MOST = 10_000

received_table = Table(
    "alert_received", METADATA,
    Column("fingerprint", String, primary_key=True),
    Column("alert", String, nullable=False),
    Column("ends", Float, nullable=False),
)  # fmt: skip


@dataclass(frozen=True)
class Posted:
    """Times are Unix seconds; None where none was given."""

    labels: Labels
    annotations: Mapping[str, str]
    starts: float | None = None
    ends: float | None = None


def receive(engine: Engine, posted: Sequence[Posted], now: float) -> None:
    """ValueError for one without labels, or when there are more than are kept."""
    with engine.begin() as connection:
        known = {row.fingerprint: row for row in connection.execute(select(received_table))}
        rows: dict[str, dict[str, object]] = {}
        for one in posted:
            labels = {name: value for name, value in sorted(one.labels.items()) if value}
            if not labels:
                raise ValueError("expected at least one label with a value")
            key = fingerprint(labels)
            before = Alert(**json.loads(known[key].alert)) if key in known and known[key].ends > now else None
            ends = now + RESOLVE_SECONDS if one.ends is None else one.ends
            starts = min(before.active_at if before else now, now if one.starts is None else one.starts)
            alert = Alert(
                labels, dict(one.annotations), "firing", 1.0, starts, fired_at=starts, last_true=now, seen=now
            )
            if before is None and ends <= now and key not in known:
                continue  # over before we heard of it
            rows[key] = {"fingerprint": key, "alert": json.dumps(asdict(alert)), "ends": ends}
        if rows.keys() - known.keys() and len(known.keys() | rows.keys()) > MOST:
            raise ValueError(f"{MOST} alerts are kept, and no more")
        if rows:  # at once: others wait for who writes
            connection.execute(delete(received_table).where(received_table.c.fingerprint == bindparam("key")),
                               [{"key": key} for key in rows])  # fmt: skip
            connection.execute(insert(received_table), list(rows.values()))


def received(connection: Connection, now: float) -> list[Alert]:
    """Firing until their end, then resolved for an hour."""
    found = []
    for row in connection.execute(select(received_table).where(received_table.c.ends > now - RESOLVED_KEPT_SECONDS)):
        alert = Alert(**json.loads(row.alert))
        found.append(alert if row.ends > now else replace(alert, state="resolved", resolved_at=row.ends))
    return found


def let_go(connection: Connection, now: float) -> None:
    old = received_table.c.ends <= now - RESOLVED_KEPT_SECONDS
    if connection.execute(select(received_table.c.fingerprint).where(old).limit(1)).first():
        connection.execute(delete(received_table).where(old))
