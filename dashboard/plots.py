"""What a chart shows over a span of time: its expressions asked, thinned out, and said in words.

At most one point for each column, with the lowest and the highest kept; a step without a sample stays without one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashboard import units
from dashboard.charts import MOST_LINES, RATE_INTERVAL, Chart, Curve
from dashboard.moments import Zone
from dashboard.thinning import Floats, rounded, thinned
from dashboard.timerange import Grid
from dashboard.units import Unit
from history.model import Labels, Line, QueryError, Source

Mask = NDArray[np.bool_]

NEAR = 4.0
"""A limit this many times above everything that was measured is named, not drawn: it would flatten the lines."""


@dataclass(frozen=True)
class Trace:
    name: str
    tone: int
    """1 to 5: colour of the series."""
    dotted: bool
    values: tuple[float | None, ...]
    """One for each column; None: no sample."""
    last: float | None
    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class Level:
    name: str
    value: float
    drawn: bool


@dataclass(frozen=True)
class Gap:
    """Nothing at all was measured, from the first column without to the first with a sample again."""

    start: float  # Unix seconds
    end: float  # Unix seconds
    words: str


@dataclass(frozen=True)
class Plot:
    """One picture: what svg.py draws and what the browser redraws."""

    id: str
    title: str
    subtitle: str
    unit: Unit
    kind: str
    job: str
    instance: str
    """The only target that it shows; "" for all of the job."""
    x0: float  # Unix seconds, of the first column
    dx: float  # seconds between two columns
    columns: int
    start: float  # Unix seconds: where the axis begins and ends
    end: float
    top: float
    """The end of the value axis; it begins at 0."""
    traces: tuple[Trace, ...]
    levels: tuple[Level, ...]
    gaps: tuple[Gap, ...]
    left_out: int
    """Lines that were too many."""
    note: str
    """Why there is nothing to see; "" where there is."""
    before: Trace | None = None
    """The first line, or of a stack the sum, as it was in an earlier span that is compared."""


@dataclass(frozen=True)
class Frame:
    """The span, how finely it is asked, and at which of these times nothing was measured at all."""

    grid: Grid
    start: float  # Unix seconds
    end: float  # Unix seconds
    interval: float  # seconds between ticks
    zone: Zone
    silent: Mask  # [grid.count]

    @property
    def rate_interval(self) -> str:
        return f"{max(4 * self.interval, self.grid.step + self.interval):g}s"


def silence(source: Source, grid: Grid, interval: float) -> Mask:
    """Where the newest sample of anything was too old: PromQL would go on with it for five minutes.

    Nowhere, as far as we know, when that cannot be asked: the charts themselves say then what is wrong.
    """
    try:
        lines = source.query_range("max(timestamp(up))", grid.start, grid.end, grid.step).lines
    except QueryError:
        return np.zeros(grid.count, dtype=bool)
    newest = _on_grid(lines[0], grid) if lines else np.full(grid.count, np.nan)
    times = grid.start + grid.step * np.arange(grid.count)
    quiet: Mask = ~(times - newest <= 2.5 * interval)
    return quiet


def plots(source: Source, chart: Chart, frame: Frame) -> list[Plot]:
    """One for each set of `chart.each`; none where nothing has a value. An error is one plot that says it."""
    try:
        curves = [(curve, _ask(source, curve.expr, frame)) for curve in chart.curves]
        limits = [(limit, _ask(source, limit.expr, frame)) for limit in chart.limits]
    except QueryError as error:
        return [empty(chart, frame, f"The query failed: {error}")]
    sets = dict.fromkeys(_set(chart, line) for _, lines in curves for line in lines)
    found = []
    for number, values in enumerate(sorted(sets)):
        measured = _measured(chart, curves, values, frame)
        if not measured:  # 0/0 at every time, as a quantile of nothing is
            continue
        traces = _traces(measured[:MOST_LINES], frame)
        levels = _levels(chart, limits, values, traces)
        plot = replace(
            empty(chart, frame, ""),
            traces=traces, levels=levels, left_out=len(measured) - len(traces), top=_top(chart, traces, levels),
            gaps=_gaps([row for _, _, row in measured], frame),
            instance=dict(zip(chart.each, values, strict=True)).get("instance", ""),
        )  # fmt: skip
        if chart.each and len(sets) > 1:
            plot = replace(
                plot, id=f"{chart.id}-{number + 1}" if number else chart.id, subtitle=_which(chart, values, sets)
            )
        elif "pool" in chart.each:
            plot = replace(plot, subtitle=_which(chart, values, sets))
        found.append(plot)
    return found


def empty(chart: Chart, frame: Frame, note: str) -> Plot:
    grid = frame.grid
    columns = grid.count if grid.group == 1 else -(-grid.count // grid.group) * 2
    return Plot(
        chart.id, chart.title, chart.subtitle, chart.unit, chart.kind, chart.job, "", grid.start, grid.dx,
        columns, frame.start, frame.end, units.axis_top(0, chart.unit), (), (), (), 0, note,
    )  # fmt: skip


def single(chart: Chart, line: Line, level: Level, frame: Frame) -> Plot | None:
    """One series that was chosen already, with one level; None where it has no value."""
    row = _masked(line, frame)
    if not np.isfinite(row).any():
        return None
    traces = (_trace(chart.curves[0].name, chart.curves[0].tone, dotted=False, row=row, frame=frame),)
    levels = (replace(level, drawn=level.value <= NEAR * (traces[0].highest or 0)),)
    top = _top(chart, traces, levels)
    return replace(empty(chart, frame, ""), traces=traces, levels=levels, top=top, gaps=_gaps([row], frame))


def _ask(source: Source, expr: str, frame: Frame) -> Sequence[Line]:
    grid = frame.grid
    expr = expr.replace(RATE_INTERVAL, frame.rate_interval)
    return source.query_range(expr, grid.start, grid.end, grid.step).lines


def _set(chart: Chart, line: Line) -> tuple[str, ...]:
    return tuple(line.labels.get(label, "") for label in chart.each)


def _which(chart: Chart, values: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> str:
    """The words that tell this one from its neighbours: the pool's name if no other has it, else the instance."""
    named = dict(zip(chart.each, values, strict=True))
    pools = [dict(zip(chart.each, each, strict=True)).get("pool") for each in others]
    alone = pools.count(named.get("pool")) == 1
    words = f"pool {named['pool']}" if named.get("pool") and alone else named.get("instance", "")
    return f"{words}, {chart.subtitle}" if chart.subtitle else words


