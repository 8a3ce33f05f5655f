"""What alerting must not forget: states, who was told what, and the outbox, in the local database.

One transaction holds new states, what was decided on them and the messages: whatever is killed when, an alert is
told at least once, and a message leaves only after it is here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from alerts.engine import RuleState, States, identity
from alerts.model import Alert, Labels
from alerts.notices import Notice, Told, fingerprint
from history.database import METADATA

alert_table = Table(
    "alert_state", METADATA,
    Column("rule", String, primary_key=True),
    Column("fingerprint", String, primary_key=True),
    Column("alert", String, nullable=False),
)  # fmt: skip
told_table = Table(
    "alert_told", METADATA,
    Column("channel", String, primary_key=True),
    Column("group_key", String, primary_key=True),
    Column("firing", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("received", Boolean, nullable=False),
)  # fmt: skip
# At most one waiting message a channel and group: a newer one takes its place, so fired and resolved leave as one.
outbox_table = Table(
    "alert_outbox", METADATA,
    Column("id", Integer, primary_key=True),
    Column("channel", String, nullable=False, index=True),
    Column("group_key", String, nullable=False),
    Column("notice", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try", Float, nullable=False),
    Column("error", String, nullable=False),
    Column("failed", Float),
)  # fmt: skip


@dataclass(frozen=True)
class Message:
    id: int
    channel: str
    group_key: str
    notice: Notice
    version: int
    created: float  # Unix seconds
    attempts: int
    next_try: float  # Unix seconds


def _insert(connection: Connection, table: Table) -> Any:
    """With `on_conflict_do_update`, which both databases have, each in a class of its own."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def load(engine: Engine) -> dict[str, RuleState]:
    """The states of all rules, none of them evaluated by this process yet."""
    alerts: dict[str, dict[frozenset[tuple[str, str]], Alert]] = {}
    with engine.connect() as connection:
        for row in connection.execute(select(alert_table)):
            alert = Alert(**json.loads(row.alert))
            alerts.setdefault(row.rule, {})[identity(alert.labels)] = alert
    return {rule: RuleState(found) for rule, found in alerts.items()}


def alerts(engine: Engine) -> list[Alert]:
    return [alert for rule in load(engine).values() for alert in rule.alerts.values()]


def save(connection: Connection, before: States, after: States) -> None:
    """Write only what changed, in two statements: a quiet cycle writes nothing, a storm holds nothing up."""
    gone: list[dict[str, str]] = []
    rows: list[dict[str, str]] = []
    for rule in dict.fromkeys([*before, *after]):
        old = before.get(rule, RuleState()).alerts
        new = after.get(rule, RuleState()).alerts
        gone += [{"of_rule": rule, "of_alert": fingerprint(old[key].labels)} for key in old.keys() - new.keys()]
        rows += [
            {"rule": rule, "fingerprint": fingerprint(alert.labels), "alert": json.dumps(vars(alert))}
            for key, alert in new.items()
            if old.get(key) != alert
        ]
    if gone:
        column = alert_table.c
        here = (column.rule == bindparam("of_rule")) & (column.fingerprint == bindparam("of_alert"))
        connection.execute(delete(alert_table).where(here), gone)
    if rows:
        written = _insert(connection, alert_table)
        put = {"alert": written.excluded.alert}
        connection.execute(written.on_conflict_do_update(index_elements=["rule", "fingerprint"], set_=put), rows)


def told(connection: Connection, channel: str) -> dict[str, Told]:
    """By group key."""
    waiting = set(
        connection.execute(
            select(outbox_table.c.group_key).where(outbox_table.c.channel == channel, outbox_table.c.failed.is_(None))
        ).scalars()
    )
    rows = connection.execute(select(told_table).where(told_table.c.channel == channel))
    return {
        row.group_key: Told(frozenset(json.loads(row.firing)), row.at, row.received, row.group_key in waiting)
        for row in rows
    }


def tell(connection: Connection, notice: Notice, now: float) -> None:
    """Into the outbox, and remember what was said; in place of a message of the same group that still waits."""
    here = (outbox_table.c.channel == notice.receiver) & (outbox_table.c.group_key == notice.group_key)
    replaced = connection.execute(
        update(outbox_table)
        .where(here, outbox_table.c.failed.is_(None))
        .values(notice=write_notice(notice), version=outbox_table.c.version + 1)
    )
    if not replaced.rowcount:
        row = {"channel": notice.receiver, "group_key": notice.group_key, "notice": write_notice(notice)}
        start = {"version": 1, "created": now, "attempts": 0, "next_try": now, "error": ""}
        connection.execute(_insert(connection, outbox_table).values(**row, **start))
    remember(connection, notice.receiver, notice.group_key, _firing(notice.alerts), now)


def remember(connection: Connection, channel: str, group_key: str, firing: Iterable[str], now: float) -> None:
    row: dict[str, Any] = {"firing": json.dumps(sorted(firing)), "at": now}
    connection.execute(
        _insert(connection, told_table)
        .values(channel=channel, group_key=group_key, received=False, **row)
        .on_conflict_do_update(index_elements=["channel", "group_key"], set_=row)
    )


