"""The overview: is anything wrong, where, since when; then the charts of what is there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from flask import Blueprint, Response

from collectors.model import Event, Finding, TargetStatus
from dashboard import charts, costs, incident_cards, trouble
from dashboard.alert_cards import AlertCard, cards
from dashboard.asked import answer, once, remembering, view
from dashboard.budgets import Budget, budgets
from dashboard.costs import CostTable
from dashboard.gathering import frame, gather
from dashboard.host_facts import Bar, bars
from dashboard.incident_cards import IncidentCard
from dashboard.layers import Layer, cells, layers
from dashboard.marks import STATES, Mark, Span, marks, spans, state_of
from dashboard.plots import Frame, Plot
from dashboard.running_out import RunsOut, running_out
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.site_grid import Here, SiteGrid, grid
from dashboard.verdict import Known, Verdict, verdict
from history.model import QueryError, Source

MOST_ALERTS, MOST_CHANGES, MOST_WATCHED, MOST_COSTS, MOST_BUDGETS, MOST_CHARTS = 5, 6, 12, 4, 4, 6
CHANGES_SECONDS, ALIKE_SECONDS = 86400.0, 60.0
FIRST_DAY = 86400.0

blueprint = Blueprint("overview", __name__)


@dataclass(frozen=True)
class Change:
    t: float  # Unix seconds
    look: str
    """crit, warn or info."""
    title: str


@dataclass(frozen=True)
class Watching:
    """The targets in one line each, the worst first."""

    state: str
    name: str
    words: str
    slug: str


@dataclass(frozen=True)
class Setup:
    """What a new installation misses; shown while something is missing, and on the first day."""

    missing: tuple[Finding, ...]
    full_view_at: float | None
    """Unix seconds at which 24 hours are there to be seen; None once they are."""


@dataclass(frozen=True)
class OverviewPage:
    """What overview.html may use, and what the page returns as JSON."""

    shell: Shell
    verdict: Verdict
    host_bars: tuple[Bar, ...]
    layers: tuple[Layer, ...]
    """Shown where no site is known."""
    sites: SiteGrid
    setup: Setup | None
    plots: tuple[Plot, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    incidents: tuple[IncidentCard, ...]
    """The open ones."""
    alerts: tuple[AlertCard, ...]
    """Of none of these; firing, then pending; the first few."""
    alerts_left_out: int
    changes: tuple[Change, ...]
    costs: tuple[CostTable, ...]
    """The dearest routes and statements, where there are any."""
    budgets: tuple[Budget, ...]
    security: tuple[Change, ...]
    """What happened in the last day above `info`, the newest first."""
    running_out: tuple[RunsOut, ...]
    """The first to end first."""
    watching: tuple[Watching, ...]
    watching_left_out: int


def build(services: Services, asked: View) -> OverviewPage:
    targets, findings = services.watched.targets(), services.watched.findings()
    alerts = services.alerting.alerts()
    around = shell(services, asked, "Overview")
    at = asked.tick(services.interval)
    day = services.events.events(min(asked.now - CHANGES_SECONDS, asked.shown.start), asked.now)
    axes = frame(services.source, asked, services.interval)
    unread = {JOBS.get(finding.collector, ""): finding.found for finding in findings}
    of_targets = cells(services.source, targets, alerts, at)
    shown = layers(targets, of_targets, unread)
    opened = incident_cards.read(services.desk, open_only=True)
    incidents = incident_cards.cards(services.desk, opened, asked.now)
    known = Known(
        alerts, targets, findings, around.freshness, around.last_sample, asked.now, asked.zone, shown,
        around.unreachable, incidents, services.central,
    )  # fmt: skip
    inside = incident_cards.by_alert(opened)
    here = Here("Hosts" if services.central else services.host, targets, of_targets, alerts, inside)
    active = [each for each in cards(alerts, "firing", "pending") if each.key not in inside]
    return OverviewPage(
        shell=around,
        verdict=verdict(known),
        host_bars=bars(services.source, at),
        layers=shown,
        sites=grid(services.source, here, at),
        setup=_setup(services.source, findings, around.last_sample, asked.now),
        plots=tuple(islice(_plots(services.source, axes, targets), MOST_CHARTS)),
        marks=marks(day, asked.shown.start, asked.shown.end),
        spans=spans(services.source, axes.grid),
        incidents=incidents[:MOST_ALERTS],
        alerts=tuple(active[:MOST_ALERTS]),
        alerts_left_out=len(active[MOST_ALERTS:]),
        changes=_changes(day, asked.now),
        costs=tuple(_costs(services, asked, at)),
        budgets=budgets(services.source, at)[:MOST_BUDGETS],
        security=_changes([each for each in day if _is_security(each)], asked.now),
        running_out=running_out(services.source, at)[:MOST_COSTS],
        watching=tuple(_watching(status) for status in trouble.ordered(targets)[:MOST_WATCHED]),
        watching_left_out=len(targets[MOST_WATCHED:]),
    )


def _plots(source: Source, axes: Frame, targets: Sequence[TargetStatus]) -> Iterator[Plot]:
    """One of each kind: of several (a pool each) the one that came nearest to its limit.

    It has the chart's own id whichever it is, so that its place on the page stays when another comes nearer.
    """
    for chart in charts.OVERVIEW:
        if of_kind := gather(source, [chart], axes, targets):
            yield replace(max(of_kind, key=_strain), id=chart.id)


def _strain(plot: Plot) -> float:
    highest = plot.traces[0].highest or 0.0 if plot.traces else 0.0
    return highest / plot.levels[0].value if plot.levels and plot.levels[0].value else highest


JOBS = {"nginx": "nginx", "phpfpm": "phpfpm", "mysql": "mysql", "redis": "redis", "probe": "blackbox"}
"""Collector -> the job of its layer."""


def _changes(events: Iterable[Event], now: float) -> tuple[Change, ...]:
    """Of what one installation does at once (a dozen units, accounts, cron jobs), a line for each kind."""
    found: dict[tuple[str, str, str, float], list[Event]] = {}
    for event in events:
        if event.last >= now - CHANGES_SECONDS:
            alike = event.kind, event.severity, event.title.partition(":")[0], event.last // ALIKE_SECONDS
            found.setdefault(alike, []).append(event)
    return tuple(
        Change(first.last, state_of(first.severity), f"{first.title} and {len(others)} more" if others else first.title)
        for first, *others in islice(found.values(), MOST_CHANGES)
    )


def _is_security(event: Event) -> bool:
    return event.kind.startswith("security.") and event.severity in STATES


def _costs(services: Services, asked: View, at: float) -> Iterator[CostTable]:
    # Sums over hours: to the minute before last, which is settled, so that they are asked once a minute.
    span = costs.Span(at - at % 60 - 60 if asked.shown.live else asked.shown.end, asked.shown.seconds)
    watched = costs.Watched(services.watched.targets(), services.watched.findings())
    for table in (costs.routes, costs.statements):
        found = table(services.source, span, watched, costs.ORDERS[0])
        if found.rows:
            yield replace(found, rows=found.rows[:MOST_COSTS])


def _watching(status: TargetStatus) -> Watching:
    return Watching(trouble.state(status), trouble.name(status), trouble.words(status), status.slug)


def _setup(source: Source, findings: Sequence[Finding], last_sample: float | None, now: float) -> Setup | None:
    first = _first_sample(source, now) or last_sample
    full_at = first + FIRST_DAY if first and first + FIRST_DAY > now + 3600 else None
    if not findings and full_at is None:
        return None
    return Setup(tuple(findings), full_at)


def _first_sample(source: Source, now: float) -> float | None:
    """Of the last day, as exactly as a promise of hours needs; None also in the first minutes of all."""
    step = 300.0
    end = now // step * step
    try:
        lines = source.query_range("max(timestamp(up))", end - FIRST_DAY, end, step).lines
    except QueryError:
        return None
    return float(lines[0].values[0]) if lines and len(lines[0].values) else None


@blueprint.get("/")
def overview() -> Response:
    return answer("overview.html", once(build, remembering(), view()))
