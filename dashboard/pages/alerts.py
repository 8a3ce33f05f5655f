"""The alerts: what fires and what to do, what may fire soon, what is over; and every rule with its health."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, Response, request

from alerts.model import Alert, RuleHealth
from dashboard.acting import HOURS
from dashboard.alert_cards import AlertCard, cards
from dashboard.asked import answer, remembering, view
from dashboard.marks import state_of
from dashboard.moments import span
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.standing import SilenceRow, silences, standings

blueprint = Blueprint("alerts", __name__)


@dataclass(frozen=True)
class RuleRow:
    name: str
    kind: str
    """alert or record."""
    look: str
    """crit, warn or info by severity; "" for a recording rule."""
    expr: str
    hold: str
    """How long it has to be true before it fires; "" for at once."""
    health: str
    """ok, err or unknown."""
    last_error: str
    last_evaluation: float | None  # Unix seconds
    milliseconds: float
    active: int
    """Its alerts that fire or are pending."""


@dataclass(frozen=True)
class RuleGroup:
    name: str
    interval: str
    rules: tuple[RuleRow, ...]
    failing: int


@dataclass(frozen=True)
class AlertsPage:
    """What alerts.html may use, and what the page returns as JSON."""

    shell: Shell
    name: str
    """Only alerts of this name are shown; "" for all."""
    firing: tuple[AlertCard, ...]
    """The worst first."""
    pending: tuple[AlertCard, ...]
    resolved: tuple[AlertCard, ...]
    """Within the last hour."""
    groups: tuple[RuleGroup, ...]
    silences: tuple[SilenceRow, ...]
    hours: tuple[int, ...]
    """How long one can be silent."""
    refused: tuple[str, ...]
    """What is wrong with rule files, with file and line."""


def build(services: Services, asked: View, name: str = "") -> AlertsPage:
    alerts = [alert for alert in services.alerting.alerts() if name in ("", alert.name)]
    known = standings(services.desk)
    return AlertsPage(
        shell=shell(services, asked, "Alerts"),
        name=name,
        firing=tuple(replace(each, standing=known.get(each.key)) for each in cards(alerts, "firing")),
        pending=cards(alerts, "pending"),
        resolved=cards(alerts, "resolved"),
        groups=tuple(_groups(services, alerts, name)),
        silences=silences(services.desk, asked.now),
        hours=HOURS,
        refused=tuple(str(error) for error in services.alerting.errors()),
    )


def _groups(services: Services, alerts: Sequence[Alert], name: str) -> Iterable[RuleGroup]:
    """Rules in the order of their files; groups without a rule of that name are left out."""
    by_group: dict[str, list[RuleHealth]] = {}
    for health in services.alerting.health():
        if name in ("", health.rule.alert):
            by_group.setdefault(health.group, []).append(health)
    intervals = {group.name: group.interval for group in services.alerting.groups()}
    for group, found in by_group.items():
        rows = tuple(_row(health, alerts) for health in found)
        failing = sum(row.health == "err" for row in rows)
        yield RuleGroup(group, span(intervals.get(group, 0.0)), rows, failing)


def _row(health: RuleHealth, alerts: Iterable[Alert]) -> RuleRow:
    rule = health.rule
    active = sum(alert.name == rule.alert and alert.state != "resolved" for alert in alerts)
    return RuleRow(
        name=rule.alert or rule.record,
        kind="alert" if rule.alert else "record",
        look=state_of(rule.labels.get("severity", "")) if rule.alert else "",
        expr=rule.expr,
        hold=span(rule.hold) if rule.hold else "",
        health=health.health,
        last_error=health.last_error,
        last_evaluation=health.last_evaluation,
        milliseconds=float(f"{health.evaluation_seconds * 1000:.2g}"),
        active=active if rule.alert else 0,
    )


@blueprint.get("/alerts")
def alerts() -> Response:
    return answer("alerts.html", build(remembering(), view(), request.args.get("name", "")))
