"""A site: what it suffers from, what it is asked for, what it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, abort

from collectors.model import Event, TargetStatus
from dashboard import charts, costs, sites
from dashboard.alert_cards import AlertCard, cards
from dashboard.asked import answer, remembering, view
from dashboard.cache_table import cache_table
from dashboard.costs import CostTable
from dashboard.gathering import frame, gather
from dashboard.marks import Mark, Span, marks, state_of
from dashboard.new_errors import DEPLOYS, OF_DRUPAL, SECONDS, new_errors
from dashboard.plots import Plot
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.site_grid import concerns, uses
from dashboard.site_tables import Table, agent_table, drupal_tables, request_table
from dashboard.sites import Reading, Sign

MOST_EVENTS = 20
NO_LOG = "No request of this site in this time: either nobody came, or its access log is not read."

blueprint = Blueprint("site", __name__)


@dataclass(frozen=True)
class Happened:
    t: float  # Unix seconds
    look: str
    """crit, warn or info."""
    title: str


@dataclass(frozen=True)
class SitePage:
    """What site.html may use, and what the page returns as JSON."""

    shell: Shell
    name: str
    facts: tuple[tuple[str, str], ...]
    signs: tuple[Sign, ...]
    alerts: tuple[AlertCard, ...]
    """Of the site and of what it stands on, that fire."""
    routes: CostTable
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    events: tuple[Happened, ...]
    """The newest first."""


def build(services: Services, asked: View, name: str) -> SitePage | None:
    """None for a site that nothing is known of."""
    source, targets = services.source, services.watched.targets()
    at = asked.tick(services.interval) if asked.shown.live else asked.shown.end
    status = next((each for each in targets if each.target.job == "drupal" and each.target.instance == name), None)
    site = sites.reading(source, name, at)
    if site is None and status is None:
        return None
    site = site or Reading(name, at, {}, (), ())
    axes = frame(source, asked, services.interval)
    shown = gather(source, (charts.of_site(chart, name) for chart in charts.SITE), axes, ())
    events = [each for each in services.events.events(asked.shown.start, asked.shown.end) if each.site in ("", name)]
    used = uses(source, targets, [name], at)[name]
    firing = [alert for alert in services.alerting.alerts() if concerns(alert, name, used)]
    watched = costs.Watched(targets, services.watched.findings())
    span = costs.Span(at, asked.shown.seconds)
    around = shell(services, asked, "Drupal")
    silent = "" if around.freshness == "starting" else around.silent
    return SitePage(
        shell=around,
        name=name,
        facts=sites.facts(site),
        signs=sites.signs(site),
        alerts=cards(firing, "firing"),
        routes=costs.routes(source, span, watched, costs.ORDERS[0], name),
        tables=_tables(services, site, status, span, silent),
        plots=tuple(plot for plot in shown if plot.traces),
        marks=marks(events, asked.shown.start, asked.shown.end),
        spans=(),
        events=_happened(events, name),
    )


def _tables(
    services: Services, site: Reading, status: TargetStatus | None, span: costs.Span, silent: str
) -> tuple[Table, ...]:
    """`silent`: why nothing is known of now, where the site itself would be said to have nothing."""
    findings = services.watched.findings()
    asked = (services.source, site.name, span.seconds, span.at)
    told = services.events.events(span.at - SECONDS, span.at, kind=OF_DRUPAL)
    told += [deploy for kind in DEPLOYS for deploy in services.events.events(0, span.at, kind=kind)]
    return (
        cache_table(services.source, site.name, span),
        request_table(tuple(sites.requests(*asked)), NO_LOG),
        agent_table(sites.agents(*asked), NO_LOG),
        *drupal_tables(site, lambda part, otherwise: sites.why(status, part, findings, silent or otherwise)),
        new_errors(told, services.source, site.name, span.at),
    )


def _happened(events: Sequence[Event], name: str) -> tuple[Happened, ...]:
    own = [event for event in events if event.site == name][:MOST_EVENTS]
    return tuple(Happened(event.last, state_of(event.severity), event.title) for event in own)


@blueprint.get("/site/<name>")
def site(name: str) -> Response:
    page = build(remembering(), view(), name)
    return answer("site.html", page) if page else abort(404)
