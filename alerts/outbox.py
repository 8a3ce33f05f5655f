"""What an operator sees and does with the outbox: what waits, what was given up and why, and trying that again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, update

from alerts.model import Alert
from alerts.notices import fingerprint
from alerts.state import load, outbox_table, read_notice, write_notice


@dataclass(frozen=True)
class Standing:
    """One channel in the outbox."""

    waiting: int = 0
    oldest: float | None = None
    """Unix seconds."""
    dead: int = 0
    """Messages given up, at most one a group."""
    last_error: str = ""
    """Of a message that still waits, else of one that was given up."""


def tries(engine: Engine, channel: str) -> list[tuple[int, float]]:
    """(attempts, next try in Unix seconds) of what waits."""
    query = select(outbox_table.c.attempts, outbox_table.c.next_try).where(_waits(channel))
    with engine.connect() as connection:
        return [(attempts, next_try) for attempts, next_try in connection.execute(query)]


def hurry(engine: Engine, channel: str, now: float) -> None:
    """What waits for its next try is tried now."""
    with engine.begin() as connection:
        connection.execute(update(outbox_table).where(_waits(channel)).values(next_try=now))


def dead_letters(engine: Engine) -> Mapping[str, int]:
    query = (
        select(outbox_table.c.channel, func.count().label("dead"))
        .where(outbox_table.c.failed.is_not(None))
        .group_by(outbox_table.c.channel)
    )
    with engine.connect() as connection:
        return {row.channel: row.dead for row in connection.execute(query)}


def standings(engine: Engine) -> dict[str, Standing]:
    """By channel; also of those that are configured no more."""
    query = select(outbox_table).order_by(outbox_table.c.failed.is_(None), outbox_table.c.failed, outbox_table.c.id)
    found: dict[str, Standing] = {}
    with engine.connect() as connection:
        for row in connection.execute(query):
            before = found.get(row.channel, Standing())
            error = row.error or before.last_error
            if row.failed is not None:
                found[row.channel] = replace(before, dead=before.dead + 1, last_error=error)
            else:
                oldest = row.created if before.oldest is None else min(before.oldest, row.created)
                found[row.channel] = replace(before, waiting=before.waiting + 1, oldest=oldest, last_error=error)
    return found


def requeue(engine: Engine, channel: str | None, now: float) -> int:
    """Put dead letters back, their alerts as they are now; how many. Where a newer message waits, it goes instead."""
    current = {fingerprint(alert.labels): alert for rule in load(engine).values() for alert in rule.alerts.values()}
    mine = () if channel is None else (outbox_table.c.channel == channel,)
    query = select(outbox_table).where(outbox_table.c.failed.is_not(None), *mine).order_by(outbox_table.c.id)
    back = 0
    with engine.begin() as connection:
        for row in connection.execute(query).all():
            if _newer_waits(connection, row.channel, row.group_key):
                connection.execute(delete(outbox_table).where(outbox_table.c.id == row.id))
                continue
            notice = read_notice(row.notice)
            notice = replace(notice, alerts=tuple(_as_it_is_now(alert, current, now) for alert in notice.alerts))
            afresh = {"failed": None, "attempts": 0, "next_try": now, "created": now, "version": row.version + 1}
            connection.execute(
                update(outbox_table).where(outbox_table.c.id == row.id).values(notice=write_notice(notice), **afresh)
            )
            back += 1
    return back


def _as_it_is_now(alert: Alert, current: Mapping[str, Alert], now: float) -> Alert:
    """An alert that is known no more, or is only pending again, is over."""
    here = current.get(fingerprint(alert.labels))
    if here is not None and here.state != "pending":
        return here
    return alert if alert.state == "resolved" else replace(alert, state="resolved", resolved_at=now)


def _waits(channel: str) -> ColumnElement[bool]:
    return (outbox_table.c.channel == channel) & outbox_table.c.failed.is_(None)


def _newer_waits(connection: Connection, channel: str, group_key: str) -> bool:
    query = select(outbox_table.c.id).where(_waits(channel), outbox_table.c.group_key == group_key)
    return connection.execute(query).first() is not None
