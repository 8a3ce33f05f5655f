"""`alerts.mode: prometheus`: after a restart, alerts as Prometheus restores them, for those who depend on it.

Only alerts whose rule has a `for` of 10 minutes or more come back, and only within an hour; of the others those that
fired are over until they fire anew. A `for` that had less than 10 minutes left has 10 again.
Source: https://prometheus.io/docs/prometheus/latest/command-line/prometheus/ (rules.alert.*)
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alerts.engine import Identity, RuleState, States
from alerts.model import Alert

OUTAGE_SECONDS = 3600.0
GRACE_SECONDS = 600.0


def restored(states: States, holds: Mapping[str, float], now: float) -> dict[str, RuleState]:
    """`holds`: seconds of each rule's `for`."""
    return {
        key: replace(state, alerts=dict(_restored(state.alerts, holds.get(key, 0.0), now)))
        for key, state in states.items()
    }


def _restored(alerts: Mapping[Identity, Alert], hold: float, now: float) -> Iterator[tuple[Identity, Alert]]:
    for key, alert in alerts.items():
        if (after := one(alert, hold, now)) is not None:
            yield key, after


def one(alert: Alert, hold: float, now: float) -> Alert | None:
    """None for one that is forgotten."""
    if alert.state == "resolved":
        return alert
    if hold < GRACE_SECONDS or now - alert.seen > OUTAGE_SECONDS:
        return None if alert.state == "pending" else replace(alert, state="resolved", resolved_at=now, false_since=None)
    left = hold - (alert.seen - alert.active_at)
    if alert.state == "firing" or left <= 0:
        return replace(alert, false_since=None)
    if left < GRACE_SECONDS:
        return replace(alert, active_at=now + GRACE_SECONDS - hold)
    return replace(alert, active_at=alert.active_at + now - alert.seen)
