"""Rules and alerts as Prometheus' API shows them: /api/v1/rules and /api/v1/alerts.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#rules
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.model import Alert, Group, Rule, RuleHealth
from dashboard.api_matching import matching
from dashboard.services import Alerting
from history import answer
from history.model import Labels, QueryError

KINDS = {"": "", "alert": "alerting", "record": "recording"}
TRUE = frozenset({"1", "t", "true"})
FALSE = frozenset({"", "0", "f", "false"})


@dataclass(frozen=True)
class Asked:
    """Which rules; an empty collection lets all through."""

    kind: str = ""
    """alert, record or "" for both."""
    names: Collection[str] = ()
    groups: Collection[str] = ()
    files: Collection[str] = ()
    selectors: Sequence[str] = ()
    """Of the labels that the rule has in its file."""
    without_alerts: bool = False


def boolean(name: str, text: str) -> bool:
    """As Prometheus reads one. QueryError for what is none."""
    if text.lower() not in TRUE | FALSE:
        raise QueryError("bad_data", f'invalid parameter "{name}": expected true or false, found "{text}"')
    return text.lower() in TRUE


def alerts(alerting: Alerting) -> dict[str, Any]:
    """`data` of /api/v1/alerts."""
    return {"alerts": [_alert(alert) for alert in _active(alerting)]}


def rules(alerting: Alerting, asked: Asked) -> dict[str, Any]:
    """`data` of /api/v1/rules. QueryError for a kind or a selector that is none."""
    if asked.kind not in KINDS:
        raise QueryError("bad_data", f'invalid parameter "type": not supported value "{asked.kind}"')
    matches = matching(asked.selectors)
    groups = alerting.groups()
    healths = {_key(health.group, health.rule): health for health in alerting.health()}
    owned = _owned(groups, _active(alerting))
    shown = []
    for group in sorted(groups, key=lambda group: (group.file, group.name)):
        if (asked.groups and group.name not in asked.groups) or (asked.files and group.file not in asked.files):
            continue
        found = [healths.get(_key(group.name, rule), RuleHealth(group.name, rule, "unknown")) for rule in group.rules]
        rows = [
            _rule(rule, health, owned.get(id(rule), []), asked)
            for rule, health in zip(group.rules, found, strict=True)
            if _chosen(rule, asked) and matches(rule.labels)
        ]
        if rows:
            shown.append(_group(group, rows, found))
    return {"groups": shown}


def _active(alerting: Alerting) -> list[Alert]:
    """What is resolved is no alert any more for Prometheus."""
    return [alert for alert in alerting.alerts() if alert.state != "resolved"]


def _key(group: str, rule: Rule) -> Hashable:
    """What a rule and its health have in common."""
    return group, rule.alert or rule.record, rule.expr, tuple(sorted(rule.labels.items()))


def _chosen(rule: Rule, asked: Asked) -> bool:
    kind = "alert" if rule.alert else "record"
    return asked.kind in ("", kind) and (not asked.names or (rule.alert or rule.record) in asked.names)


def _owned(groups: Iterable[Group], found: Iterable[Alert]) -> Mapping[int, list[Alert]]:
    """Alerts by the identity of their rule: the first of that name whose own labels the alert has."""
    by_name: dict[str, list[Rule]] = {}
    for group in groups:
        for rule in group.rules:
            by_name.setdefault(rule.alert, []).append(rule)
    owned: dict[int, list[Alert]] = {}
    for alert in found:
        for rule in by_name.get(alert.name, ()):
            if _fixed(rule.labels).items() <= alert.labels.items():
                owned.setdefault(id(rule), []).append(alert)
                break
    return owned


def _fixed(labels: Labels) -> dict[str, str]:
    """Those that are not filled in by a template; an empty one is no label."""
    return {name: value for name, value in labels.items() if value and "{{" not in value}


def _group(group: Group, rows: list[dict[str, Any]], healths: Sequence[RuleHealth]) -> dict[str, Any]:
    times = [health.last_evaluation for health in healths if health.last_evaluation is not None]
    return {
        "name": group.name,
        "file": group.file,
        "rules": rows,
        "interval": group.interval,
        "limit": group.limit,
        "evaluationTime": sum(health.evaluation_seconds for health in healths),
        "lastEvaluation": answer.moment(max(times, default=None)),
    }


def _rule(rule: Rule, health: RuleHealth, active: Sequence[Alert], asked: Asked) -> dict[str, Any]:
    common = {
        "name": rule.alert or rule.record,
        "query": rule.expr.strip(),
        "labels": dict(rule.labels),
        "health": health.health,
        **({"lastError": health.last_error} if health.last_error else {}),
        "evaluationTime": health.evaluation_seconds,
        "lastEvaluation": answer.moment(health.last_evaluation),
        "type": KINDS["alert" if rule.alert else "record"],
    }
    if rule.record:
        return common
    return common | {
        "state": _state(active),
        "duration": rule.hold,
        "keepFiringFor": rule.keep_firing_for,
        "annotations": dict(rule.annotations),
        "alerts": [] if asked.without_alerts else [_alert(alert) for alert in active],
    }


def _state(active: Iterable[Alert]) -> str:
    states = {alert.state for alert in active}
    return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"


def _alert(alert: Alert) -> dict[str, Any]:
    held = {} if alert.false_since is None else {"keepFiringSince": answer.moment(alert.false_since)}
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "activeAt": answer.moment(alert.active_at),
        **held,
        "value": answer.scientific(alert.value),
    }
