"""Any order of begin, answer, expire and close: what is published is true, whole and recent."""

import math
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.reading import Reading
from agent.ticking import RETRY_SECONDS, PartState, Ticking, deadline
from collectors.model import Family, Gauge, Part
from tests.agent.fakes import UP, Script, part, watch

INTERVALS = {"fast": 10.0, "second": 1.0, "slow": 60.0, "hourly": 3600.0}
FAMILIES = {name: Gauge(f"fake_{name}", "The read's number, on each of its samples.", ("n",)) for name in INTERVALS}
FAILURES = ("unreachable", "denied", "unsupported", "parse", "bug")


@dataclass
class Truth:
    """What the test knows of a part."""

    interval: float
    outcome: str = "waiting"
    number: int = 0
    """Of the read whose samples may be published."""
    samples: int = 0
    at: float = 0.0
    since: float | None = None
    known: float = -math.inf
    """When the last read began or was answered."""
    slots: list[int] = field(default_factory=list)
    """Multiples of the interval at which it was read."""
    failures: int = 0
    late: bool = False
    """The read under way has timed out already."""

    @property
    def pace(self) -> float:
        """What is absent is looked for once a minute."""
        return max(self.interval, RETRY_SECONDS) if self.outcome == "absent" else self.interval

    def fail(self, outcome: str) -> None:
        self.outcome, self.samples = outcome, 0


def _slot(at: float, truth: Truth) -> int:
    return math.floor(at / truth.pace)


class TickingMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_790_000_000.0
        self.reads = 0
        self.parts: list[Part] = [part(Script(), name, INTERVALS[name], FAMILIES[name]) for name in INTERVALS]
        self.ticking = Ticking(watch(*self.parts), "web")
        self.truth = {name: Truth(interval) for name, interval in INTERVALS.items()}
        self.reading: list[PartState] = []

    @rule(seconds=st.one_of(st.floats(0.01, 2), st.floats(2, 30), st.sampled_from([1, 10, 60, 130, 4000])))
    def time_goes_by(self, seconds: float) -> None:
        self.now += seconds

    @rule(seconds=st.sampled_from([0.5, 15, 3600]))
    def clock_is_set_back(self, seconds: float) -> None:
        self.now -= seconds
        for truth in self.truth.values():
            truth.slots.clear()

    @rule()
    def begin(self) -> None:
        due = self.ticking.begin(self.now)
        names = [state.part.name for state in due]
        assert not set(names) & {state.part.name for state in self.reading}  # what hangs is not read again
        for name, truth in self.truth.items():
            slot = math.floor(self.now / truth.interval)
            if name in names:
                most = 2 if truth.interval <= 60 else 1
                assert truth.slots.count(slot) < most or truth.outcome == "unreachable"  # which is tried again soon
                truth.slots.append(slot)
                truth.since, truth.late, truth.known = self.now, False, self.now
            elif truth.since is None and truth.slots and _slot(self.now, truth) > _slot(truth.known, truth):
                raise AssertionError(f"{name} was not read at {self.now}, last in slot {truth.slots[-1]}")
        self.reading += due

    @precondition(lambda self: self.reading)
    @rule(data=st.data(), outcome=st.sampled_from(["ok", "ok", "ok", "absent", *FAILURES]), count=st.integers(0, 3))
    def answer(self, data: st.DataObject, outcome: str, count: int) -> None:
        state = self.reading.pop(data.draw(st.integers(0, len(self.reading) - 1)))
        name, truth = state.part.name, self.truth[state.part.name]
        self.reads += 1
        count = count if outcome == "ok" else 0
        samples = tuple(FAMILIES[name](self.reads, str(n)) for n in range(count))
        self.ticking.answer(state, Reading(state.part, outcome, "why", samples), self.now)
        if outcome in ("ok", "absent"):
            truth.outcome, truth.number, truth.samples, truth.at = outcome, self.reads, count, self.now
        else:
            truth.fail(outcome)
            truth.failures += not truth.late  # the late end of a read that timed out is the same failure
        truth.since, truth.known = None, self.now

    @rule()
    def expire(self) -> None:
        self.ticking.expire(self.now)
        self._expired()

    def _expired(self) -> None:
        for name, truth in self.truth.items():
            if truth.since is None or truth.late:
                continue
            truth.since = min(truth.since, self.now)
            if self.now - truth.since >= deadline(next(each for each in self.parts if each.name == name)):
                truth.fail("timeout")
                truth.late = True
                truth.failures += 1

    @rule()
    def close(self) -> None:
        samples, up = self.ticking.close(self.now)
        self._expired()
        expected: set[tuple[Family, tuple[str, ...], float]] = set()
        for name, truth in self.truth.items():
            if abs(self.now - truth.at) > 2 * truth.interval:
                truth.samples = 0
            expected |= {(FAMILIES[name], (str(n),), truth.number) for n in range(truth.samples)}
        answering = {"ok": 1, "absent": 1, "unreachable": 0, "timeout": 0}.get(self.truth["fast"].outcome)
        if answering is not None:
            expected.add((UP, (), answering))
        assert set(samples) == expected
        assert len(samples) == len(expected)
        known = {truth.outcome for truth in self.truth.values()} - {"waiting"}
        assert up == (bool(known & {"ok", "absent"}) if known else None)

    @invariant()
    def failures_are_counted_once(self) -> None:
        counted = {state.part.name: sum(state.failures.values()) for state in self.ticking.parts}
        assert counted == {name: truth.failures for name, truth in self.truth.items()}


TestTicking = TickingMachine.TestCase
TestTicking.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
