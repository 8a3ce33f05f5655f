"""One rule stepped through time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alerts.engine import Evaluation, RuleState, Transition, identity, step
from alerts.model import Alert, Rule
from history.model import Point

RULE = Rule(expr="x", alert="Broken", hold=60, labels={"severity": "warning"}, annotations={"summary": "{{ $value }}"})
LABELS = {"alertname": "Broken", "host": "web1", "severity": "warning"}
KEY = identity(LABELS)


def true(now: float, value: float = 1.0, **labels: str) -> tuple[Point, ...]:
    return (Point({"__name__": "x", "host": "web1", **labels}, now, value),)


class Clock:
    """Steps one rule through time, ten seconds a step."""

    def __init__(self, rule: Rule = RULE, state: RuleState | None = None, now: float = 1000.0) -> None:
        self.rule = rule
        self.state = state or RuleState()
        self.now = now
        self.transitions: list[Transition] = []

    def at(self, now: float, points: Sequence[Point] = (), **options: Any) -> Alert | None:
        self.now = now
        states, changed = step({"r": self.state}, {"r": Evaluation(self.rule, 10, points, **options)}, now)
        self.state = states["r"]
        self.transitions += changed
        return self.alert

    def true(self, now: float) -> Alert:
        alert = self.at(now, true(now))
        assert alert
        return alert

    def false(self, now: float, **options: Any) -> Alert:
        """What is left of the alert."""
        alert = self.at(now, **options)
        assert alert
        return alert

    @property
    def alert(self) -> Alert | None:
        return self.state.alerts.get(KEY)

    def firing(self) -> "Clock":
        self.true(self.now)
        for _ in range(6):
            self.true(self.now + 10)
        assert self.alert
        assert self.alert.state == "firing"
        return self


def restarted(clock: Clock) -> Clock:
    return Clock(clock.rule, replace(clock.state, evaluations=0), clock.now)
