"""One target over time: which parts are due, what the last reads said, and what a closing tick publishes.

No threads and no clock: every method is given the time. Rules: docs/decisions.md, "Ticks".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.reading import Reading, renewed
from collectors.config import Config
from collectors.model import LABEL_BOUND, Collector, Family, Part, PartRead, PartStatus, Sample, Target

DEADLINE_SECONDS = 10.0
RESET_SECONDS = 3.0
"""A counter marked `keep_highest` that falls by more than this was reset; by less, the kernel's rounding."""
OTHER = "other"
FORGET_SECONDS = 3600.0
"""Label values that were not seen for so long make room for new ones: interfaces of containers come and go."""
SWEEP_SECONDS = 60.0

CPU_BUDGET = 0.05
"""Share of its interval that a part may use of one CPU."""
RETRY_SECONDS = 60.0
"""Between two looks for what is not there, or a server that could not be reached, whatever the part's interval."""
SERVER_BUDGET = 0.1
"""Share of its interval that a database may work for a part."""
DEAR_READS, CHEAP_READS = 3, 10
"""After so many, one after another, a part is read half as often, and again twice as often."""
MOST_SLOWED = 16

Labelled = tuple[Family, tuple[str, ...]]

Same = tuple[str, Config, tuple[float, ...]]
"""Collector, settings and intervals: two watches that agree in them are one target that goes on undisturbed."""


@dataclass(frozen=True)
class Watch:
    """A target to be watched, and how we came to it."""

    collector: Collector
    config: Config
    found: str = "configuration"
    remedy: str = ""

    @property
    def same(self) -> Same:
        parts = (part.interval for part in self.collector.parts)
        followers = (follower.interval for follower in self.collector.followers)
        return self.collector.name, self.config, (*parts, *followers)


def deadline(part: Part) -> float:
    """Seconds after which a read that has not returned counts as failed, though its thread is left waiting."""
    return min(part.interval, DEADLINE_SECONDS)


def _after(now: float, interval: float) -> float:
    """The next multiple of the interval."""
    return (math.floor(now / interval + 1e-6) + 1) * interval


def _is_due(state: "PartState", now: float) -> bool:
    """Or overdue; or due later than it can be, after the clock was set back."""
    return not now + 1e-3 < state.next_due <= now + state.interval


@dataclass
class PartState:
    part: Part
    next_due: float = -math.inf  # Unix seconds
    reading_since: float | None = None  # Unix seconds; a read is under way
    timed_out: bool = False
    reads: int = 0
    last: Reading | None = None
    last_success: float | None = None  # Unix seconds
    samples: tuple[Sample, ...] = ()
    failures: dict[str, int] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    read_seconds: float = 0.0
    slowed: int = 1
    """How many times its interval it is read, because it costs too much."""
    dear: int = 0
    """Reads one after another that were over budget; less than 0: that would be within it at half the interval."""

    @property
    def interval(self) -> float:
        """Seconds between two reads now."""
        seconds = self.part.interval * self.slowed
        return max(seconds, RETRY_SECONDS) if self.outcome == "absent" else seconds

    @property
    def keeps_highest(self) -> bool:
        return any(family.keep_highest for family in self.part.families)

    @property
    def outcome(self) -> str:
        if self.timed_out:
            return "timeout"
        return self.last.outcome if self.last else "waiting"


def _how_it_went(state: PartState) -> PartRead:
    seconds = state.last.seconds if state.last else 0.0
    return PartRead(state.part.name, state.outcome == "ok", seconds, sum(state.failures.values()))