Measured = tuple[Curve, Labels, Floats]


def _measured(
    chart: Chart, curves: Iterable[tuple[Curve, Sequence[Line]]], values: tuple[str, ...], frame: Frame
) -> list[Measured]:
    """Every series with a value at each time of the grid, in the order in which they are shown."""
    found = [
        (curve, line.labels, row)
        for curve, lines in curves
        for line in lines
        if _set(chart, line) == values and np.isfinite(row := _masked(line, frame)).any()
    ]
    if len(found) > len(chart.curves):  # many series of one curve: those that reach highest
        found.sort(key=lambda each: -float(np.nanmax(each[2])))
    happened = [each for each in found if np.nanmax(np.abs(each[2])) > 0]
    # Of twenty kinds of which two were seen, the others are not "more".
    return happened if len(found) > MOST_LINES >= len(happened) > 0 else found


def _traces(measured: Sequence[Measured], frame: Frame) -> tuple[Trace, ...]:
    taken = {curve.tone for curve, _, _ in measured}
    free = [tone for tone in range(1, MOST_LINES + 1) if tone not in taken]
    traces = []
    for curve, labels, row in measured:
        name = _plain(curve.name.format_map(_Named(labels)))
        name = curve.called.get(name, name)
        traces.append(_trace(name, curve.tone or free.pop(0), curve.dotted, row, frame))
    return tuple(traces)


def _plain(name: str) -> str:
    """An address without what every address has."""
    return name.removeprefix("https://").removeprefix("http://").rstrip("/") or name


class _Named(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _trace(name: str, tone: int, dotted: bool, row: Floats, frame: Frame) -> Trace:
    there = row[np.isfinite(row)]
    shown = rounded(thinned(row, frame.grid.group))
    values = tuple(None if value != value else value for value in shown.tolist())  # noqa: PLR0124 # NaN
    facts = rounded(np.array([row[-1], there.min(), there.max()])).tolist()
    last, lowest, highest = (value if value == value else None for value in facts)  # noqa: PLR0124
    return Trace(name, tone, dotted, values, last, lowest, highest)


def _on_grid(line: Line, grid: Grid) -> Floats:
    row = np.full(grid.count, np.nan)
    row[np.rint((line.times - grid.start) / grid.step).astype(np.intp)] = line.values
    return row


def _masked(line: Line, frame: Frame) -> Floats:
    row = _on_grid(line, frame.grid)
    row[frame.silent | ~np.isfinite(row)] = np.nan
    return row


def _levels(
    chart: Chart, limits: Iterable[tuple[object, Sequence[Line]]], values: tuple[str, ...], traces: Sequence[Trace]
) -> tuple[Level, ...]:
    highest = max((trace.highest or 0 for trace in traces), default=0)
    found = []
    for limit, (_, lines) in zip(chart.limits, limits, strict=True):
        latest = [float(line.values[-1]) for line in lines if _set(chart, line) == values or not line.labels]
        if latest and np.isfinite(latest[-1]):
            found.append(Level(limit.name, latest[-1], drawn=latest[-1] <= NEAR * highest))
    return tuple(found)


def _top(chart: Chart, traces: Sequence[Trace], levels: Sequence[Level]) -> float:
    if chart.kind == "stack":
        columns = np.array([trace.values for trace in traces], dtype=np.float64)
        highest = float(np.nansum(columns, axis=0).max()) if len(traces) else 0.0
    else:
        highest = max((trace.highest or 0 for trace in traces), default=0.0)
    highest = max([highest, *(level.value * 1.05 for level in levels if level.drawn)])
    top = units.axis_top(highest, chart.unit)
    return min(top, 1.0) if chart.unit == "ratio" and highest <= 1 else top


def _gaps(rows: Sequence[Floats], frame: Frame) -> tuple[Gap, ...]:
    """Where no series has a value for at least three ticks; exact, however coarse the picture is."""
    grid = frame.grid
    missing = np.isnan(np.array(rows)).all(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]]).astype(np.int8)))
    gaps = []
    for first, after in edges.reshape(-1, 2).tolist():
        start = max(frame.start, grid.start + first * grid.step)
        end = frame.end if after == grid.count else grid.start + after * grid.step
        if end - start >= 3 * frame.interval:
            gaps.append(Gap(start, end, _gap_words(start, end, frame)))
    return tuple(gaps)


def _gap_words(start: float, end: float, frame: Frame) -> str:
    first, last = frame.zone.short(start, frame.end), frame.zone.short(end, frame.end)
    if end >= frame.end:
        return f"no samples since {first}"
    return f"no samples before {last}" if start <= frame.start else f"no samples {first} to {last}"
