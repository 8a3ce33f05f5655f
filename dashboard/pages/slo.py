"""SLOs: how much of each objective's error budget is left, how fast it burns, and when it is empty."""

from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard import charts
from dashboard.asked import answer, remembering, view
from dashboard.budgets import Budget, budgets
from dashboard.gathering import frame, gather
from dashboard.marks import Mark, Span, marks
from dashboard.plots import Plot
from dashboard.services import Services
from dashboard.shell import Shell, View, shell

blueprint = Blueprint("slo", __name__)


@dataclass(frozen=True)
class SloPage:
    """What slo.html may use, and what the page returns as JSON."""

    shell: Shell
    budgets: tuple[Budget, ...]
    plots: tuple[Plot, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


def build(services: Services, asked: View) -> SloPage:
    at = asked.tick(services.interval) if asked.shown.live else asked.shown.end
    found = budgets(services.source, at)
    axes = frame(services.source, asked, services.interval)
    events = services.events.events(asked.shown.start, asked.shown.end) if found else []
    return SloPage(
        shell=shell(services, asked, "SLOs"),
        budgets=found,
        plots=gather(services.source, charts.SLO if found else (), axes, ()),
        marks=marks(events, asked.shown.start, asked.shown.end),
        spans=(),
    )


@blueprint.get("/slo")
def slo() -> Response:
    return answer("slo.html", build(remembering(), view()))
