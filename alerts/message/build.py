"""What one message says, made from a notice: the words that all channels share. Pure.

Labels, annotations and context are redacted here, once, so that no renderer has to.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from alerts.message import words
from alerts.message.context import Context, Link
from alerts.message.links import is_web, links, runbook
from alerts.message.redact import redact
from alerts.model import Alert, Labels
from alerts.notices import Notice
from alerts.templates import go_float

SHOWN = 20
"""Alerts that a message speaks of one by one; the rest is a number."""
LABELS_SHOWN = 12
LINES_SHOWN = 8
SEVERITIES = ("critical", "error", "warning", "info")
FIRST_LABELS = ("severity", "site", "host", "job", "instance")
HIDDEN_LABELS = ("alertname",)


@dataclass(frozen=True)
class Line:
    """One alert."""

    text: str
    """The symptom with its host, and since when: `web1: / has 2% of its space left, for 6 min`."""
    status: Literal["firing", "resolved"]
    severity: str
    began: float  # Unix seconds
    ended: float | None  # Unix seconds
    labels: Mapping[str, str]
    """Those that the alerts of the message do not all share."""


@dataclass(frozen=True)
class Message:
    headline: str
    """Line 1: where, what, the number, since when."""
    title: str
    """Short, and the same for every message of the group: the subject of its thread."""
    status: Literal["firing", "resolved"]
    severity: str
    """The worst one."""
    key: str
    """Names the group for receivers that keep one incident a key; 40 hex digits."""
    firing: int
    resolved: int
    lines: tuple[Line, ...]
    """The worst first, at most SHOWN."""
    more: int
    """Alerts that `lines` leaves out."""
    where: str
    """Site, else host, else instance; "" if the alerts share none."""
    began: float  # Unix seconds
    labels: Mapping[str, str]
    """What all alerts share and people want to know, the most important first."""
    description: str
    first_steps: tuple[str, ...]
    context: Context | None
    """Redacted and bounded."""
    links: tuple[Link, ...]
    """Our pages and the runbook, all http(s); first what a tap on the message should open."""


def build(notice: Notice) -> Message:
    alerts = sorted(notice.alerts, key=_worst_first)
    first = alerts[0]
    now = notice.at or max(alert.resolved_at or alert.fired_at or alert.active_at for alert in alerts)
    shared = _shared([alert.labels for alert in alerts])
    context = _redacted(notice.context) if notice.context else None
    firing = sum(alert.state == "firing" for alert in alerts)
    began = min(alert.active_at for alert in alerts)
    return Message(
        headline=_headline(alerts, now, context),
        title=_title(notice.group_labels, first),
        status=notice.status,
        severity=first.severity,
        key=hashlib.sha256(notice.group_key.encode()).hexdigest()[:40],
        firing=firing,
        resolved=len(alerts) - firing,
        lines=tuple(_line(alert, shared, now) for alert in alerts[:SHOWN]),
        more=max(0, len(alerts) - SHOWN),
        where=redact(_where(shared)),
        began=began,
        labels=_labels(shared),
        description=redact(first.annotations.get("description", "")).strip(),
        first_steps=tuple(redact(first.annotations.get("first_steps", "")).strip().splitlines())[:LINES_SHOWN],
        context=context,
        links=(*(context.links if context else ()), *links(notice, first, began, now), *runbook(first.annotations)),
    )


def _worst_first(alert: Alert) -> tuple[bool, int, float, list[tuple[str, str]]]:
    rank = SEVERITIES.index(alert.severity) if alert.severity in SEVERITIES else len(SEVERITIES)
    return alert.state != "firing", rank, alert.active_at, sorted(alert.labels.items())


def _headline(alerts: Sequence[Alert], now: float, context: Context | None) -> str:
    text = _symptom(alerts[0], now, context.number if context else "")
    others = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return f"{'Resolved: ' if alerts[0].state == 'resolved' else ''}{text}{others}"


def _symptom(alert: Alert, now: float, number: str = "") -> str:
    summary = " ".join(redact(alert.annotations.get("summary", "")).split()).rstrip(".")
    if not summary:
        summary = f"{alert.name or 'an alert'} is {go_float(alert.value)}"
    names = [alert.labels.get(name, "") for name in ("site", "host", "instance")]
    where = redact(_where(alert.labels))
    if where and not any(name and name.lower() in summary.lower() for name in names):
        summary = f"{where}: {summary}"
    return f"{words.cut(summary, 300)}{f': {number}' if number else ''}, {_how_long(alert, now)}"


def _how_long(alert: Alert, now: float) -> str:
    if alert.state == "resolved" and alert.resolved_at is not None:
        return f"after {words.duration(alert.resolved_at - alert.active_at)}"
    missing = alert.missing_since
    unknown = f" (no data for {words.duration(now - missing)})" if missing is not None else ""
    return f"for {words.duration(now - alert.active_at)}{unknown}"


def _title(group: Labels, first: Alert) -> str:
    name = group.get("alertname") or first.name or "Alert"
    where = _where(group)
    return words.cut(" ".join(redact(f"{name} on {where}" if where else name).split()), 120)


def _where(labels: Labels) -> str:
    return labels.get("site") or labels.get("host") or labels.get("instance") or ""


def _shared(all_labels: Sequence[Labels]) -> dict[str, str]:
    first, *others = all_labels
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _labels(labels: Labels) -> dict[str, str]:
    names = [name for name in FIRST_LABELS if name in labels]
    names += sorted(name for name in labels if name not in (*FIRST_LABELS, *HIDDEN_LABELS))
    return {name: words.cut(" ".join(redact(labels[name]).split()), 100) for name in names[:LABELS_SHOWN]}


def _line(alert: Alert, shared: Labels, now: float) -> Line:
    own = {name: value for name, value in alert.labels.items() if shared.get(name) != value}
    status: Literal["firing", "resolved"] = "firing" if alert.state == "firing" else "resolved"
    return Line(_symptom(alert, now), status, alert.severity, alert.active_at, alert.resolved_at, _labels(own))


def _redacted(context: Context) -> Context:
    def lines(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(words.cut(" ".join(redact(text).split()), 300) for text in list(texts)[:LINES_SHOWN])

    number, symptom, impact, command, title = lines(
        (context.number, context.symptom, context.impact, context.command, context.incident_title)
    )
    return replace(
        context, number=number, symptom=symptom, impact=impact, causes=lines(context.causes),
        changes=lines(context.changes), offenders=lines(context.offenders), evidence=lines(context.evidence),
        movers=lines(context.movers), command=command, incident_title=title,
        links=tuple(link for link in context.links if is_web(link.url)),
    )  # fmt: skip
