"""Trends: the charts of all layers over one span, and the same a week before: when did it start, is it as always?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, Response, request

from collectors.model import TargetStatus
from dashboard import charts
from dashboard.asked import answer, remembering, view
from dashboard.charts import Chart
from dashboard.comparing import compared, week_before
from dashboard.gathering import frame, gather
from dashboard.marks import Mark, Span, marks, spans
from dashboard.plots import Frame, Plot
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from history.model import Source

COMPARE = "1w"
MOST = 24
"""Charts that are seen at first, if no layer has to go without."""

blueprint = Blueprint("trends", __name__)


@dataclass(frozen=True)
class Trend:
    name: str
    anchor: str
    plots: tuple[Plot, ...]
    more: tuple[Plot, ...]
    """Folded away at first."""
    note: str
    """Why there is no chart of a layer that is watched; "" where there is one."""


@dataclass(frozen=True)
class TrendsPage:
    """What trends.html may use, and what the page returns as JSON."""

    shell: Shell
    sections: tuple[Trend, ...]
    compare: bool
    compared: int
    """Charts that have a line of the week before."""
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


def build(services: Services, asked: View, compare: bool = False) -> TrendsPage:
    source, targets = services.source, services.watched.targets()
    axes = frame(source, asked, services.interval)
    earlier = week_before(source, axes) if compare else None
    sections = [_trend(source, layer, axes, earlier, targets) for layer in charts.TRENDS]
    counts = [len(section.plots) for section in sections]
    events = services.events.events(asked.shown.start, asked.shown.end)
    return TrendsPage(
        shell=shell(services, asked, "Trends"),
        sections=tuple(_folded(section, _of_each(counts)) for section in sections if section.plots or section.note),
        compare=compare,
        compared=sum(plot.before is not None for section in sections for plot in section.plots),
        marks=marks(events, asked.shown.start, asked.shown.end),
        spans=spans(source, axes.grid),
    )


def _trend(
    source: Source,
    layer: tuple[str, Iterable[Chart]],
    axes: Frame,
    earlier: Frame | None,
    targets: Sequence[TargetStatus],
) -> Trend:
    name, of_layer = layer
    shown: list[Plot] = []
    note = ""
    for chart in of_layer:
        found = gather(source, [chart], axes, targets)
        note = note or next((plot.note for plot in found if plot.note), "")
        with_lines = [plot for plot in found if plot.traces]
        shown += compared(source, chart, with_lines, earlier) if earlier else with_lines
    return Trend(name, name.lower(), tuple(shown), (), "" if shown else note)


def _of_each(counts: Sequence[int]) -> int:
    """How many of each layer are seen at first: as many as go into MOST together, and one at least."""
    fit = (most for most in range(max(counts), 0, -1) if sum(min(most, count) for count in counts) <= MOST)
    return next(fit, 1)


def _folded(section: Trend, most: int) -> Trend:
    return replace(section, plots=section.plots[:most], more=section.plots[most:])


@blueprint.get("/trends")
def trends() -> Response:
    return answer("trends.html", build(remembering(), view("cmp"), request.args.get("cmp") == COMPARE))
