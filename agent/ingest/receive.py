"""Remote write from others: what a Prometheus sends becomes part of the history."""

import logging
import threading
from collections.abc import Iterator, Sequence

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
REFUSED = Counter("raingauge_remote_write_refused_samples_total", "Samples that came too late: their time is sealed.")
FAMILIES = (RECEIVED, REFUSED)

Tick = tuple[Target, float, list[Sample]]


class ReceiveError(Exception):
    """`status`: 400 is not sent again, 503 is."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Receiver:
    """Any thread. A request is taken wholly when `take` returns: kill -9 loses nothing of it then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._received = self._refused = 0

    def take(self, body: bytes) -> None:
        """ReceiveError for what is no remote write, or cannot be stored now."""
        try:
            series = wire.decode(wire.unpacked(body))
        except WireError as error:
            raise ReceiveError(400, str(error)) from error
        late = 0
        for tick in _ticks(series):
            try:
                self._store.append_many([tick], more=True)
            except ValueError:
                late += len(tick[2])
            except SQLAlchemyError as error:
                log.error("receive=failed error=%r", str(error))
                raise ReceiveError(503, "the history cannot be written now") from error
        with self._lock:
            self._received += sum(len(each.points) for each in series) - late
            self._refused += late
        if late:
            raise ReceiveError(400, f"out of order: {late} samples are from before what is sealed")

    def samples(self) -> Sequence[Sample]:
        with self._lock:
            return [RECEIVED(self._received), REFUSED(self._refused)]


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
