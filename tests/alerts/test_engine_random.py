"""Random lives of one alert against what must hold whatever happens."""

import math
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alerts.engine import GAP_SECONDS, Reading
from alerts.model import Alert
from tests.alerts.clock import RULE, Clock, restarted


class Engine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(replace(RULE, keep_firing_for=25))
        self.true_seconds = 0.0  # seen true without a false between, gaps left out
        self.false_seen: float | None = None
        self.last_seen = -math.inf
        self.settled = 0

    def _pass(self, seconds: float) -> tuple[Alert | None, float]:
        before, gap = self.clock.alert, self.clock.now + seconds - self.last_seen
        self.clock.now += seconds
        return before, gap if gap <= GAP_SECONDS and self.settled else 0.0

    @rule(seconds=st.sampled_from([1, 10, 30, 100, 1000]))
    def is_true(self, seconds: float) -> None:
        before, gap = self._pass(seconds)
        after = self.clock.true(self.clock.now)
        assert after
        continued = before is not None and before.state != "resolved"
        self.true_seconds = self.true_seconds + gap if continued else 0.0
        if after.state == "firing" and not (before and before.state == "firing"):
            assert self.true_seconds >= RULE.hold
        if after.state == "pending":
            assert self.true_seconds < RULE.hold
        self.last_seen, self.false_seen = self.clock.now, None
        self.settled += 1

    @rule(seconds=st.sampled_from([1, 10, 30, 1000]))
    def is_false(self, seconds: float) -> None:
        before, _ = self._pass(seconds)
        after = self.clock.at(self.clock.now)
        self.settled += 1
        if before and before.state == "firing":
            if self.settled < 2:
                assert after == before
                return
            self.false_seen = self.clock.now if self.false_seen is None else self.false_seen
            assert after
            if after.state == "resolved":
                assert self.clock.now - self.false_seen >= 25
            self.last_seen = self.clock.now
        if before and before.state == "pending":
            assert (after is None) == (self.settled >= 2)

    @rule(seconds=st.sampled_from([1, 10, 1000]))
    def is_missing(self, seconds: float) -> None:
        before, _ = self._pass(seconds)
        after = self.clock.at(self.clock.now, reading=lambda _labels: Reading(missing=True, read_at=0))
        self.settled += 1
        if before and before.state != "resolved":
            assert after
            assert after.state == before.state
            assert after.missing_since is not None

    @rule(seconds=st.sampled_from([1, 10, 1000]))
    def fails(self, seconds: float) -> None:
        before, _ = self._pass(seconds)
        assert self.clock.at(self.clock.now, error="timeout") == before

    @precondition(lambda self: self.settled)
    @rule()
    def restarts(self) -> None:
        self.clock = restarted(self.clock)
        self.settled = 0

    @invariant()
    def stamps_agree_with_the_state(self) -> None:
        if alert := self.clock.alert:
            assert (alert.fired_at is None) == (alert.state == "pending")
            assert (alert.resolved_at is None) == (alert.state != "resolved")
            assert alert.last_true <= alert.seen <= self.clock.now


TestEngine = Engine.TestCase
TestEngine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
