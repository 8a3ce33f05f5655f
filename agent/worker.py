"""The thread that reads one target's parts, one after another, over one connection.

A read that hangs takes its worker with it: the runner gives the parts that are waiting to a new one.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

from agent.reading import Reading, failed, opened, read_part
from agent.ticking import PartState, Watch


class Worker:
    def __init__(self, watch: Watch, answered: Callable[[PartState, Reading], None]) -> None:
        """`answered` is called from the worker's thread after each read."""
        self._watch = watch
        self._answered = answered
        self._inbox: queue.SimpleQueue[PartState | None] = queue.SimpleQueue()
        self._open = contextlib.ExitStack()
        self._source: Any = None
        self._connected = False
        self._thread = threading.Thread(target=self._run, name=f"read-{watch.collector.name}", daemon=True)
        self._thread.start()

    def read(self, state: PartState) -> None:
        self._inbox.put(state)

    def leave(self) -> list[PartState]:
        """Take back what is not yet begun; the thread ends after the read that it is in."""
        waiting = []
        while True:
            try:
                state = self._inbox.get_nowait()
            except queue.Empty:
                break
            if state is not None:
                waiting.append(state)
        self._inbox.put(None)
        return waiting

    def _run(self) -> None:
        while (state := self._inbox.get()) is not None:
            self._answered(state, self._read(state))
        self._disconnect()

    def _read(self, state: PartState) -> Reading:
        try:
            if not self._connected:
                self._source = self._open.enter_context(opened(self._watch.collector, self._watch.config))
                self._connected = True
        except Exception as error:  # noqa: BLE001 # connecting is part of reading: the same boundary
            return failed(state.part, error)
        reading = read_part(state.part, self._source)
        if not reading.answered:
            self._disconnect()
        return reading

    def _disconnect(self) -> None:
        self._connected = False
        # A connection that is broken may also fail to close; there is nothing left to lose.
        with contextlib.suppress(OSError):
            self._open.close()
