"""What moved in an incident, as charts: each series with the level that was usual before."""

from collections.abc import Iterator

from alerts.incidents.catalogue import candidates, filled
from alerts.incidents.model import Incident, Mover
from dashboard.charts import Chart, Curve
from dashboard.incident_cards import without_host
from dashboard.plots import Frame, Level, Plot, single
from history.model import Labels, Line, QueryError, Source


def mover_plots(source: Source, incident: Incident, frame: Frame) -> tuple[Plot, ...]:
    return tuple(_plots(source, incident, frame))


def _plots(source: Source, incident: Incident, frame: Frame) -> Iterator[Plot]:
    for number, mover in enumerate(incident.movers, 1):
        line = _line(source, mover, incident, frame)
        if line is None:
            continue
        curve = Curve("now", mover.expr, tone=2 if number == 1 else 1)
        chart = Chart(
            f"mover-{number}", without_host(mover.title, incident), "", mover.unit, "", "", (curve,), kind="area"
        )
        if plot := single(chart, line, Level("before", mover.before, drawn=True), frame):
            yield plot


def _line(source: Source, mover: Mover, incident: Incident, frame: Frame) -> Line | None:
    """The one of its candidate's series that has the mover's title."""
    grid = frame.grid
    try:
        lines = source.query_range(mover.expr, grid.start, grid.end, grid.step).lines
    except QueryError:
        return None
    return next((line for line in lines if is_it(mover, line.labels, incident.host)), None)


def is_it(mover: Mover, labels: Labels, host: str) -> bool:
    """Whether the series with these labels is the one that moved: it has its title."""
    titles = (filled(each.title, labels) for each in candidates() if each.expr == mover.expr)
    return labels.get("host", "") in ("", host) and mover.title in titles
