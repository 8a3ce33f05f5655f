"""Remote write from others: what a Prometheus sends becomes part of the history."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from sqlalchemy.exc import SQLAlchemyError

from agent.ingest import wire
from agent.ingest.grouping import by_target
from agent.ingest.wire import WireError
from collectors.model import Counter, Sample, Target
from history.samples import absent
from history.store import Store

log = logging.getLogger("raingauge.receive")

RECEIVED = Counter("raingauge_remote_write_received_samples_total", "Samples that others have written to us.")
REFUSED = Counter(
    "raingauge_remote_write_refused_samples_total", "Samples whose time is sealed already, or lies ahead of our clock."
)
FAMILIES = (RECEIVED, REFUSED)

Tick = tuple[Target, float, list[Sample]]

AHEAD = 600.0
"""Seconds that a sample may be ahead of our clock, as in Prometheus: one of next year would hold up all upkeep."""
AT_ONCE = 4
"""Requests that are unpacked at the same time: each may take some hundred MB."""
MOST_STAMP = 2**53
"""ms; beyond it a float holds no whole milliseconds."""
PATIENCE = 5.0
"""Seconds until a request is sent away because others are being taken."""


class ReceiveError(Exception):
    """`status`: 400 is not sent again, 503 is."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Receiver:
    """Any thread. A request is taken wholly when `take` returns: kill -9 loses nothing of it then."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time, patience: float = PATIENCE) -> None:
        self._store = store
        self._clock = clock
        self._patience = patience
        self._free = threading.Semaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._received = self._refused = 0

    def take(self, body: bytes) -> None:
        """ReceiveError for what is no remote write, or cannot be stored now."""
        if not self._free.acquire(timeout=self._patience):
            raise ReceiveError(503, "too many requests at once: try again later")
        try:
            self._store_all(_read(body))
        finally:
            self._free.release()

    def _store_all(self, series: Sequence[wire.Series]) -> None:
        refused = 0
        newest = self._clock() + AHEAD
        for tick in _ticks(series):
            try:
                if tick[1] > newest:
                    raise ValueError("ahead of our clock")
                self._store.append_many([tick], more=True)
            except ValueError:
                refused += len(tick[2])
            except SQLAlchemyError as error:
                log.error("receive=failed error=%r", str(error))
                raise ReceiveError(503, "the history cannot be written now") from error
        with self._lock:
            self._received += sum(len(each.points) for each in series) - refused
            self._refused += refused
        if refused:
            raise ReceiveError(400, f"out of bounds: {refused} samples are from before what is sealed, or ahead of us")

    def samples(self) -> Sequence[Sample]:
        with self._lock:
            return [RECEIVED(self._received), REFUSED(self._refused)]


def _read(body: bytes) -> list[wire.Series]:
    """ReceiveError for what is no remote write, and for a series without a name or of impossible time."""
    try:
        series = wire.decode(wire.unpacked(body))
    except WireError as error:
        raise ReceiveError(400, str(error)) from error
    for each in series:
        if not each.labels.get("__name__"):
            raise ReceiveError(400, f"expected the label __name__, found {dict(each.labels)!r:.200}")
        if any(abs(stamp) > MOST_STAMP for stamp, _ in each.points):
            raise ReceiveError(400, f"out of bounds: a stamp of {each.labels['__name__']} is no time in milliseconds")
    return series


def _ticks(series: Sequence[wire.Series]) -> Iterator[Tick]:
    """By time. A stale marker is no sample, but its scrape was: without it the series has ended."""
    by_time: dict[int, list[tuple[wire.Labels, float]]] = {}
    ended: dict[int, list[wire.Labels]] = {}
    for each in series:
        for stamp, value in each.points:
            if absent(np.array([value]))[0]:
                ended.setdefault(stamp, []).append(each.labels)
            else:
                by_time.setdefault(stamp, []).append((each.labels, value))
    for stamp in sorted(by_time.keys() | ended.keys()):
        found = by_target(by_time.get(stamp, ()), "received")
        for target in by_target(((labels, 0.0) for labels in ended.get(stamp, ())), "received"):
            found.setdefault(target, [])
        yield from ((target, stamp / 1000, samples) for target, samples in found.items())
