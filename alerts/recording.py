"""What rules leave in history: recorded values, ALERTS, ALERTS_FOR_STATE, and an event for each transition.

Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#inspecting-alerts-during-runtime
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain

from alerts.engine import RuleState
from alerts.model import Alert, Labels, Rule, State
from alerts.notices import fingerprint
from collectors.model import Event, Family, Sample, Severity, Target
from history.model import Point

RULES_TARGET = Target("", "", "")
"""Without labels: what rules make carries exactly the labels of its result."""

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
BY_URGENCY: tuple[State, ...] = ("firing", "pending", "resolved")

MANY = 100
"""Alerts that begin or end in one cycle and have an event each; what was told of whom is in the decisions anyway."""
NAMED = 10
"""Alerts that are named in an event of many."""


@lru_cache(maxsize=4096)
def _family(name: str, labels: tuple[str, ...]) -> Family:
    return Family(name, "Made by a rule.", labels)


def sample(name: str, labels: Labels, value: float) -> Sample:
    names = tuple(sorted(labels))
    return Sample(_family(name, names), tuple(labels[label] for label in names), value)


def recorded(rule: Rule, points: Iterable[Point], limit: int = 0) -> list[Sample]:
    """ValueError when two elements of the result have the same labels, or there are more than `limit` (0: no limit)."""
    samples: dict[tuple[tuple[str, str], ...], Sample] = {}
    for point in points:
        merged = {**point.labels, **rule.labels, "__name__": ""}
        labels = {name: value for name, value in merged.items() if value}
        key = tuple(sorted(labels.items()))
        if key in samples:
            raise ValueError(f"two elements of the result have the labels {labels}")
        samples[key] = sample(rule.record, labels, point.value)
    if 0 < limit < len(samples):
        raise ValueError(f"{len(samples)} series are more than the group's limit of {limit}")
    return list(samples.values())


def alert_series(state: RuleState) -> Iterator[Sample]:
    """Of the pending and firing alerts of one rule."""
    for alert in state.alerts.values():
        if alert.state != "resolved":
            yield sample("ALERTS", {**alert.labels, "alertstate": alert.state}, 1.0)
            yield sample("ALERTS_FOR_STATE", alert.labels, alert.active_at)


def all_series(states: Mapping[str, RuleState]) -> dict[str, list[Sample]]:
    return {key: list(alert_series(state)) for key, state in states.items()}


def all_samples(recorded: Iterable[Sequence[Sample]], alerts: Iterable[Sequence[Sample]]) -> list[Sample]:
    """By rule. Where two rules have alerts of equal labels, one series."""
    of_alerts: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Sample] = {}
    for each in chain.from_iterable(alerts):
        of_alerts.setdefault((each.family.name, tuple(each.family.labels), tuple(each.labels)), each)
    return [*chain.from_iterable(recorded), *of_alerts.values()]


def severity(alert: Alert) -> Severity:
    """What is not one of ours counts as info."""
    return next((known for known in SEVERITIES if known == alert.severity), "info")


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Firing first, worst first, newest first: as people see them."""
    return sorted(alerts, key=lambda a: (BY_URGENCY.index(a.state), SEVERITIES.index(severity(a)), -a.active_at))


def events(changed: Sequence[Alert], now: float) -> list[Event]:
    """One for each alert that began or ended; of many at once, one for all of a name, that counts them."""
    if len(changed) <= MANY:
        return [event(alert, now) for alert in changed]
    by_name: dict[tuple[str, State], list[Alert]] = {}
    for alert in changed:
        by_name.setdefault((alert.name, alert.state), []).append(alert)
    return [_together(alerts, now) for alerts in by_name.values()]


def _together(alerts: Sequence[Alert], now: float) -> Event:
    first, *more = in_order(alerts)
    one = event(first, now)
    if not more:
        return one
    named = tuple({"alert": fingerprint(alert.labels), **alert.labels} for alert in alerts[:NAMED])
    title = f"{first.name} {first.state}: {len(alerts)} alerts at once"
    return replace(
        one, id=f"alerts:{first.name}:{now:.3f}:{first.state}", count=len(alerts), title=title, evidence=named,
        dedup_key=f"alerts:{first.name}",
    )  # fmt: skip


def event(alert: Alert, now: float) -> Event:
    labels = alert.labels
    started = alert.fired_at or alert.active_at
    return Event(
        id=f"alert:{fingerprint(labels)}:{started:.3f}:{alert.state}",
        kind="alert",
        severity=severity(alert),
        host=labels.get("host", ""),
        site=labels.get("site", ""),
        first=started,
        last=now,
        count=1,
        title=f"{alert.name} {alert.state}: {alert.annotations.get('summary', '')}".rstrip(": "),
        dedup_key=f"alert:{fingerprint(labels)}",
        state="open" if alert.state == "firing" else "closed",
        source="alerts",
    )
