"""What people said they know of already: silences, acknowledgements and maintenance, in the local database.

As in Alertmanager an active silence whose matchers change is ended and a new one begun; ended ones are kept as history.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sqlalchemy import Column, Connection, Engine, Float, String, Table, delete, insert, select, update

from alerts.matchers import Matcher, Matchers, matcher, matches
from alerts.model import Alert, Labels
from alerts.notices import fingerprint
from history.database import METADATA

Kind = Literal["silence", "ack", "maintenance"]
State = Literal["pending", "active", "expired"]

SAID = {"silence": "silenced", "ack": "acknowledged", "maintenance": "in maintenance"}
"""Kind -> what it does, in words."""
ACK_SECONDS = 4 * 3600.0
HISTORY_SECONDS = 90 * 86400.0
MOST = 1000
"""Silences that have not ended: each is looked at for each alert."""
MOST_TEXT = 1000
MOST_MATCHERS = 200

silence_table = Table(
    "alert_silence", METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("matchers", String, nullable=False),
    Column("starts", Float, nullable=False),
    Column("ends", Float, nullable=False, index=True),
    Column("author", String, nullable=False),
    Column("comment", String, nullable=False),
    Column("updated", Float, nullable=False),
    Column("fingerprint", String, nullable=False),
)  # fmt: skip


class UnknownSilence(Exception):
    """No silence has this id."""


@dataclass(frozen=True)
class Silence:
    matchers: Matchers
    starts: float  # Unix seconds
    ends: float  # Unix seconds
    author: str
    comment: str
    kind: Kind = "silence"
    id: str = ""
    updated: float = 0.0
    """Unix seconds."""
    fingerprint: str = ""
    """Of an acknowledgement: the one alert that it is for."""

    def state(self, now: float) -> State:
        return "expired" if self.ends <= now else "pending" if self.starts > now else "active"

    def covers(self, alert: Alert) -> bool:
        """Maintenance covers no critical alert of security: an intruder may well wait for one."""
        if self.kind == "maintenance" and alert.severity == "critical" and is_security(alert.labels):
            return False
        if self.fingerprint:
            return fingerprint(alert.labels) == self.fingerprint
        return matches(self.matchers, alert.labels)

    @property
    def source(self) -> str:
        """What suppresses, in words."""
        return f"{SAID[self.kind]} by {self.author}: {self.comment}"


OPERATIONAL = ("outage", "resource", "slow", "capacity", "config")
"""Classes of alerts of how things run. Those of events of security bear what it is, such as webshell."""


def is_security(labels: Labels) -> bool:
    return labels.get("class", "") not in ("", "self", *OPERATIONAL) or labels.get("category") == "security"


def check(silence: Silence, now: float) -> Silence:
    """As it will be kept. ValueError says what is wrong with it."""
    if not silence.matchers:
        raise ValueError("expected at least one matcher")
    if all(each({}) for each in silence.matchers):
        raise ValueError("expected at least one matcher that does not fit an empty value: this covers every alert")
    if not silence.author.strip():
        raise ValueError("expected who silences (createdBy), found nobody")
    if not silence.comment.strip():
        raise ValueError("expected a comment that says why")
    if len(silence.comment) > MOST_TEXT or len(silence.author) > MOST_TEXT or len(silence.matchers) > MOST_MATCHERS:
        raise ValueError(f"expected at most {MOST_TEXT} characters of text and {MOST_MATCHERS} matchers")
    silence = replace(silence, starts=max(silence.starts, now))
    if silence.ends <= now:
        raise ValueError("expected an end that is yet to come")
    if silence.ends <= silence.starts:
        raise ValueError("expected an end after the start")
    return silence


def post(engine: Engine, silence: Silence, now: float) -> str:
    """Begin one, or change the one with this id; the id under which it is kept then. It is stored on return.

    ValueError for one that is none; UnknownSilence for an id that is not known.
    """
    if not silence.id:
        checked = check(silence, now)
        with engine.begin() as connection:
            return begin(connection, checked, now)
    with engine.begin() as connection:
        before = _get(connection, silence.id)
        if _may_change(before, silence, now):
            kept = replace(silence, kind=before.kind, fingerprint=before.fingerprint)
            checked = replace(check(kept, now), starts=before.starts if before.starts <= now else silence.starts)
            row = {**_row(checked, now), "id": before.id}
            connection.execute(update(silence_table).where(silence_table.c.id == before.id).values(**row))
            return before.id
        checked = check(silence, now)
        _end(connection, before, now)
        return begin(connection, checked, now)


def _may_change(before: Silence, after: Silence, now: float) -> bool:
    state = before.state(now)
    if set(before.matchers) != set(after.matchers) or state == "expired":
        return False
    if state == "active":
        return round(after.starts, 3) == round(before.starts, 3) and after.ends >= now
    return after.starts >= now


def acknowledge(engine: Engine, alert: Alert, author: str, *, now: float, until: float, comment: str = "") -> str:
    """Silence this one alert until it is over or that time (Unix seconds) has come; the silence's id."""
    matchers = tuple(Matcher(name, "=", value) for name, value in sorted(alert.labels.items()))
    return post(
        engine, Silence(matchers, now, until, author, comment or "acknowledged", "ack",
                        fingerprint=fingerprint(alert.labels)), now,
    )  # fmt: skip


