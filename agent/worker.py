"""The thread that reads one target's parts, one after another, over one connection.

A read that hangs takes its worker with it: the parts that wait behind it are given to a new one.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from agent.reading import Reading, failed, opened, read_part
from agent.ticking import PartState, Watch

log = logging.getLogger("raingauge.worker")

SOUND = ("denied", "unsupported")
"""What one part was refused says nothing of the connection."""
RENEW_SECONDS = 300.0
"""But a right that was given meanwhile may count for new connections only."""


class Worker:
    """RuntimeError where no thread can be had."""

    def __init__(self, watch: Watch, answered: Callable[[PartState, Reading], None]) -> None:
        """`answered` is called from the worker's thread after each read."""
        self._watch = watch
        self._answered = answered
        self._waiting: deque[PartState] = deque()
        self._changed = threading.Condition()
        self._left = False
        self._busy_since: float | None = None  # monotonic
        self._open = contextlib.ExitStack()
        self._source: Any = None
        self._connected = False
        self._connected_since = 0.0  # monotonic
        thread = threading.Thread(target=self._run, name=f"read-{watch.collector.name}", daemon=True)
        thread.start()

    def read(self, states: Sequence[PartState]) -> None:
        """All at once: to wake a thread costs as much as to read a part."""
        with self._changed:
            self._waiting += states
            self._changed.notify()

    def waiting(self) -> list[PartState]:
        """What is not yet begun."""
        with self._changed:
            return list(self._waiting)

    def stuck(self, seconds: float) -> bool:
        """It has been in one read for so long while others wait."""
        with self._changed:
            since = self._busy_since
            return bool(self._waiting) and since is not None and time.monotonic() - since >= seconds

    def leave(self) -> list[PartState]:
        """Take back what is not yet begun; the thread ends after the read that it is in."""
        with self._changed:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._left = True
            self._changed.notify()
        return waiting

    def _next(self) -> PartState | None:
        with self._changed:
            self._busy_since = None
            self._changed.wait_for(lambda: self._waiting or self._left)
            if not self._waiting:
                return None
            self._busy_since = time.monotonic()
            return self._waiting.popleft()

    def _run(self) -> None:
        while (state := self._next()) is not None:
            self._answered(state, self._read(state))
        self._disconnect()

    def _read(self, state: PartState) -> Reading:
        try:
            if not self._connected:
                self._source = self._open.enter_context(opened(self._watch.collector, self._watch.config))
                self._connected = True
                self._connected_since = time.monotonic()
        except Exception as error:  # noqa: BLE001 # connecting is part of reading: the same boundary
            return failed(state.part, error)
        reading = read_part(state.part, self._source)
        old = time.monotonic() - self._connected_since > RENEW_SECONDS
        if not reading.answered and (old or reading.outcome not in SOUND):
            self._disconnect()
        return reading

    def _disconnect(self) -> None:
        self._connected = False
        try:
            self._open.close()
        except Exception:  # a broken connection may fail to close, too; there is nothing left to lose
            log.debug("collector=%s close=failed", self._watch.collector.name, exc_info=True)