class Ticking:
    def __init__(self, watch: Watch, host: str, followed: Sequence[Part] = ()) -> None:
        """`followed`: the parts that publish what the collector's followers know."""
        self.watch = watch
        self.target: Target = watch.collector.target(watch.config, host)
        self.parts = [PartState(part) for part in (*watch.collector.parts, *followed)]
        self.interval = min(state.part.interval for state in self.parts)
        self.overflow: dict[tuple[str, str], int] = {}
        self._known: dict[tuple[Family, str], set[str]] = {}
        self._seen: dict[Labelled, float] = {}
        """Labels within their bounds -> Unix seconds of their last sample."""
        self._swept = -math.inf  # Unix seconds
        self._highest: dict[Labelled, float] = {}

    def begin(self, now: float) -> list[PartState]:
        """The parts to read at this tick; they count as being read from now on. One that hangs is not read again."""
        due = [state for state in self.parts if state.reading_since is None and _is_due(state, now)]
        for state in due:
            state.reads += 1
            state.reading_since = now
            # A second read soon after the first makes rates exist at once.
            again = state.reads == 1 and state.interval <= 60
            state.next_due = now if again else _after(now, state.interval)
        return due

    def answer(self, state: PartState, reading: Reading, now: float) -> None:
        state.reading_since = None
        self._weigh(state, reading)
        state.last = replace(reading, payload=None, samples=())  # nobody asks for them again
        soon = RETRY_SECONDS if reading.outcome == "unreachable" else state.interval  # shorter: it was absent before
        state.next_due = min(state.next_due, _after(now, soon))
        if reading.answered:
            same = renewed(reading.samples, state.samples)
            bounded = self._bounded(state, reading.samples, now) if same is None else same
            state.samples = tuple(self._kept_highest(bounded) if state.keeps_highest else bounded)
            state.last_success = now
        else:
            self._failed(state, reading.outcome)
        state.timed_out = False

    def _weigh(self, state: PartState, reading: Reading) -> None:
        """A part that costs too much is read more rarely, until it costs less."""
        state.cpu_seconds += reading.cpu_seconds
        state.read_seconds += reading.read_seconds
        if not reading.answered:
            return
        share = reading.cpu_seconds / state.interval / CPU_BUDGET
        if self.watch.collector.connect is not None:  # that long a server works for us
            share = max(share, reading.read_seconds / state.interval / SERVER_BUDGET)
        if share > 1:
            state.dear = max(0, state.dear) + 1
        else:
            state.dear = min(0, state.dear) - 1 if share < 0.25 else 0
        if state.dear >= DEAR_READS and state.slowed < MOST_SLOWED:
            state.slowed, state.dear = state.slowed * 2, 0
        elif state.dear <= -CHEAP_READS and state.slowed > 1:
            state.slowed, state.dear = state.slowed // 2, 0

    def expire(self, now: float) -> None:
        """Reads past their deadline count as failed once, and their values end."""
        for state in self.parts:
            if state.reading_since is None or state.timed_out:
                continue
            state.reading_since = min(state.reading_since, now)  # after the clock was set back
            if now - state.reading_since >= deadline(state.part):
                state.timed_out = True
                self._failed(state, "timeout")

    def _failed(self, state: PartState, reason: str) -> None:
        self._end(state)
        if not (reason != "timeout" and state.timed_out):  # the late end of a read that timed out is the same failure
            state.failures[reason] = state.failures.get(reason, 0) + 1

    def close(self, now: float) -> tuple[tuple[Sample, ...], bool | None]:
        """What the tick publishes, and whether the target is up; None while no part has answered or failed."""
        self.expire(now)
        for state in self.parts:
            if state.last_success is not None and abs(now - state.last_success) > 2 * state.interval:
                self._end(state)
        samples = [sample for state in self.parts for sample in state.samples]
        samples += [*self._answering(), *self._of_reads()]
        known = [state.outcome for state in self.parts if state.outcome != "waiting" and not state.part.beside]
        return tuple(samples), any(outcome in ("ok", "absent") for outcome in known) if known else None

    def _answering(self) -> list[Sample]:
        """`<x>_up`, decided by the collector's first part: 0 when it is unreachable, absent when we were denied."""
        collector = self.watch.collector
        value = {"ok": 1, "absent": 1, "unreachable": 0, "timeout": 0}.get(self.parts[0].outcome)
        if collector.up is None or value is None:
            return []
        return [collector.up(self.watch.config, value)]

    def _of_reads(self) -> list[Sample]:
        of_read = self.watch.collector.of_read
        if of_read is None:
            return []
        told = (state for state in self.parts if state.last is not None and state.outcome != "absent")
        return [sample for state in told for sample in of_read(self.watch.config, _how_it_went(state))]

    def statuses(self, now: float) -> tuple[PartStatus, ...]:
        return tuple(self._status(state, now) for state in self.parts)

    @staticmethod
    def _status(state: PartState, now: float) -> PartStatus:
        error, last = "", state.last
        if state.timed_out and state.reading_since is not None:
            error = (
                f"no answer within {deadline(state.part):g} s, still waiting after {now - state.reading_since:.0f} s"
            )
        elif last:
            error = last.error
        if state.slowed > 1 and not error:
            error = f"costs too much to be read each {state.part.interval:g} s: read each {state.interval:g} s for now"
        return PartStatus(
            state.part.name, state.interval, state.outcome, error, last.seconds if last else None,
            state.last_success, len(state.samples), state.part.beside,
        )  # fmt: skip

    def _end(self, state: PartState) -> None:
        """Nothing of it is published any more."""
        self._note_seen(state)
        state.samples = ()

    def _note_seen(self, state: PartState) -> None:
        """When its series were seen last; not written down while they are the same from read to read."""
        seen = (sample[:2] for sample in state.samples)
        self._seen.update(dict.fromkeys((key for key in seen if key in self._seen), state.last_success or 0.0))

    def _kept_highest(self, samples: Sequence[Sample]) -> list[Sample]:
        kept = []
        for sample in samples:
            if sample.family.keep_highest:
                key = (sample.family, sample.labels)
                before = self._highest.get(key, sample.value)
                if before - RESET_SECONDS < sample.value < before:
                    sample = sample._replace(value=before)  # noqa: PLW2901
                self._highest[key] = sample.value
            kept.append(sample)
        return kept

    def _bounded(self, state: PartState, samples: Sequence[Sample], now: float) -> list[Sample]:
        """Label values past their bound become `other`; samples that then coincide are added up."""
        self._note_seen(state)
        bounded: dict[Labelled, Sample] = {}
        for sample in samples:
            family, own, value = sample
            if (family, own) in self._seen:
                labels = own
            else:
                pairs = zip(family.labels, own, strict=True)
                labels = tuple(self._label(family, name, text, now) for name, text in pairs)
            key = (family, labels)
            if labels == own:
                self._seen[key] = now
            if OTHER in labels and (there := bounded.get(key)):  # a real one may be called so, too
                value += there.value
            bounded[key] = Sample(family, labels, value)
        return list(bounded.values())

    def _label(self, family: Family, name: str, value: str, now: float) -> str:
        known = self._known.setdefault((family, name), set())
        if value in known:
            return value
        bound = family.bounds.get(name, LABEL_BOUND)
        if len(known) >= bound:
            self._sweep(now)
        if len(known) >= bound:
            key = (family.name, name)
            self.overflow[key] = self.overflow.get(key, 0) + 1
            return OTHER
        known.add(value)
        return value

    def _sweep(self, now: float) -> None:
        """Forget what was not seen for long."""
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        there = {sample[:2] for state in self.parts for sample in state.samples}  # of a part that is read once a day
        self._seen = {key: seen for key, seen in self._seen.items() if now - seen < FORGET_SECONDS or key in there}
        self._highest = {key: value for key, value in self._highest.items() if key in self._seen}
        for (family, name), known in self._known.items():
            at = family.labels.index(name)
            known &= {labels[at] for each, labels in self._seen if each is family}
