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
from agent.followers import Followed, Kept
from agent.pages import Pages
from agent.ticking import Same, Ticking, Watch
from agent.watched import Watched
from collectors.model import UP, Part, Sample, TargetStatus
from history.model import Sink

log = logging.getLogger("raingauge.runner")

LOOK_SECONDS = 0.25
"""How often a tick looks for workers that are stuck."""
QUICK_SECONDS = 1.5
"""From a target's first read to its second."""


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
        kept: Kept | None = None,
    ) -> None:
        """`own`: more samples for the `raingauge` target, from rooms that the runner does not know.

        `kept`: what followers know; without it nothing is followed.
        """
        self.host = host
        self.pages = Pages()
        self._sink = sink
        self._clock = clock
        self._version = version
        self._own = own
        self._kept = kept
        self._append_failures = 0
        self._append_said = ""
        self._lock = threading.RLock()
        self._answered = threading.Condition()
        self._targets: dict[Same, Watched] = {}
        self._running = False
        self._stopping = threading.Event()
        self._scheduler = BackgroundScheduler(
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 5}, timezone="UTC"
        )
        part = Part("process", outcomes.FAMILIES, lambda _config: None, lambda _nothing: self._own_samples())
        self._own_watch = outcomes.own_watch(part)
        self.set_targets(())

    def _own_samples(self) -> Sequence[Sample]:
        said: list[Sample] = []
        for watched in self.watched():
            with watched.lock:
                said += outcomes.outcomes(watched.ticking)
        return (
            outcomes.BUILD(1, self._version),
            outcomes.APPEND_FAILURES(self._append_failures),
            *outcomes.process(),
            *said,
            *self._own(),
        )

    def watched(self) -> list[Watched]:
        with self._lock:
            return list(self._targets.values())

    def set_targets(self, watches: Sequence[Watch]) -> None:
        """What is watched from now on. A target that was there before goes on undisturbed; one that is gone ends."""
        wanted = {watch.same: watch for watch in (*watches, self._own_watch)}
        with self._lock:
            gone = [self._targets.pop(key) for key in list(self._targets) if key not in wanted]
            for key, watched in self._targets.items():
                watched.ticking.watch = wanted[key]  # found in other words, perhaps
            new = [self._new(watch) for key, watch in wanted.items() if key not in self._targets]
            for watched in new:
                self._targets[watched.ticking.watch.same] = watched
        for watched in gone:
            self._end(watched)
        if self._running:
            self._begin(new)

    def _end(self, watched: Watched) -> None:
        watched.leave()
        with watched.publishing():
            self.pages.forget(watched.ticking.target)
            if watched.last_stamp:
                self._append(watched, max(self._clock(), watched.last_stamp + 0.001), ())

    def _new(self, watch: Watch) -> Watched:
        target = watch.collector.target(watch.config, self.host)
        followers = watch.collector.followers if self._kept else ()
        followed = [Followed(each, watch.config, target, self._kept) for each in followers if self._kept]
        ticking = Ticking(watch, self.host, [each.part for each in followed])
        return Watched(ticking, self._answered, self._clock, followed)

    def start(self) -> None:
        self._running = True
        self._scheduler.start()
        self._begin(self.watched())

    def stop(self) -> None:
        """Ends at once, whatever hangs: threads that are in a read are left to the end of the process."""
        self._running = False
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        for watched in self.watched():
            watched.leave()

    @property
    def last_tick(self) -> float:
        """Unix seconds of the newest tick of any target; 0 before the first."""
        return max((watched.last_stamp for watched in self.watched()), default=0.0)

    def statuses(self) -> tuple[TargetStatus, ...]:
        now, found = self._clock(), []
        for watched in self.watched():
            ticking = watched.ticking
            with watched.lock:
                parts = ticking.statuses(now)
            watch = ticking.watch
            slug = self.pages.slug(ticking.target)
            found.append(TargetStatus(ticking.target, slug, watch.collector.name, watch.found, parts, watch.remedy))
        return tuple(found)

    def _begin(self, new: Sequence[Watched]) -> None:
        """Two quick ticks for what is new; from then on it ticks with all others of its interval."""
        for watched in new:
            watched.follow()
        now = self._clock()
        for interval in {watched.ticking.interval for watched in self.watched()}:
            name, first = f"tick-{interval:g}", _datetime(stamp_of(now, interval) + interval)
            job = self._scheduler.get_job(name)
            if not job:
                self._scheduler.add_job(
                    self._regular, "interval", [interval], id=name, seconds=interval, start_date=first
                )
            elif job.next_run_time > _datetime(now + 2 * interval):  # the clock was set back
                job.modify(next_run_time=first)
        if new:
            threading.Thread(target=self._quick, args=[new], name="first-ticks", daemon=True).start()

    def _quick(self, new: Sequence[Watched]) -> None:
        first = self._clock()
        self.tick(new, first)
        self._stopping.wait(QUICK_SECONDS)
        self.tick([watched for watched in new if watched.last_stamp <= first], self._clock())

    def _regular(self, interval: float) -> None:
        group = [watched for watched in self.watched() if watched.ticking.interval == interval]
        self.tick(group, stamp_of(self._clock(), interval))

    def tick(self, group: Sequence[Watched], stamp: float) -> None:
        """Read what is due and close each target as soon as it has answered. `stamp`: Unix seconds."""
        own = [watched for watched in group if watched.ticking.watch is self._own_watch]
        others = [watched for watched in group if watched not in own]
        for targets in (others, own):  # our own target last, so that it says how this tick went
            self._tick(targets, stamp)
        self.pages.render()

    def _tick(self, targets: Sequence[Watched], stamp: float) -> None:
        look = time.monotonic()
        until = look + min((grace(watched.ticking.interval) for watched in targets), default=0.0)
        waiting = [watched for watched in targets if watched.begin(stamp)]
        while waiting and look < until:
            look = min(look + LOOK_SECONDS, until)
            waiting = self._gather(waiting, stamp, look)
            for watched in waiting:
                watched.relieve()
        for watched in waiting:
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
        with watched.publishing() as allowed:
            if not allowed:
                return
            samples, up = watched.close(stamp)
            self.pages.publish(watched.ticking.target, samples)
            if stamp != watched.last_stamp:
                watched.last_stamp = stamp
                self._append(watched, stamp, samples if up is None else (*samples, UP(up)))

    def _append(self, watched: Watched, stamp: float, samples: Sequence[Sample]) -> None:
        if self._sink is None:
            return
        try:
            self._sink.append(watched.ticking.target, stamp, samples)
        except Exception as error:  # the boundary to history: the pages go on without it
            self._append_failures += 1
            # Of a time that it has already, after the clock was set back, history refuses each tick in other words.
            said = "the past" if isinstance(error, ValueError) else str(error)
            if said != self._append_said:
                self._append_said = said
                log.exception("append=failed job=%s", watched.ticking.target.job)
        else:
            self._append_said = ""


def grace(interval: float) -> float:
    """Seconds after which a tick closes without those that have not answered."""
    return min(2.0, interval / 2)


def _datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def stamp_of(now: float, interval: float) -> float:
    """The tick that `now` belongs to: the last multiple of the interval."""
    return math.floor(now / interval + 1e-3) * interval
