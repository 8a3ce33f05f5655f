"""The host: what can run out, what kind of machine it is, and its charts by part."""

from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard import charts, host_facts
from dashboard.alert_cards import AlertCard, cards
from dashboard.asked import answer, once, remembering, view
from dashboard.gathering import frame, gather
from dashboard.host_facts import Bar, FileSystem, ProcessGroup
from dashboard.marks import Mark, Span, marks, spans
from dashboard.plots import Plot
from dashboard.running_out import RunsOut, running_out
from dashboard.services import Services
from dashboard.shell import Shell, View, shell

blueprint = Blueprint("host", __name__)


@dataclass(frozen=True)
class Section:
    name: str
    anchor: str
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class HostPage:
    """What host.html may use, and what the page returns as JSON."""

    shell: Shell
    facts: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    alerts: tuple[AlertCard, ...]
    """Of the host itself, that fire."""
    file_systems: tuple[FileSystem, ...]
    """The fullest first."""
    running_out: tuple[RunsOut, ...]
    """The first to end first."""
    groups: tuple[ProcessGroup, ...]
    sections: tuple[Section, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


def build(services: Services, asked: View) -> HostPage:
    source, targets = services.source, services.watched.targets()
    at = asked.tick(services.interval)
    axes = frame(source, asked, services.interval)
    sections = (Section(name, name.lower(), gather(source, of_part, axes, targets)) for name, of_part in charts.HOST)
    alerts = [alert for alert in services.alerting.alerts() if alert.labels.get("job") == "node"]
    events = services.events.events(asked.shown.start, asked.shown.end)
    return HostPage(
        shell=shell(services, asked, "Host"),
        facts=() if services.central else host_facts.facts(source, at),
        bars=host_facts.bars(source, at),
        alerts=cards(alerts, "firing"),
        file_systems=host_facts.file_systems(source, at),
        running_out=running_out(source, at),
        groups=host_facts.process_groups(source, at),
        sections=tuple(section for section in sections if section.plots),
        marks=marks(events, asked.shown.start, asked.shown.end),
        spans=spans(source, axes.grid),
    )


@blueprint.get("/host")
def host() -> Response:
    return answer("host.html", once(build, remembering(), view()))
