"""Random lives of many alerts on the path, against what must hold whatever happens."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alerts import silences
from alerts.matchers import parse_matchers
from alerts.notices import fingerprint
from alerts.path.deciding import LOOK_AGAIN
from alerts.path.flow import Flow
from alerts.silences import Silence
from tests.alerts.examples import database
from tests.alerts.walk import TICK, Walk, routes

WAIT, INTERVAL = 20.0, 60.0
ROUTES = f"""
inhibit_rules: [{{source_matchers: ['alertname="A"'], target_matchers: ['alertname="B"'], equal: [host]}}]
route: {{receiver: ops, group_by: [alertname], group_wait: {WAIT:.0f}s, group_interval: {INTERVAL:.0f}s, routes: [
  {{receiver: boss, matchers: ['host="web2"'], continue: true}},
  {{matchers: ['alertname="A"'], escalate: [{{after: 2m, receiver: boss}}]}},
  {{matchers: ['host=~".*"']}}]}}
"""
PATIENCE = max(WAIT, INTERVAL, LOOK_AGAIN) + TICK
ALERTS = st.tuples(st.sampled_from("ABCD"), st.sampled_from(["web1", "web2"]))
At = tuple[str, str, str]
"""Receiver, group key, fingerprint."""


class OnThePath(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.walk = Walk(database(self.folder), routes(ROUTES))
        self.known: set[At] = set()
        """Whose last word was that it fires."""
        self.loud_since: dict[At, float] = {}
        """Since when it fires, is not suppressed, and is not known."""

    def teardown(self) -> None:
        self.walk.engine.dispose()
        shutil.rmtree(self.folder)

    @rule(which=ALERTS)
    def fires(self, which: tuple[str, str]) -> None:
        self.walk.fire(which[0], host=which[1])

    @rule(which=ALERTS)
    def ends(self, which: tuple[str, str]) -> None:
        key = fingerprint({"alertname": which[0], "host": which[1], "severity": "critical"})
        if key in self.walk.alerts and self.walk.alerts[key].state == "firing":
            self.walk.end(which[0], host=which[1])

    @rule(which=st.sampled_from("ABCD"), seconds=st.sampled_from([30, 120]))
    def is_silenced(self, which: str, seconds: float) -> None:
        now = self.walk.now
        given = Silence(parse_matchers(f'alertname="{which}"'), now, now + seconds, "kim", "x")
        silences.post(self.walk.engine, given, now)

    @rule(which=ALERTS)
    def is_acknowledged(self, which: tuple[str, str]) -> None:
        key = fingerprint({"alertname": which[0], "host": which[1], "severity": "critical"})
        if key in self.walk.alerts:
            now = self.walk.now
            silences.acknowledge(self.walk.engine, self.walk.alerts[key], "kim", now=now, until=now + 300)

    @rule()
    def restarts(self) -> None:
        """Everything that the path knows is in the database."""
        before = self.walk.flow()
        self.walk.engine.dispose()
        self.walk.engine = database(self.folder)
        assert self.walk.flow().batches == before.batches

    @rule(here=st.booleans())
    def receivers_are(self, here: bool) -> None:
        self.walk.accept = lambda _receiver: here

    @rule(ticks=st.integers(1, 12))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            flow = self.walk.flow()
            told = self.walk.tick()
            self._words(flow)
            self._loud(flow)
            assert all(one.reason for one in told)

    def _words(self, flow: Flow) -> None:
        """What goes into the outbox now."""
        for batch in flow.batches:
            for alert in batch.alerts:
                at = (*batch.address, fingerprint(alert.labels))
                if alert.state == "firing":
                    self.known.add(at)
                else:
                    assert at in self.known, "a resolve without a firing"
                    self.known.discard(at)

    def _loud(self, flow: Flow) -> None:
        loud = {
            (*batch.address, key)
            for batch in flow.batches
            for key in batch.members
            if flow.firing(key) and key not in flow.marks
        } - self.known
        self.loud_since = {at: self.loud_since.get(at, self.walk.now) for at in loud}

    @invariant()
    def whoever_should_know_knows(self) -> None:
        for at, since in self.loud_since.items():
            assert self.walk.now - since <= PATIENCE, at

    @invariant()
    def what_was_told_is_remembered_until_its_end_is_told(self) -> None:
        memories = self.walk.flow().known.memories
        assert {(*at, key) for at, memory in memories.items() for key in memory.heard} == self.known


TestPath = pytest.mark.a3(
    "Routing", "Whatever happens, a firing alert that is not suppressed is told to each of its receivers within its "
    "wait and a tick, nobody gets a resolve without a firing, and a restart changes nothing.",
)(OnThePath.TestCase)  # fmt: skip
TestPath.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
