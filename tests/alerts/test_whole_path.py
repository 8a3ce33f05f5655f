"""From a sample to a webhook's receiver, with a clock moved by hand: who hears when, and the reason that is kept."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from alerts import pipeline, silences
from alerts.delivery import Delivery
from alerts.deploys import open_maintenance
from alerts.desk import Desk, Standing
from alerts.model import Rule
from collectors import nginx
from collectors.model import Event
from history.events import Events
from tests.alerts.examples import T, webhook
from tests.alerts.receiver import Receiver
from tests.alerts.test_evaluator import Host, group
from tests.alerts.walk import NAMES, routes

LABELS = {"severity": "warning", "class": "slow", "site": "shop"}
BUSY = Rule("nginx_connections_active > 5", alert="Busy", labels=LABELS)
ROUTE = "receiver: ops, group_wait: 0s, group_interval: 1m"
BUSY_NOW, CALM = 9, 1
FIRST = (10, "ops", "first firing")
OVER = "all resolved"
ESCALATED = "escalated: nobody acknowledged it"
ACKNOWLEDGED = "acknowledged by kim: looking"
AS_BEFORE = "told before, nothing is new"


class Stack:
    """Rules, routes, outbox and delivery, over one receiver that is both ops and boss."""

    def __init__(self, engine: Engine, receiver: Receiver) -> None:
        self.engine, self.receiver = engine, receiver
        self.channels = [webhook(receiver.url, name) for name in NAMES]
        self.host = Host(engine, group(BUSY), channels=self.channels, grouped=self._grouped)
        self.delivery = Delivery(engine, self.channels, lambda: self.host.now)

    def _grouped(self, connection: Connection, _alerts: object, now: float) -> None:
        open_maintenance(connection, now, self.host.evaluator.plan().deploy_maintenance)

    def walk(self, seconds: int, connections: int) -> list[tuple[float, str, str]]:
        """What came over the wire in these seconds: when since the beginning, to whom, for what reason."""
        heard: list[tuple[float, str, str]] = []
        for _ in range(seconds // 10):
            self.host.tick(nginx.ACTIVE(connections))
            for channel in self.channels:
                while self.delivery.deliver_next(channel) == 0:
                    body = self.receiver.body()
                    heard.append((self.host.now - T, body["receiver"], body["notification_reason"]))
        return heard

    @property
    def desk(self) -> Desk:
        receivers = pipeline.receivers(self.channels)
        return Desk(self.engine, self.host.evaluator.plan, receivers, lambda: self.host.now)

    def standing(self) -> Standing:
        (standing,) = self.desk.standings()
        return standing

    def why(self) -> list[tuple[float, str, str]]:
        """Each decision on the alert, the oldest first: when since the beginning, told or held, and why."""
        decisions = self.desk.decisions(self.standing().fingerprint)
        return [(one.at - T, f"{one.receiver} {one.decision}", one.reason) for one in reversed(decisions)]


@pytest.fixture
def stack(engine: Engine) -> Iterator[Stack]:
    with Receiver() as receiver:
        yield Stack(engine, receiver)


def test_quiet_hours(stack: Stack) -> None:
    night = '{name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "22:20"}]}]}'
    stack.host.evaluator.follow(routes(f"time_intervals: [{night}]\nroute: {{{ROUTE}, mute_time_intervals: [night]}}"))
    assert stack.walk(600, BUSY_NOW) == [(430, "ops", "first firing")]  # it begins at 22:13:20
    assert stack.why() == [
        (10, "ops held", "quiet hours: night"), (430, "ops told", "first firing"),
        (490, "ops held", AS_BEFORE),
    ]  # fmt: skip
    assert stack.walk(120, CALM) == [(610, "ops", OVER)]


def test_a_deploy(stack: Stack) -> None:
    stack.host.evaluator.follow(routes(f"route: {{{ROUTE}}}"))
    Events(stack.engine).record(Event("d1", "deploy", "info", "web1", "shop", T, T, 1, "Release 42"))
    held = f"in maintenance by deploy: Release 42 (at {T:.0f})"
    assert stack.walk(290, BUSY_NOW) == []
    assert stack.standing().held_by == held
    assert stack.walk(60, BUSY_NOW) == [(310, "ops", "first firing")]
    assert stack.standing().held_by == ""
    assert stack.why() == [(10, "ops held", held), (310, "ops told", "first firing")]


def test_escalated(stack: Stack) -> None:
    stack.host.evaluator.follow(routes(f"route: {{{ROUTE}, escalate: [{{after: 5m, receiver: boss}}]}}"))
    assert stack.walk(400, BUSY_NOW) == [FIRST, (310, "boss", ESCALATED)]
    assert stack.why() == [
        (10, "ops told", "first firing"), (70, "ops held", AS_BEFORE),
        (310, "boss told", ESCALATED), (370, "boss held", AS_BEFORE),
    ]  # fmt: skip
    assert stack.walk(120, CALM) == [(430, "ops", OVER), (430, "boss", OVER)]


def test_acknowledged_until_a_time_and_then_again(stack: Stack) -> None:
    """The time of the escalation, too, begins again."""
    stack.host.evaluator.follow(routes(f"route: {{{ROUTE}, escalate: [{{after: 5m, receiver: boss}}]}}"))
    assert stack.walk(60, BUSY_NOW) == [FIRST]
    now = stack.host.now
    silences.acknowledge(stack.engine, stack.standing().alert, "kim", now=now, until=now + 600, comment="looking")
    assert stack.walk(590, BUSY_NOW) == []
    assert stack.standing().held_by == ACKNOWLEDGED
    assert stack.walk(400, BUSY_NOW) == [(670, "ops", "no longer suppressed"), (970, "boss", ESCALATED)]
    assert stack.why()[:3] == [
        (10, "ops told", "first firing"), (70, "ops held", ACKNOWLEDGED), (670, "ops told", "no longer suppressed"),
    ]  # fmt: skip
