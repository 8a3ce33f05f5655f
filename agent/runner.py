"""Reads every target on time, and publishes each tick at once: to the pages and to history.

A tick of one interval: the due parts of all targets begin together, a target closes when its parts have answered, and
at the latest min(2 s, half the interval) after it was due.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from agent import outcomes
from agent.pages import Pages
from agent.reading import Reading
from agent.ticking import PartState, Ticking, Watch
from agent.worker import Worker
from collectors.model import UP, Part, Sample, TargetStatus
from history.model import Sink

log = logging.getLogger("raingauge.runner")

GRACE_SECONDS = 2.0
STUCK_SECONDS = 0.25
"""A worker busy for so long with one part gives its other parts to a new one."""
QUICK_SECONDS = 1.5
"""From a target's first read to its second."""


class Watched:
    """A target, the thread that reads it, and what was logged of it last."""

    def __init__(self, ticking: Ticking, answered: threading.Condition, clock: Callable[[], float]) -> None:
        self.ticking = ticking
        self._clock = clock
        self.lock = threading.Lock()
        self.pending: list[PartState] = []
        """Parts of the tick under way that have not answered."""
        self.ended = False
        self.last_stamp = 0.0  # Unix seconds
        self._answered = answered
        self._worker: Worker | None = None
        self._said: dict[str, str] = {}

    def ask(self, now: float) -> None:
        with self.lock:
            self.pending = [] if self.ended else self.ticking.begin(now)
            for state in self.pending:
                self._worker = self._worker or Worker(self.ticking.watch, self._take)
                self._worker.read(state)

    def relieve(self) -> None:
        """Leave the worker to the read that it is stuck in; a new one takes the other parts."""
        with self.lock:
            stuck, self._worker = self._worker, None
            waiting = stuck.leave() if stuck else []
            if waiting:
                self._worker = Worker(self.ticking.watch, self._take)
            for state in waiting:
                assert self._worker is not None
                self._worker.read(state)

    def leave(self) -> None:
        with self.lock:
            self.ended = True
            if self._worker:
                self._worker.leave()

    def _take(self, state: PartState, reading: Reading) -> None:
        with self.lock:
            self.ticking.answer(state, reading, self._clock())
            if state in self.pending:
                self.pending.remove(state)
        self._log(state, reading)
        with self._answered:
            self._answered.notify_all()

    def _log(self, state: PartState, reading: Reading) -> None:
        """The first failure, a changed reason, the recovery; not each cycle."""
        name, target = state.part.name, self.ticking.target
        now, before = "ok" if reading.answered else reading.outcome, self._said.get(name, "ok")
        self._said[name] = now
        if now == before:
            return
        where = f"job={target.job} instance={target.instance} part={name}"
        if reading.answered:
            log.info("%s recovered=%s", where, before)
        else:
            log.warning("%s reason=%s error=%r", where, now, reading.error, exc_info=reading.bug)


