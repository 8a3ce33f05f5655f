"""What becomes of alerts when their rules were evaluated: one pure step.

Rules of time. `for` and `keep_firing_for` count wall time, but not across a gap in what we know that is longer than
three intervals and two minutes, nor across a restart: such a gap moves the stamps. Missing is not false: an element
that is gone ends its alert only when what is behind the expression was read again after the alert was last true.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerts import templates
from alerts.model import Alert, Labels, Rule
from history.model import Point

GAP_SECONDS = 120.0
RESOLVED_KEPT_SECONDS = 3600.0
SETTLED = 2
"""Evaluations after a start before anything may end; after the clock jumped, before anything may fire either."""
ENDED = "ended"
"""Annotation of an alert that ended while nobody looked."""
UNSEEN = "Ended while Raingauge was not running: when exactly is not known."

Identity = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Reading:
    """What is known about the reads behind one alert's expression."""

    missing: bool = False
    """A part behind it does not answer now."""
    read_at: float = math.inf
    """Unix seconds of the oldest last success of the parts behind it; inf when no part of ours is behind it."""
    gone: bool = False
    """Parts of ours are behind it, and none of them is watched any more."""
    held: bool = False
    """Its own expression of when it ends says that it has not ended."""


def _always(_labels: Labels) -> Reading:
    return Reading()


@dataclass(frozen=True)
class Evaluation:
    """One alerting rule's result at one time. With an `error` nothing is known, and nothing changes."""

    rule: Rule
    interval: float  # seconds
    points: Sequence[Point] = ()
    error: str = ""
    limit: int = 0
    reading: Callable[[Labels], Reading] = _always
    since: float = -math.inf
    """Unix seconds when this process began."""
    as_prometheus: bool = False
    """What is not in the result is over, whether it was read or not; every gap counts."""
    around: templates.Around = templates.NOTHING
    """What the rule's texts may ask for."""
    note: str = ""
    """What failed beside the expression itself: its result counts all the same."""


@dataclass(frozen=True)
class RuleState:
    alerts: Mapping[Identity, Alert] = field(default_factory=dict)
    evaluations: int = 0
    """Good ones since this process started, or since the clock jumped."""
    unsure: int = 0
    """Evaluations after the clock jumped in which nothing begins to fire."""
    error: str = ""
    """Why the last evaluation changed nothing, or less than it should."""


@dataclass(frozen=True)
class Transition:
    """`before` is None for a new alert, `after` for a pending one that ended."""

    before: Alert | None
    after: Alert | None


States = Mapping[str, RuleState]


def identity(labels: Labels) -> Identity:
    return frozenset(labels.items())


def step(
    states: States, evaluations: Mapping[str, Evaluation], now: float
) -> tuple[dict[str, RuleState], list[Transition]]:
    """States and evaluations by rule; a rule that was not evaluated keeps its state."""
    after = dict(states)
    transitions: list[Transition] = []
    for key, evaluation in evaluations.items():
        after[key], changed = step_one(states.get(key, RuleState()), evaluation, now)
        transitions += changed
    return after, transitions


def step_one(before: RuleState, evaluation: Evaluation, now: float) -> tuple[RuleState, list[Transition]]:
    """The same of one rule, as the rules after it see its alerts."""
    after = advance(before, evaluation, now)
    return after, changes(before.alerts, after.alerts)


def advance(state: RuleState, evaluation: Evaluation, now: float) -> RuleState:
    if evaluation.error:
        return replace(state, error=evaluation.error)
    found: dict[Identity, tuple[dict[str, str], Point]] = {}
    for point in evaluation.points:
        labels = alert_labels(evaluation.rule, point, evaluation.around)
        if identity(labels) in found:
            return replace(state, error=f"two elements of the result have the labels {labels}")
        found[identity(labels)] = (labels, point)
    if 0 < evaluation.limit < len(found):
        return replace(state, error=f"{len(found)} alerts are more than the group's limit of {evaluation.limit}")

    alerts: dict[Identity, Alert] = {}
    for key, (labels, point) in found.items():
        alerts[key] = _true(state, evaluation, labels, point, now)
    for key, alert in state.alerts.items():
        if key not in found and (kept := _gone(state, alert, evaluation, now)):
            alerts[key] = kept
    return RuleState(alerts, state.evaluations + 1, max(0, state.unsure - 1), error=evaluation.note)


def alert_labels(rule: Rule, point: Point, around: templates.Around = templates.NOTHING) -> dict[str, str]:
    labels = {name: value for name, value in point.labels.items() if name != "__name__"}
    for name, text in rule.labels.items():
        labels[name] = templates.expand(text, point.labels, point.value, around)
    labels["alertname"] = rule.alert
    return {name: labels[name] for name in sorted(labels) if labels[name]}


