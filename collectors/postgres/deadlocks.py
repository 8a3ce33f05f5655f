"""Deadlocks that the server ended, as events: how many since the last look, and in which database.

Which statements they were is in the server's own log alone.
Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-DATABASE-VIEW
"""

from collections.abc import Iterable, Sequence
from typing import TypedDict

from collectors.model import Event, Follower, Sample, State
from collectors.postgres.config import Postgres
from collectors.postgres.connection import ask, connect
from collectors.postgres.rows import MOST_DATABASES, label, number
from collectors.sources.looking import seldom

COUNTS = f"""
    SELECT datname, deadlocks FROM pg_stat_database WHERE deadlocks > 0 AND datname IS NOT NULL
    ORDER BY deadlocks DESC LIMIT {MOST_DATABASES}"""  # noqa: S608 # no input


class Cursor(TypedDict):
    looked: float  # Unix seconds
    counts: dict[str, float]
    """Database -> deadlocks since its statistics began."""


class Payload(TypedDict):
    server: str
    since: float  # Unix seconds
    at: float  # Unix seconds
    new: dict[str, float]
    """Database -> deadlocks since the last look."""


def look(config: Postgres, cursor: Cursor | None, now: float) -> tuple[Payload | None, Cursor]:
    with connect(config) as session:
        counts = {label(row, "datname"): number(row.get("deadlocks")) or 0 for row in ask(session, COUNTS)}
    after = Cursor(looked=now, counts=counts)
    new = grown(counts, cursor["counts"]) if cursor else {}
    if not cursor or not new:
        return None, after
    return Payload(server=session.server, since=cursor["looked"], at=now, new=new), after


read = seldom("postgres", look)


def grown(counts: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    """By how much; what is lower than before has begun anew."""
    rises = {name: count - (last if count >= (last := before.get(name, 0)) else 0) for name, count in counts.items()}
    return {name: rise for name, rise in rises.items() if rise > 0}


def step(state: State, payload: Payload) -> tuple[State, Sequence[Event]]:
    server, at = payload["server"], payload["at"]
    return state, [
        Event(
            f"sql.deadlock:{server}:{name}:{at:.0f}"[:250], "sql.deadlock", "info", "", "", payload["since"], at,
            int(count), f"Deadlock in the database {name}: one of the transactions was rolled back"[:250],
            dedup_key=f"sql.deadlock:{server}"[:255], source="postgres",
        )
        for name, count in payload["new"].items()
    ]  # fmt: skip


def samples(_state: State) -> Iterable[Sample]:
    return ()


FOLLOWER = Follower("deadlocks", (), read, step, samples, lambda _found: False, beside=True)
