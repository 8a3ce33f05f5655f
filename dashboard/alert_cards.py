"""Alerts as the pages show them: what, since when, what to do first."""

from collections.abc import Iterable
from dataclasses import dataclass

from alerts import runbooks
from alerts.model import Alert, Labels
from alerts.notices import fingerprint
from dashboard import units
from dashboard.marks import state_of
from dashboard.standing import Standing
from dashboard.steps import Step, steps

HIDDEN = ("alertname", "severity")


@dataclass(frozen=True)
class AlertCard:
    key: str
    """Fingerprint of its labels."""
    name: str
    state: str
    """pending, firing or resolved."""
    look: str
    """crit, warn or info: shape and colour by severity; ok once it is resolved."""
    severity: str
    summary: str
    """Without the instance that it may begin with."""
    where: str
    """The instance, else the host."""
    description: str
    steps: tuple[Step, ...]
    value: str
    since: float  # Unix seconds: began to be true, or fired
    resolved_at: float | None  # Unix seconds
    missing_since: float | None
    """Unix seconds since which nobody knows whether it is still true."""
    labels: tuple[tuple[str, str], ...]
    runbook: bool
    """Whether a page says what it means and what to do."""
    standing: Standing | None = None
    """On its way to people; None where it does not fire, or is not asked for."""


def card(alert: Alert) -> AlertCard:
    labels = tuple((name, value) for name, value in sorted(alert.labels.items()) if name not in HIDDEN)
    return AlertCard(
        fingerprint(alert.labels),
        alert.name,
        alert.state,
        "ok" if alert.state == "resolved" else state_of(alert.severity),
        alert.severity,
        headline(alert),
        alert.labels.get("instance") or alert.labels.get("host", ""),
        alert.annotations.get("description", ""),
        steps(alert.annotations.get("first_steps", "")),
        units.text(alert.value, "count"),
        alert.active_at if alert.state == "pending" else alert.fired_at or alert.active_at,
        alert.resolved_at,
        alert.missing_since,
        labels,
        alert.name in runbooks.names(),
    )


def headline(alert: Alert) -> str:
    """The summary as a sentence: the instance, with which shipped rules begin it, stands elsewhere.

    An address at its beginning stays as it is.
    """
    return without_place(alert.annotations.get("summary") or alert.name, alert.labels)


def without_place(summary: str, labels: Labels) -> str:
    for label in ("instance", "host"):
        place = f"{labels.get(label, '')}: "
        if summary.startswith(place) and len(place) > 2:
            summary = summary.removeprefix(place)
    first = summary.partition(" ")[0]
    return summary[:1].upper() + summary[1:] if first.isalpha() else summary


def cards(alerts: Iterable[Alert], *states: str) -> tuple[AlertCard, ...]:
    """In the order given, which is the worst first."""
    return tuple(card(alert) for alert in alerts if alert.state in states)
