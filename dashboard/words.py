"""A chart in words, for those who do not see it: one sentence, and a small table."""

from collections.abc import Iterator

from dashboard import units
from dashboard.moments import Zone
from dashboard.plots import Plot, Trace

ROWS = 9


def sentence(plot: Plot) -> str:
    """What it shows, the newest values, their span, and when nothing was measured."""
    if not plot.traces:
        return f"{plot.title}: nothing to show. {plot.note}".strip()
    lines = "; ".join(_said(plot, trace) for trace in plot.traces)
    lines += f"; {_said(plot, plot.before)}" if plot.before else ""
    limits = "".join(f"; {level.name} {units.text(level.value, plot.unit)}" for level in plot.levels)
    gaps = "".join(f" {gap.words.capitalize()}." for gap in plot.gaps)
    left_out = f" {plot.left_out} more are not shown." if plot.left_out else ""
    subtitle = f", {plot.subtitle}" if plot.subtitle else ""
    return f"{plot.title}{subtitle}: {lines}{limits}.{gaps}{left_out}"


def _said(plot: Plot, trace: Trace) -> str:
    lowest, highest = units.text(trace.lowest, plot.unit), units.text(trace.highest, plot.unit)
    span = f"always {lowest}" if lowest == highest else f"between {lowest} and {highest}"
    return f"{trace.name} {span}" + ("" if trace.last is None else f", now {units.text(trace.last, plot.unit)}")


def table(plot: Plot, zone: Zone) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Time and values of columns from one end of the chart to the other."""
    first = max(0, round((plot.start - plot.x0) / plot.dx))
    last = min(plot.columns - 1, round((plot.end - plot.x0) / plot.dx))
    traces = (*plot.traces, plot.before) if plot.before else plot.traces
    for row in range(ROWS):
        column = first + round((last - first) * row / (ROWS - 1))
        when = zone.short(plot.x0 + column * plot.dx, plot.end)
        yield when, tuple(units.text(trace.values[column], plot.unit) for trace in traces)