class Runner:
    """`set_targets` any time, from any thread; `start` and `stop` once each."""

    def __init__(
        self,
        host: str,
        sink: Sink | None = None,
        *,
        version: str = "",
        clock: Callable[[], float] = time.time,
        own: Callable[[], Sequence[Sample]] = tuple,
    ) -> None:
        """`own`: more samples for the `raingauge` target, from rooms that the runner does not know."""
        self.host = host
        self.pages = Pages()
        self._sink = sink
        self._clock = clock
        self._version = version
        self._own = own
        self._append_failures = 0
        self._append_said = ""
        self._lock = threading.RLock()
        self._answered = threading.Condition()
        self._targets: dict[object, Watched] = {}
        self._running = False
        self._stopping = threading.Event()
        self._scheduler = BackgroundScheduler(
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 5}, timezone="UTC"
        )
        part = Part("process", outcomes.FAMILIES, lambda _config: None, lambda _nothing: self._own_samples())
        self._own_watch = outcomes.own_watch(part)
        self.set_targets(())

    def _own_samples(self) -> Sequence[Sample]:
        tickings = [watched.ticking for watched in self._watched()]
        return (
            outcomes.BUILD(1, self._version),
            outcomes.APPEND_FAILURES(self._append_failures),
            *outcomes.process(),
            *outcomes.outcomes(tickings),
            *self._own(),
        )

    def _watched(self) -> list[Watched]:
        with self._lock:
            return list(self._targets.values())

    def set_targets(self, watches: Sequence[Watch]) -> None:
        """What is watched from now on. A target that was there before goes on undisturbed; one that is gone ends."""
        wanted = {watch.same: watch for watch in (*watches, self._own_watch)}
        with self._lock:
            gone = [self._targets.pop(key) for key in list(self._targets) if key not in wanted]
            new = [self._new(watch) for key, watch in wanted.items() if key not in self._targets]
            for watched in new:
                self._targets[watched.ticking.watch.same] = watched
        for watched in gone:
            watched.leave()
            self.pages.forget(watched.ticking.target)
            self._append(watched, self._clock(), ())
        if self._running:
            self._begin(new)

    def _new(self, watch: Watch) -> Watched:
        return Watched(Ticking(watch, self.host), self._answered, self._clock)

    def start(self) -> None:
        self._running = True
        self._scheduler.start()
        self._begin(self._watched())

    def stop(self) -> None:
        """Ends at once, whatever hangs: threads that are in a read are left to the end of the process."""
        self._running = False
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        for watched in self._watched():
            watched.leave()

    def statuses(self) -> tuple[TargetStatus, ...]:
        now, found = self._clock(), []
        for watched in self._watched():
            ticking = watched.ticking
            with watched.lock:
                parts = ticking.statuses(now)
            watch = ticking.watch
            slug = self.pages.slug(ticking.target)
            found.append(TargetStatus(ticking.target, slug, watch.collector.name, watch.found, parts, watch.remedy))
        return tuple(found)

    def _begin(self, new: Sequence[Watched]) -> None:
        """Two quick ticks for what is new; from then on it ticks with all others of its interval."""
        if not new:
            return
        for interval in {watched.ticking.interval for watched in new}:
            name = f"tick-{interval:g}"
            if not self._scheduler.get_job(name):
                first = datetime.fromtimestamp(stamp_of(self._clock(), interval) + interval, UTC)
                self._scheduler.add_job(
                    self._regular, "interval", [interval], id=name, seconds=interval, start_date=first
                )
        threading.Thread(target=self._quick, args=[new], name="first-ticks", daemon=True).start()

    def _quick(self, new: Sequence[Watched]) -> None:
        self.tick(new, self._clock())
        self._stopping.wait(QUICK_SECONDS)
        self.tick(new, self._clock())

    def _regular(self, interval: float) -> None:
        group = [watched for watched in self._watched() if watched.ticking.interval == interval]
        self.tick(group, stamp_of(self._clock(), interval))

    def tick(self, group: Sequence[Watched], stamp: float) -> None:
        """Read what is due and close each target as soon as it has answered. `stamp`: Unix seconds."""
        own = [watched for watched in group if watched.ticking.watch is self._own_watch]
        others = [watched for watched in group if watched not in own]
        for targets in (others, own):  # our own target last, so that it says how this tick went
            self._tick(targets, stamp)
        self.pages.render()

    def _tick(self, targets: Sequence[Watched], stamp: float) -> None:
        begun = time.monotonic()
        for watched in targets:
            watched.ask(stamp)
        open_targets = self._gather(targets, stamp, begun + STUCK_SECONDS)
        for watched in open_targets:
            watched.relieve()
        grace = min([GRACE_SECONDS, *(watched.ticking.interval / 2 for watched in open_targets)])
        for watched in self._gather(open_targets, stamp, begun + grace):
            self._close(watched, stamp)

    def _gather(self, targets: Sequence[Watched], stamp: float, until: float) -> list[Watched]:
        """Close those that have answered before `until` (monotonic); the others are returned."""
        waiting = list(targets)
        while True:
            done = [watched for watched in waiting if not watched.pending]
            waiting = [watched for watched in waiting if watched not in done]
            for watched in done:
                self._close(watched, stamp)
            with self._answered:
                if not waiting or time.monotonic() >= until:
                    return waiting
                if all(watched.pending for watched in waiting):
                    self._answered.wait(until - time.monotonic())

    def _close(self, watched: Watched, stamp: float) -> None:
        with watched.lock:
            if watched.ended or stamp <= watched.last_stamp:
                return
            watched.last_stamp = stamp
            samples, up = watched.ticking.close(stamp)
        self.pages.publish(watched.ticking.target, samples)
        self._append(watched, stamp, (*samples, UP(up)))

    def _append(self, watched: Watched, stamp: float, samples: Sequence[Sample]) -> None:
        if self._sink is None:
            return
        try:
            self._sink.append(watched.ticking.target, stamp, samples)
        except Exception as error:  # the boundary to history: the pages go on without it
            self._append_failures += 1
            if str(error) != self._append_said:
                self._append_said = str(error)
                log.exception("append=failed job=%s", watched.ticking.target.job)
        else:
            self._append_said = ""


def stamp_of(now: float, interval: float) -> float:
    """The tick that `now` belongs to: the last multiple of the interval."""
    return math.floor(now / interval + 1e-3) * interval
