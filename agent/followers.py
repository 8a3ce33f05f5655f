"""Followers at work: each in a thread of its own, so that no source waits for another.

Cursor, state and events are written in one transaction, so that after a kill nothing is counted or told twice: what was
not written is read again from the cursor that was, before anything is published.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson
from sqlalchemy import Column, Engine, String, Table, Text, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from agent.reading import outcome_of
from collectors.config import Config
from collectors.errors import Absent
from collectors.model import Event, Follower, Part, Sample, State, Target
from history.database import METADATA, make_tables
from history.events import Events

log = logging.getLogger("raingauge.followers")

FIRST_LOOK_SECONDS = 1.0
SAVE_SECONDS = 5.0
HEARD_SECONDS = 3600.0
AT_ONCE = 500
"""Events that one step is given."""
CURSOR = ""
"""Key of the cursor among those of the state."""

follower_table = Table(
    "follower", METADATA,
    Column("target", String(500), primary_key=True),
    Column("name", String(50), primary_key=True),
    Column("key", String(300), primary_key=True),
    Column("value", Text, nullable=False),  # JSON
)  # fmt: skip

Place = tuple[str, str]
"""Target and follower."""


class Kept:
    """What followers know, in the local database. Any thread; every method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._events = Events(engine)
        make_tables(engine, [follower_table])

    def load(self, place: Place) -> dict[str, str]:
        """Key -> JSON."""
        column = follower_table.c
        query = select(column.key, column.value).where(column.target == place[0], column.name == place[1])
        with self._engine.connect() as connection:
            return {row.key: row.value for row in connection.execute(query)}

    def save(self, place: Place, changed: Mapping[str, str | None], events: Sequence[Event]) -> None:
        """None: the key has gone. All of it or nothing."""
        column = follower_table.c
        here = (column.target == place[0], column.name == place[1])
        with self._engine.begin() as connection:
            for event in events:
                self._events.record_in(connection, event)
            if changed:
                connection.execute(delete(follower_table).where(*here, column.key.in_(list(changed))))
            rows = [
                {"target": place[0], "name": place[1], "key": key, "value": value}
                for key, value in changed.items()
                if value is not None
            ]
            if rows:
                connection.execute(insert(follower_table), rows)

    def events_after(self, cursor: Any, host: str) -> tuple[Any, Any]:
        """This host's events after the cursor, and the cursor after them; at first only what is yet to come."""
        if cursor is None:
            return None, self._events.newest()
        rows = self._events.events_after(cursor, AT_ONCE)
        found = [asdict(event) for _, event in rows if event.host in ("", host)]
        return {"events": found} if found else None, rows[-1][0] if rows else cursor

    def heard(self, kinds: Sequence[str], host: str, now: float) -> list[tuple[str, float]]:
        """Site and end of this host's events of these kinds in the last hour."""
        found = (event for kind in kinds for event in self._events.events(now - HEARD_SECONDS, now, kind=kind))
        return [(event.site, event.last) for event in found if event.host in ("", host)]


class Followed:
    """One follower of one target. `start` once, `stop` any time; `look` is what its thread does again and again."""

    def __init__(
        self,
        follower: Follower,
        config: Config,
        target: Target,
        kept: Kept,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._follower = follower
        self._config = config
        self._host = target.host
        self._place = (" ".join(f"{name}={value}" for name, value in sorted(target.labels.items())), follower.name)
        self._kept = kept
        self._clock = clock
        self._cursor: Any = None
        self._state: State = {}
        self._written: dict[str, str] = {}
        self._events: list[Event] = []
        """Not yet written."""
        self._saved_at: float | None = None
        """Clock's; None: what was kept is not yet loaded."""
        self._caught_up = False
        self._error: BaseException | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow-{follower.name}", daemon=True)

    @property
    def part(self) -> Part:
        """How the runner publishes it."""
        follower = self._follower
        return Part(
            follower.name, follower.families, lambda _source: self.latest(), lambda found: found, follower.interval,
            beside=follower.beside,
        )  # fmt: skip

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Its thread ends after the look that it is in, and writes what it knows."""
        self._stopping.set()

    def latest(self) -> list[Sample]:
        """Raises what the last look at the source raised, and Absent until all was read that came before it."""
        if self._error is not None:
            raise self._error.with_traceback(None)
        if not self._caught_up:
            raise Absent("what came meanwhile is still being read")
        return list(self._follower.samples(self._state))

    def _run(self) -> None:
        wait = FIRST_LOOK_SECONDS
        while not self._stopping.wait(wait):
            wait = 0.0 if self.look() else self._follower.every
        self._save()

    def look(self) -> bool:
        """Take what is new; True: there may be more at once. Never raises."""
        try:
            more = self._take()
        except Exception as error:  # noqa: BLE001 # the boundary, as for parts
            self._fail(error)
            return False
        self._error = None
        self._caught_up = self._caught_up or not more
        return more

    def _take(self) -> bool:
        if self._saved_at is None:
            self._load()
        payload, cursor = self._read()
        # Before the step: what it cannot take would come again for ever.
        self._cursor = cursor
        if payload is not None:
            if self._follower.hears:
                payload = {**payload, "heard": self._kept.heard(self._follower.hears, self._host, time.time())}
            self._state, events = self._follower.step(self._state, payload)
            self._events += [event if event.host else replace(event, host=self._host) for event in events]
        if self._events or self._clock() - (self._saved_at or 0.0) >= SAVE_SECONDS:
            self._save()
        return payload is not None and self._follower.more(payload)

    def _read(self) -> tuple[Any, Any]:
        if self._follower.source == "events":
            return self._kept.events_after(self._cursor, self._host)
        return self._follower.read(self._config, self._cursor)

    def _fail(self, error: Exception) -> None:
        before, self._error = self._error, error
        outcome = outcome_of(error)
        if outcome == "bug" and (before is None or str(before) != str(error)):
            log.error("follower=%s bug", self._follower.name, exc_info=error)

    def _load(self) -> None:
        self._written = self._kept.load(self._place)
        found = {key: orjson.loads(value) for key, value in self._written.items()}
        self._cursor = found.pop(CURSOR, None)
        self._state = found
        self._saved_at = self._clock()

    def _save(self) -> None:
        if self._saved_at is None:
            return
        now = {CURSOR: self._cursor, **self._state}
        texts = {key: orjson.dumps(value).decode() for key, value in now.items()}
        changed: dict[str, str | None] = {key: text for key, text in texts.items() if self._written.get(key) != text}
        changed |= dict.fromkeys(self._written.keys() - texts.keys())
        try:
            if changed or self._events:
                self._kept.save(self._place, changed, self._events)
        except SQLAlchemyError as error:
            log.warning("follower=%s save=failed error=%r", self._follower.name, str(error)[:200])
            return
        self._written, self._events, self._saved_at = texts, [], self._clock()