def forget(connection: Connection, channel: str, group_key: str) -> None:
    connection.execute(delete(told_table).where(told_table.c.channel == channel, told_table.c.group_key == group_key))


def withdraw(connection: Connection, channel: str, group_key: str) -> None:
    """Forget it, and say nothing of it any more."""
    here = (outbox_table.c.channel == channel) & (outbox_table.c.group_key == group_key)
    connection.execute(delete(outbox_table).where(here))
    forget(connection, channel, group_key)


def next_message(engine: Engine, channel: str, *, probe: bool = False, away: bool = False) -> Message | None:
    """The one to try next, which may be due later; as a `probe` the one that was refused least often, or, where the
    receiver is away, the oldest."""
    order = () if not probe else (outbox_table.c.id,) if away else (outbox_table.c.attempts,)
    with engine.connect() as connection:
        row = connection.execute(
            select(outbox_table)
            .where(outbox_table.c.channel == channel, outbox_table.c.failed.is_(None))
            .order_by(*order, outbox_table.c.next_try, outbox_table.c.id)
            .limit(1)
        ).first()
    if row is None:
        return None
    notice = read_notice(row.notice)
    return Message(row.id, row.channel, row.group_key, notice, row.version, row.created, row.attempts, row.next_try)


def sent(engine: Engine, message: Message) -> None:
    """Done, unless a newer message took its place while this one was on its way: then that one is still to go."""
    row = outbox_table.c.id == message.id
    group = (told_table.c.channel == message.channel) & (told_table.c.group_key == message.group_key)
    with engine.begin() as connection:
        done = connection.execute(delete(outbox_table).where(row, outbox_table.c.version == message.version))
        connection.execute(update(outbox_table).where(row).values(attempts=0, next_try=0.0))
        connection.execute(delete(outbox_table).where(*_given_up(message)))  # what it said is told by now
        connection.execute(update(told_table).where(group).values(received=True))
        if done.rowcount:
            connection.execute(delete(told_table).where(group, told_table.c.firing == "[]"))


def postpone(engine: Engine, message: Message, until: float, error: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(outbox_table)
            .where(outbox_table.c.id == message.id)
            .values(attempts=message.attempts + 1, next_try=until, error=error)
        )


def bury(engine: Engine, message: Message, now: float, error: str) -> None:
    """Keep it as failed for good, in place of an older one of its group; a newer message that took its place meanwhile
    is tried afresh."""
    with engine.begin() as connection:
        connection.execute(delete(outbox_table).where(*_given_up(message), outbox_table.c.id != message.id))
        here = update(outbox_table).where(outbox_table.c.id == message.id)
        newer = here.where(outbox_table.c.version != message.version)
        connection.execute(newer.values(attempts=0, next_try=now, created=now))
        same = here.where(outbox_table.c.version == message.version)
        connection.execute(same.values(attempts=message.attempts + 1, failed=now, error=error))


def _given_up(message: Message) -> tuple[ColumnElement[bool], ...]:
    """The dead letters of its group."""
    here = outbox_table.c.channel == message.channel, outbox_table.c.group_key == message.group_key
    return *here, outbox_table.c.failed.is_not(None)


def waiting(engine: Engine) -> Mapping[str, tuple[int, float]]:
    """Channel -> how many messages wait, and since when the oldest does, Unix seconds."""
    columns = (outbox_table.c.channel, func.count(), func.min(outbox_table.c.created))
    query = select(*columns).where(outbox_table.c.failed.is_(None)).group_by(outbox_table.c.channel)
    with engine.connect() as connection:
        return {channel: (count, oldest) for channel, count, oldest in connection.execute(query)}


def failed(engine: Engine) -> list[tuple[str, str, float, str]]:
    """The dead letters: channel, group key, Unix seconds, why."""
    columns = (outbox_table.c.channel, outbox_table.c.group_key, outbox_table.c.failed, outbox_table.c.error)
    query = select(*columns).where(outbox_table.c.failed.is_not(None)).order_by(outbox_table.c.failed)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def waiting_notice(connection: Connection, channel: str, group_key: str) -> Notice | None:
    """What still is to be sent of a group."""
    here = (outbox_table.c.channel == channel, outbox_table.c.group_key == group_key, outbox_table.c.failed.is_(None))
    text = connection.execute(select(outbox_table.c.notice).where(*here)).scalar()
    return None if text is None else read_notice(text)


def _firing(alerts: Sequence[Alert]) -> list[str]:
    return [fingerprint(alert.labels) for alert in alerts if alert.state == "firing"]


def write_notice(notice: Notice) -> str:
    return json.dumps(asdict(notice))


def read_notice(text: str) -> Notice:
    fields = json.loads(text)
    labels: Labels = fields["group_labels"]
    alerts = tuple(Alert(**alert) for alert in fields["alerts"])
    names = {name: fields.get(name, default) for name, default in (("route", "{}"), ("reason", ""))}
    return Notice(fields["receiver"], labels, alerts, fields["external_url"], **names)