def expire(engine: Engine, silence_id: str, now: float) -> None:
    """End it now; one that has ended stays as it is. UnknownSilence for an id that is not known."""
    with engine.begin() as connection:
        _end(connection, _get(connection, silence_id), now)


def get(engine: Engine, silence_id: str) -> Silence:
    with engine.connect() as connection:
        return _get(connection, silence_id)


def silences(connection: Connection, ends_after: float = 0.0) -> Sequence[Silence]:
    """Those that end after that time (Unix seconds); the last to end first."""
    query = select(silence_table).where(silence_table.c.ends > ends_after)
    return [_read(row) for row in connection.execute(query.order_by(silence_table.c.ends.desc(), silence_table.c.id))]


def settle(connection: Connection, active: Iterable[Silence], firing: Iterable[str], now: float) -> None:
    """End the acknowledgements of alerts that are over, and let go of what is history for long."""
    still = set(firing)
    for silence in active:
        if silence.kind == "ack" and silence.fingerprint not in still:
            _end(connection, silence, now)
    old = silence_table.c.ends < now - HISTORY_SECONDS
    if connection.execute(select(silence_table.c.id).where(old).limit(1)).first():
        connection.execute(delete(silence_table).where(old))


def begin(connection: Connection, silence: Silence, now: float) -> str:
    """Its id. As a part of another transaction; ValueError when there are too many."""
    if len(silences(connection, ends_after=now)) >= MOST:
        raise ValueError(f"{MOST} silences are on already, and no more are taken")
    silence_id = str(uuid.uuid4())
    connection.execute(insert(silence_table).values(id=silence_id, **_row(silence, now)))
    return silence_id


def _end(connection: Connection, silence: Silence, now: float) -> None:
    if silence.ends > now:
        here = update(silence_table).where(silence_table.c.id == silence.id)
        connection.execute(here.values(ends=now, starts=min(silence.starts, now), updated=now))


def _get(connection: Connection, silence_id: str) -> Silence:
    row = connection.execute(select(silence_table).where(silence_table.c.id == silence_id)).first()
    if row is None:
        raise UnknownSilence(silence_id)
    return _read(row)


def _row(silence: Silence, now: float) -> dict[str, object]:
    return {
        "kind": silence.kind, "starts": silence.starts, "ends": silence.ends, "author": silence.author,
        "comment": silence.comment, "updated": now, "fingerprint": silence.fingerprint,
        "matchers": json.dumps([[each.name, each.op, each.value] for each in silence.matchers]),
    }  # fmt: skip


def _read(row: "object") -> Silence:
    found = row._mapping  # type: ignore[attr-defined]
    kind: Kind = next(known for known in get_args(Kind) if known == found["kind"])
    return Silence(
        tuple(matcher(*each) for each in json.loads(found["matchers"])), found["starts"], found["ends"],
        found["author"], found["comment"], kind, found["id"], found["updated"], found["fingerprint"],
    )  # fmt: skip
