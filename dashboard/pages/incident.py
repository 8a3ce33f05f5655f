"""One incident: what is wrong, why, what to run next, who was told; and what people write about it."""

from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort

from alerts import runbooks
from alerts.incidents import store
from alerts.incidents.model import Cause, Change, Incident, Note
from alerts.incidents.watch import AFTER_SECONDS
from dashboard import incident_cards, story
from dashboard.acting import HOURS
from dashboard.answers import answers
from dashboard.answers.scope import Answer, Scope
from dashboard.asked import answer, remembering, view
from dashboard.commands import only_reads
from dashboard.gathering import frame
from dashboard.host_facts import points
from dashboard.incident_cards import IncidentCard
from dashboard.marks import Mark, Span, state_of
from dashboard.moments import iso
from dashboard.mover_charts import mover_plots
from dashboard.plots import Plot
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.site_grid import USES
from dashboard.story import Moment, Receiver
from dashboard.timerange import TimeRange
from history.model import Source

DAY = 86400.0
BEFORE_SECONDS = 2700.0
"""Shown of the time before it began."""

blueprint = Blueprint("incident", __name__)


@dataclass(frozen=True)
class MemberRow:
    name: str
    look: str
    """crit, warn or info; ok once it is over."""
    words: str
    since: float  # Unix seconds
    until: float | None  # Unix seconds
    runbook: bool


@dataclass(frozen=True)
class IncidentPage:
    """What incident.html may use, and what the page returns as JSON."""

    shell: Shell
    card: IncidentCard
    site: str
    causes: tuple[Cause, ...]
    """The likeliest first."""
    command: str
    harmless: bool
    """The command only reads."""
    alerts: tuple[MemberRow, ...]
    """As they began; what is only good to know is last."""
    plots: tuple[Plot, ...]
    """Of what moved, the first to move first."""
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    changes: tuple[Change, ...]
    """The newest first."""
    story: tuple[Moment, ...]
    """The oldest first."""
    receivers: tuple[Receiver, ...]
    notes: tuple[Note, ...]
    answers: tuple[Answer, ...]
    """To what is asked at night; those that tell of trouble first."""
    hours: tuple[int, ...]
    """How long one can be silent."""


def build(services: Services, asked: View, number: int) -> IncidentPage | None:
    """None for one that is not there."""
    incident = _read(services, number)
    if incident is None:
        return None
    asked = replace(asked, shown=around(incident, asked.now))
    axes = frame(services.source, asked, services.interval)
    card = incident_cards.cards(services.desk, (incident,), asked.now)[0]
    told = story.of_incident(services.desk, incident, asked.now)
    shown = Span(incident.began, incident.ended or asked.now, state_of(incident.severity), card.symptom, "", "")
    around_it = shell(services, asked, "Incidents")
    scope = _scope(services, incident, asked, card)
    return IncidentPage(
        shell=around_it,
        card=card,
        site=scope.site,
        causes=incident.causes,
        command=incident.command,
        harmless=only_reads(incident.command),
        alerts=tuple(
            MemberRow(
                member.name, "ok" if member.until is not None else state_of(member.severity), member.words,
                member.since, member.until, member.name in runbooks.names(),
            )
            for member in sorted(incident.alerts, key=lambda each: each.severity == "info")
        ),
        plots=mover_plots(services.source, incident, axes),
        marks=tuple(Mark(change.at, "info", change.title) for change in incident.changes),
        spans=(shown,),
        changes=incident.changes,
        story=told[0],
        receivers=told[1],
        notes=incident.notes,
        answers=answers(scope),
        hours=HOURS,
    )  # fmt: skip


def _scope(services: Services, incident: Incident, asked: View, card: IncidentCard) -> Scope:
    at = asked.tick(services.interval) if incident.ended is None else incident.ended
    window = f"from={iso(asked.shown.start)}&to={iso(asked.shown.end)}"
    return Scope(
        services.source, incident, incident.site or site_of(services.source, incident, at), at,
        services.watched.targets(), services.watched.findings(), services.alerting.alerts(),
        services.events.events(at - DAY, at), services.watched.blind(), card.held, window,
    )  # fmt: skip


def site_of(source: Source, incident: Incident, at: float) -> str:
    """The only site that uses what its alerts are about; "" if none or several do."""
    places = {(member.labels.get("job", ""), member.labels.get("instance", "")) for member in incident.alerts}
    using = {
        point.labels.get("site", "")
        for point in points(source, USES, at)
        if (point.labels.get("target_job", ""), point.labels.get("target_instance", "")) in places
    }
    return using.pop() if len(using) == 1 else ""


def around(incident: Incident, now: float) -> TimeRange:
    """What is shown of an incident: some time before, all of it, and some time after."""
    start = incident.began - BEFORE_SECONDS
    end = now if incident.ended is None else min(now, incident.ended + AFTER_SECONDS)
    return TimeRange(start, end, iso(start), iso(end), live=incident.ended is None)


def _read(services: Services, number: int) -> Incident | None:
    if services.desk is None:
        return None
    with services.desk.engine.connect() as connection:
        found = store.incident(connection, number)
    return incident_cards.plain(found) if found else None


@blueprint.get("/incidents/<int:number>")
def incident(number: int) -> Response:
    page = build(remembering(), view(), number)
    return answer("incident.html", page) if page else abort(404)
