"""The same charts a week earlier: a line under what is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dashboard.charts import Chart
from dashboard.plots import Frame, Plot, Trace, plots, silence
from history.model import Source

WEEK = 7 * 86400.0  # seconds


def week_before(source: Source, frame: Frame) -> Frame:
    grid = replace(frame.grid, start=frame.grid.start - WEEK)
    silent = silence(source, grid, frame.interval)
    return replace(frame, grid=grid, start=frame.start - WEEK, end=frame.end - WEEK, silent=silent)


def compared(source: Source, chart: Chart, shown: Iterable[Plot], earlier: Frame) -> list[Plot]:
    """Each with the line of its own instance or pool, where there was one."""
    known = [plot for plot in plots(source, replace(chart, limits=()), earlier) if plot.traces]
    return [_beside(plot, known) for plot in shown]


def _beside(plot: Plot, known: Sequence[Plot]) -> Plot:
    own = next((each for each in known if (each.instance, each.subtitle) == (plot.instance, plot.subtitle)), None)
    if own is None or not plot.traces:
        return plot
    if plot.kind == "stack":
        before = _sum(own.traces)
    else:
        same = next((trace for trace in own.traces if trace.name == plot.traces[0].name), None)
        if same is None:
            return plot
        name = f"{same.name} a week before" if len(plot.traces) > 1 else "a week before"
        before = replace(same, name=name, tone=0, dotted=True)
    return replace(plot, before=before, top=max(plot.top, own.top))


def _sum(traces: Sequence[Trace]) -> Trace:
    columns = [
        [value for value in column if value is not None] for column in zip(*(t.values for t in traces), strict=True)
    ]
    values = tuple(float(f"{sum(column):.4g}") if column else None for column in columns)
    there = [value for value in values if value is not None]
    newest = [trace.last for trace in traces if trace.last is not None]
    return Trace("sum a week before", 0, True, values, sum(newest) if newest else None, min(there), max(there))
