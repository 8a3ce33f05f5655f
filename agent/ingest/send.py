"""Remote write to others: every tick that is stored here also goes to a Prometheus, through a queue on disk."""

import hashlib
import http.client
import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from agent.ingest import wire
from agent.ingest.queue import Position, Queue
from agent.ingest.remote_write import RemoteWrite
from collectors.model import Counter, Event, Gauge, Sample, Target
from history.model import Sink
from history.samples import STALE_BITS
from history.store.naming import series_labels, target_labels

log = logging.getLogger("raingauge.send")

TO = ("to",)
SENT = Counter("raingauge_remote_write_sent_batches_total", "Batches that the other side has taken.", TO)
REFUSED = Counter("raingauge_remote_write_rejected_batches_total", "Batches that it will never take.", TO)
DROPPED = Counter("raingauge_remote_write_dropped_ticks_total", "Ticks that went because the queue was full.", TO)
WAITING = Gauge("raingauge_remote_write_queue_bytes", "What waits to be sent, on disk.", TO)
FAMILIES = (SENT, REFUSED, DROPPED, WAITING)

BATCH_BYTES = 500_000
REJECTED_FOR_A_PART = frozenset({400, 409, 422})
"""What receivers answer when some samples are out of order; others, such as 401, are about the request."""
STALE = float(STALE_BITS.view("float64"))


class Sender:
    """One receiver: a queue, and a thread that empties it."""

    def __init__(self, config: RemoteWrite, state_dir: Path) -> None:
        self._config = config
        self._address = config.address()
        self.name = str(self._address)
        folder = hashlib.sha256(config.url.reveal().encode()).hexdigest()[:16]
        self.queue = Queue(state_dir / "remote_write" / folder, int(config.queue))
        self._sent = self._refused = 0
        self._taken: Position = (0, 0)
        self._one_by_one_until: Position = (0, 0)
        self._said = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remote-write", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What waits is sent after the next start."""
        self._stopping.set()
        self.queue.waiting.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self.queue.close()

    def samples(self) -> Sequence[Sample]:
        counts = (SENT, self._sent), (REFUSED, self._refused), (DROPPED, self.queue.dropped), (WAITING, self.queue.size)
        return [family(value, self.name) for family, value in counts]

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.is_set():
            if pause:
                self._stopping.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 # so that not all hosts ask at once
            else:
                self.queue.waiting.wait()
            try:
                pause = 0.0 if self._step() else min(60.0, max(1.0, 2 * pause))
            except OSError as error:
                self._say(f"its queue cannot be used: {error}")
                pause = 60.0

    def _step(self) -> bool:
        """Send one batch; False: try again later.

        If an answer got lost, what was taken comes again with what is new, and may be rejected wholly for it. So a
        batch that is rejected is sent once more, tick by tick: only what is rejected by itself is given up.
        """
        batch, end = self.queue.batch(1 if self._taken < self._one_by_one_until else BATCH_BYTES)
        if not batch or self._stopping.is_set():
            return True
        status, text = self._post(wire.packed(b"".join(batch)))
        if 200 <= status < 300:
            self._sent += 1
            self._said = ""
        elif status == 429 or not 400 <= status < 500:
            self._say(f"does not take them now: {status or 'no answer'} {text}")
            return False
        elif status in REJECTED_FOR_A_PART and len(batch) > 1:
            self._one_by_one_until = end
            return True
        else:
            self._refused += 1
            self._say(f"rejects a batch: {status} {text}")
        self.queue.done(end)
        self._taken = end
        return True

    def _post(self, body: bytes) -> tuple[int, str]:
        at = urlsplit(self._address.url)
        kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
        connection = kind(at.hostname or "", at.port, timeout=self._config.timeout)
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
            "User-Agent": "raingauge",
            **self._address.headers,
        }
        try:
            connection.request("POST", urlunsplit(("", "", at.path or "/", at.query, "")), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(300).decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()

    def _say(self, what: str) -> None:
        if what != self._said:  # once, not at each try
            log.warning("remote_write=%s %s", self.name, what)
        self._said = what


@dataclass
class Forwarding:
    """history.model.Sink that also sends on. A queue that cannot be written stops neither history nor the others."""

    sink: Sink
    senders: Sequence[Sender]

    def __post_init__(self) -> None:
        self._before: dict[Target, set[frozenset[tuple[str, str]]]] = {}

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        self.sink.append(target, t, samples)
        if not self.senders:
            return
        message = wire.encode(self._series(target, round(t * 1000), samples))
        for sender in self.senders if message else ():
            try:
                sender.queue.put(message)
            except OSError as error:
                log.error("remote_write=%s queue=failed error=%r", sender.name, str(error))

    def record(self, *events: Event) -> None:
        self.sink.record(*events)

    def _series(self, target: Target, stamp: int, samples: Sequence[Sample]) -> list[wire.Series]:
        """What has ended since the tick before has a stale marker."""
        common = target_labels(target)
        found: dict[frozenset[tuple[str, str]], wire.Series] = {}
        for sample in samples:
            labels = series_labels(sample.family, sample.labels, common)
            found.setdefault(frozenset(labels.items()), wire.Series(labels, [(stamp, sample.value)]))
        gone = self._before.get(target, set()) - found.keys()
        self._before[target] = set(found)
        return [*found.values(), *(wire.Series(dict(key), [(stamp, STALE)]) for key in gone)]
