"""The path from alerts to messages, walked in ticks of ten seconds with a clock moved by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml
from sqlalchemy import Engine

from alerts import pipeline, state
from alerts.model import Alert
from alerts.notices import fingerprint
from alerts.path import store
from alerts.path.flow import Flow
from alerts.path.plan import Plan, plan
from alerts.path.settings import RoutingSettings
from alerts.path.store import Decision
from collectors.config import Config
from tests.alerts.examples import T, webhook

TICK = 10.0
NAMES = ("ops", "boss")


class Notify(RoutingSettings):
    """As in the configuration, with channels of no kind."""

    webhook: dict[str, Config]


def routes(text: str = "", names: tuple[str, ...] = NAMES, shipped: bool = False) -> Plan:
    """The plan of a `notify` section in YAML."""
    given: dict[str, Any] = yaml.safe_load(text) or {}
    channels: dict[str, dict[str, str]] = {name: {} for name in names}
    return plan(Notify.model_validate({"webhook": channels, "shipped_inhibitions": shipped, **given}))


@dataclass(frozen=True)
class Told:
    after: float
    """Seconds since the walk began."""
    receiver: str
    status: str
    names: tuple[str, ...]
    """Of its alerts, a resolved one with a minus."""
    reason: str


class Walk:
    def __init__(self, engine: Engine, plan: Plan, accept: Callable[[str], bool] = lambda _receiver: True) -> None:
        """`accept`: whether a receiver takes messages now."""
        self.engine = engine
        self.plan = plan
        self.accept = accept
        self.channels = [webhook(name=name) for name in NAMES]
        self.now = T
        self.alerts: dict[str, Alert] = {}
        self.told: list[Told] = []

    def fire(self, name: str = "Broken", **labels: str) -> str:
        """Or refresh; the fingerprint."""
        labels = {"alertname": name, "host": "web1", "severity": "critical", **labels}
        key = fingerprint(labels)
        before = self.alerts.get(key)
        if before is None or before.state != "firing":
            self.alerts[key] = Alert(labels, {}, "firing", 1.0, self.now, fired_at=self.now)
        return key

    def end(self, name: str = "Broken", **labels: str) -> None:
        key = fingerprint({"alertname": name, "host": "web1", "severity": "critical", **labels})
        self.alerts[key] = replace(self.alerts[key], state="resolved", resolved_at=self.now)

    def forget(self) -> None:
        """What ended is let go, as the engine does after an hour."""
        self.alerts = {key: alert for key, alert in self.alerts.items() if alert.state == "firing"}

    def tick(self, seconds: float = TICK, each: float = TICK) -> list[Told]:
        """Let so much time pass, tick by tick; what was told meanwhile."""
        before = len(self.told)
        for _ in range(max(1, round(seconds / each))):
            self.advance()
            self.now += each
        return self.told[before:]

    def advance(self) -> pipeline.Outcome:
        with self.engine.begin() as connection:
            outcome = pipeline.advance(connection, self.channels, self.plan, self.alerts.values(), now=self.now)
        self.deliver()
        return outcome

    def deliver(self) -> None:
        for channel in self.channels:
            while self.accept(channel.name) and (message := state.next_message(self.engine, channel.name)):
                notice = message.notice
                names = tuple(alert.name if alert.state == "firing" else f"-{alert.name}" for alert in notice.alerts)
                self.told.append(Told(self.now - T, notice.receiver, notice.status, names, notice.reason))
                state.sent(self.engine, message)

    def flow(self) -> Flow:
        with self.engine.connect() as connection:
            known = pipeline.receivers(self.channels)
            return pipeline.survey(connection, known, self.plan, self.alerts.values(), self.now)

    def decisions(self, key: str) -> list[Decision]:
        with self.engine.connect() as connection:
            return store.decisions(connection, key)

    def said(self) -> Mapping[str, list[str]]:
        """Reasons by receiver."""
        return {name: [told.reason for told in self.told if told.receiver == name] for name in NAMES}
