"""The thread that keeps the history in shape: seals, rolls up, lets go."""

import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from history.store import Store

log = logging.getLogger("raingauge.upkeep")

EVERY = 1.0
"""Seconds between steps: one step is one target's block, so that the work is spread over time."""


class Upkeep:
    """A step that fails (no room on disk, say) is tried again; nothing is lost by it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY):
            try:
                self._store.maintain(time.time())
                self._failing = False
            except (SQLAlchemyError, OSError) as error:
                if not self._failing:  # once, not each second
                    log.error("upkeep=failed error=%r", str(error))
                self._failing = True