def _true(state: RuleState, evaluation: Evaluation, labels: Labels, point: Point, now: float) -> Alert:
    alert = state.alerts.get(identity(labels))
    rule = evaluation.rule
    if alert is None or alert.state == "resolved":
        alert = Alert(labels, {}, "pending", point.value, active_at=now)
    elif alert.state == "pending":
        alert = replace(alert, active_at=alert.active_at + _unknown(state, alert, evaluation, now))
    alert = replace(
        alert,
        annotations={
            name: templates.expand(text, point.labels, point.value, evaluation.around)
            for name, text in rule.annotations.items()
        },
        value=point.value,
        lowest=_extreme(min, alert.lowest, point.value),
        highest=_extreme(max, alert.highest, point.value),
        last_true=now,
        seen=now,
        missing_since=None,
        false_since=None,
    )
    if alert.state == "pending" and now - alert.active_at >= rule.hold and not state.unsure:
        return replace(alert, state="firing", fired_at=now)
    return alert


def _extreme(choose: Callable[[float, float], float], before: float | None, value: float) -> float | None:
    if math.isnan(value):
        return before
    return value if before is None else choose(before, value)


def _gone(state: RuleState, alert: Alert, evaluation: Evaluation, now: float) -> Alert | None:
    if alert.state == "resolved":
        return alert if now - (alert.resolved_at or 0) <= RESOLVED_KEPT_SECONDS else None
    if evaluation.as_prometheus:
        return _over(state, alert, evaluation, now)
    reading = evaluation.reading(alert.labels)
    if reading.missing:
        return replace(alert, missing_since=now if alert.missing_since is None else alert.missing_since)
    if state.evaluations + 1 < SETTLED:
        return alert
    if alert.state == "firing" and reading.read_at <= alert.last_true:
        return alert
    return _held(alert, now) if reading.held and alert.state == "firing" else _over(state, alert, evaluation, now)


def _over(state: RuleState, alert: Alert, evaluation: Evaluation, now: float) -> Alert | None:
    return None if alert.state == "pending" else _false(state, alert, evaluation, now)


def _held(alert: Alert, now: float) -> Alert:
    return replace(alert, missing_since=None, false_since=None, seen=now)


def _false(state: RuleState, alert: Alert, evaluation: Evaluation, now: float) -> Alert:
    since = now if alert.false_since is None else alert.false_since + _unknown(state, alert, evaluation, now)
    if now - since < evaluation.rule.keep_firing_for:
        return replace(alert, false_since=since, missing_since=None, seen=now)
    ended = {ENDED: UNSEEN} if alert.last_true < evaluation.since else {}
    return replace(
        alert, state="resolved", resolved_at=now, missing_since=None, false_since=None, seen=now,
        annotations={**alert.annotations, **ended},
    )  # fmt: skip


def _unknown(state: RuleState, alert: Alert, evaluation: Evaluation, now: float) -> float:
    """Seconds since it was last seen, where they do not count; negative after the clock was set back."""
    if evaluation.as_prometheus:
        return 0.0
    gap = now - alert.seen
    counts = state.evaluations > 0 and 0 <= gap <= max(3 * evaluation.interval, GAP_SECONDS)
    return 0.0 if counts else gap


def retire(states: States, keep: Iterable[str], now: float) -> tuple[dict[str, RuleState], list[Transition]]:
    """End the alerts of rules that are no more."""
    kept = set(keep)
    after = {key: state for key, state in states.items() if key in kept}
    ended = [alert for key, state in states.items() if key not in kept for alert in state.alerts.values()]
    return after, [Transition(alert, _ended(alert, now)) for alert in ended if alert.state != "resolved"]


def _ended(alert: Alert, now: float) -> Alert | None:
    return replace(alert, state="resolved", resolved_at=now) if alert.state == "firing" else None


def changes(before: Mapping[Identity, Alert], after: Mapping[Identity, Alert]) -> list[Transition]:
    """Every alert whose state is another one than before; alerts that were resolved are forgotten without one."""
    pairs = [(before.get(key), after.get(key)) for key in dict.fromkeys([*before, *after])]
    return [
        Transition(old, new)
        for old, new in pairs
        if (old.state if old else "resolved") != (new.state if new else "resolved")
    ]


def jumped(states: States, by: float, now: float) -> dict[str, RuleState]:
    """After the clock was set on by that many seconds (back, if negative), or the host slept as long.

    Time that did not pass does not count: what waits or is held keeps its distance to now, and no stamp is yet to come.
    """
    return {
        key: RuleState({labels: _moved(alert, by, now) for labels, alert in state.alerts.items()}, 0, SETTLED)
        for key, state in states.items()
    }


def _moved(alert: Alert, by: float, now: float) -> Alert:
    def past(at: float | None) -> float | None:
        return None if at is None else min(at, now)

    waits = alert.active_at + by if alert.state == "pending" else alert.active_at
    return replace(
        alert,
        active_at=min(waits, now),
        fired_at=past(alert.fired_at),
        resolved_at=past(alert.resolved_at),
        last_true=min(alert.last_true + by, now),
        seen=min(alert.seen + by, now),
        missing_since=past(alert.missing_since),
        false_since=None if alert.false_since is None else min(alert.false_since + by, now),
    )
