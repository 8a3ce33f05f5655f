"""The thread that keeps the history in shape: seals, rolls up, lets go; and what Raingauge says of its own history."""

import logging
import threading
import time
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from agent.history_settings import HistorySettings
from collectors.model import Gauge, Sample
from history import inventory
from history.events import Events
from history.store import Store

log = logging.getLogger("raingauge.upkeep")

EVERY = 1.0
"""Seconds between steps: one step is one target's block, so that the work is spread over time."""
EVENTS_EVERY = 60.0
"""Seconds between looks for events that are past their time."""

USED = Gauge("raingauge_history_bytes", "Room that the database takes, without what is free in it.")
MOST = Gauge("raingauge_history_size_limit_bytes", "Most room that the database may take.")
SINCE = Gauge(
    "raingauge_history_oldest_timestamp_seconds", "Since when a tier has samples; 0: as they came.", ("tier",)
)
DAMAGED = Gauge("raingauge_history_damaged_pages", "Pages that could not be read since the start.")
FAMILIES = (USED, MOST, SINCE, DAMAGED)


class Upkeep:
    """A step that fails (no room on disk, say) is tried again; nothing is lost by it."""

    def __init__(self, store: Store, events: Events, settings: HistorySettings) -> None:
        self._store = store
        self._events = events
        self._settings = settings
        self._looked = 0.0
        self._forgotten = 0.0
        """Up to then no event has addresses any more; Unix seconds."""
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def holding(self) -> inventory.Holding:
        return inventory.holding(self._store, self._settings.keep)

    def samples(self) -> Sequence[Sample]:
        held = self.holding()
        since = [SINCE(tier.since / 1000, str(tier.tier)) for tier in held.tiers]
        return [USED(held.used), MOST(held.most), DAMAGED(len(held.damaged)), *since]

    def _run(self) -> None:
        while not self._stopping.wait(EVERY):
            try:
                self._step(time.time())
                self._failing = False
            except (SQLAlchemyError, OSError) as error:
                if not self._failing:  # once, not each second
                    log.error("upkeep=failed error=%r", str(error))
                self._failing = True

    def _step(self, now: float) -> None:
        self._store.maintain(now)
        due = not 0 <= now - self._looked < EVENTS_EVERY and self._store.maintenance.trusts(now)
        if due and not self._events.expire(now - self._settings.events):
            self._looked = now
            self._forgotten = self._events.forget(self._forgotten, now - self._settings.personal)
