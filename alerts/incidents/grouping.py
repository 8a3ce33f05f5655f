"""Which alerts belong together: what begins on one host at one time, or explains each other. Pure.

What begins a little later belongs to it if it is about the same sites, and does not start of itself: that has to be
tied to what started before, by the graph or by lying below it. An alert of the severity `info` opens none and keeps
none open, but is told with the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from alerts.incidents.graph import Graph
from alerts.incidents.model import Incident, Member
from alerts.incidents.roles import starts, tied
from alerts.message.redact import redact
from alerts.message.words import cut
from alerts.model import Alert
from alerts.notices import fingerprint, one_each

AT_ONE_TIME = 120.0
"""Seconds within which it cannot be told what came first: parts are read at different times."""
JOIN_SECONDS = 900.0
"""How long after the last change of an incident, or before its first, an alert may begin and still belong to it."""
REOPEN_SECONDS = 600.0
"""How long after its end an alert that fires again is the same one, and an incident the same one."""
SEVERITIES = ("critical", "error", "warning", "info")
MOST_MEMBERS = 200
MOST_OPEN = 100
"""Of a storm: the rest is in the log of alerts."""
MOST_WORDS = 300


def step(known: Iterable[Incident], alerts: Iterable[Alert], now: float, graph: Graph) -> tuple[Incident, ...]:
    """`known`: those that are open, and those that ended within REOPEN_SECONDS; a new one has the id 0."""
    current = one_each(alerts)
    incidents = [_refreshed(incident, current, now) for incident in known]
    inside = {fingerprint(one.labels) for incident in incidents for one in incident.alerts if one.until is None}
    fresh = [alert for key, alert in current.items() if alert.state == "firing" and key not in inside]
    for alert in sorted(fresh, key=lambda one: (one.severity == "info", one.active_at, sorted(one.labels.items()))):
        place = _place(incidents, alert, graph)
        if place is not None:
            incidents[place] = _joined(incidents[place], alert)
        elif alert.severity != "info" and len(incidents) < MOST_OPEN:
            incidents.append(_opened(alert))
    return tuple(_settled(incident) for incident in incidents)


def _refreshed(incident: Incident, current: Mapping[str, Alert], now: float) -> Incident:
    members = tuple(_member_now(member, current.get(fingerprint(member.labels)), now) for member in incident.alerts)
    return replace(incident, alerts=members)


def _member_now(member: Member, alert: Alert | None, now: float) -> Member:
    if alert is not None and alert.state == "firing":
        if member.until is None:
            return replace(member, words=_words(alert))
        return replace(member, until=None) if now - member.until <= REOPEN_SECONDS else member
    if member.until is not None:
        return member
    ended = alert.resolved_at if alert is not None else None
    return replace(member, until=now if ended is None else ended)


def _place(incidents: Sequence[Incident], alert: Alert, graph: Graph) -> int | None:
    """The newest that it belongs to."""
    candidates = [place for place, incident in enumerate(incidents) if _same_place(incident, alert)]
    candidates = [place for place in candidates if _firing(incidents[place])]
    candidates.sort(key=lambda place: -incidents[place].opened)
    return next((place for place in candidates if _belongs(incidents[place], alert, graph)), None)


def _same_place(incident: Incident, alert: Alert) -> bool:
    """One host; what names no host goes by its site."""
    host, site = alert.labels.get("host", ""), alert.labels.get("site", "")
    if host and incident.host:
        return host == incident.host
    sites = {member.labels.get("site", "") for member in incident.alerts}
    return site in sites or (bool(site) and sites == {""})


def _belongs(incident: Incident, alert: Alert, graph: Graph) -> bool:
    members = _firing(incident)
    if starts(alert.labels):
        members = [member for member in members if starts(member.labels)] or members
    if any(
        graph.explains(member.labels, alert.labels) or graph.explains(alert.labels, member.labels) for member in members
    ):
        return True
    if not incident.began - JOIN_SECONDS <= alert.active_at <= _last_change(incident) + JOIN_SECONDS:
        return False
    return alert.severity == "info" or any(_related(member, alert, graph) for member in members)


def _related(member: Member, alert: Alert, graph: Graph) -> bool:
    if abs(member.since - alert.active_at) <= AT_ONE_TIME:
        return True
    if starts(member.labels) and starts(alert.labels) and not tied(member.labels, alert.labels):
        return False
    return not graph.apart(member.labels, alert.labels)


def _last_change(incident: Incident) -> float:
    counted = [member for member in incident.alerts if member.severity != "info"]
    return max(member.since if member.until is None else member.until for member in counted)


def _firing(incident: Incident) -> list[Member]:
    return [member for member in incident.alerts if member.until is None and member.severity != "info"]


def _joined(incident: Incident, alert: Alert) -> Incident:
    others = tuple(member for member in incident.alerts if member.labels != alert.labels)
    if len(others) >= MOST_MEMBERS:
        return incident
    host, site = alert.labels.get("host", ""), alert.labels.get("site", "")
    return replace(
        incident,
        host=incident.host or host,
        site="" if incident.site and site and site != incident.site else incident.site or site,
        alerts=tuple(sorted((*others, _member(alert)), key=lambda member: member.since)),
    )


def _opened(alert: Alert) -> Incident:
    labels = alert.labels
    return Incident(
        0, labels.get("host", ""), labels.get("site", ""), alert.severity, _words(alert), alert.active_at, None,
        (_member(alert),),
    )  # fmt: skip


def _member(alert: Alert) -> Member:
    return Member(alert.name, dict(alert.labels), alert.severity, alert.active_at, None, _words(alert))


def _words(alert: Alert) -> str:
    return cut(" ".join(redact(alert.annotations.get("summary", "") or alert.name).split()), MOST_WORDS)


def _settled(incident: Incident) -> Incident:
    """Its severity and whether it is over, as its members say."""
    ended = None if _firing(incident) else _last_change(incident)
    return replace(incident, severity=min((one.severity for one in incident.alerts), key=rank), ended=ended)


def rank(severity: str) -> int:
    """0 is the worst."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else SEVERITIES.index("warning")
