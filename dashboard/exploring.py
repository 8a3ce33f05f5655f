"""An expression that somebody typed: its lines as a chart, its values now as a table, and what its metrics are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard import units
from dashboard.charts import RATE_INTERVAL, Chart, Curve
from dashboard.costs import quoted
from dashboard.plots import Frame, Plot, plots
from dashboard.units import Unit
from history import numbers
from history.model import Labels, Metadata, QueryError, Scalar, Source, Text, Vector

MOST_ROWS = 100
MOST_KNOWN = 4
MOST_WORDS = 50
"""Of an expression that are looked up: each may be a question to another server."""
MOST_NAMED = 3
"""Labels by which the lines of a chart are told apart."""
WORD = re.compile(r"[a-zA-Z_:][\w:]*", re.ASCII)
QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
RATES = re.compile(r"\b(?:rate|irate|deriv)\s*\(", re.ASCII)
UNITS: tuple[tuple[str, Unit], ...] = (("_bytes", "bytes"), ("_seconds", "seconds"), ("_ratio", "ratio"))
PER_SECOND: dict[Unit, Unit] = {"bytes": "bytes_per_second", "seconds": "count", "count": "per_second"}


@dataclass(frozen=True)
class Known:
    """A metric of the expression."""

    name: str
    type: str
    help: str
    unit: str


@dataclass(frozen=True)
class Row:
    labels: str
    value: str
    exact: str


@dataclass(frozen=True)
class Found:
    plots: tuple[Plot, ...]
    """One, or none where there is nothing to draw."""
    rows: tuple[Row, ...]
    left_out: int
    known: tuple[Known, ...]
    warnings: tuple[str, ...]
    unit: Unit = "count"


def explore(source: Source, expr: str, axes: Frame, at: float) -> Found:
    """QueryError says what is wrong with the expression."""
    expr = expr.replace(RATE_INTERVAL, axes.rate_interval)
    now = source.query(expr, at)
    known = tuple(metrics(source, expr))
    unit = unit_of(expr, known)
    rows = tuple(_rows(now, unit))
    chart = Chart("result", "Result", "", unit, "", "", (Curve("", expr),))
    plot = drawn(source, chart, axes) if isinstance(now, (Vector, Scalar)) else None
    return Found(
        plots=(plot,) if plot else (),
        rows=rows[:MOST_ROWS],
        left_out=len(rows[MOST_ROWS:]),
        known=known,
        warnings=tuple(now.warnings),
        unit=unit,
    )


def drawn(source: Source, chart: Chart, axes: Frame) -> Plot | None:
    """The chart's only curve, its lines named by the labels that tell them apart; None where no series has a value."""
    (curve,) = chart.curves
    expr = curve.expr.replace(RATE_INTERVAL, axes.rate_interval)
    lines = source.query_range(expr, axes.grid.start, axes.grid.end, axes.grid.step).lines
    name = ", ".join(f"{{{label}}}" for label in telling([line.labels for line in lines])) or "value"
    plot = next(iter(plots(source, replace(chart, curves=(replace(curve, name=name),)), axes)), None)
    if plot is None:
        return None
    lowest = min((trace.lowest for trace in plot.traces if trace.lowest is not None), default=0.0)
    return replace(plot, note="Values below 0 are only in the table.") if lowest < 0 else plot


def telling(labels: Sequence[Labels]) -> list[str]:
    """Labels that are not the same everywhere, those that tell most apart first; no more than are needed for it."""
    values = {
        name: {each.get(name, "") for each in labels} for name in dict.fromkeys(n for each in labels for n in each)
    }
    varying = [name for name, found in values.items() if len(found) > 1]
    varying.sort(key=lambda name: (-len(values[name]), sum(map(len, values[name])), name))
    for count in range(1, min(MOST_NAMED, len(varying))):
        if len({tuple(each.get(name, "") for name in varying[:count]) for each in labels}) == len(labels):
            return varying[:count]
    return varying[:MOST_NAMED]


def _rows(found: object, unit: Unit) -> Iterator[Row]:
    if isinstance(found, Vector):
        for point in sorted(found.points, key=lambda point: -point.value if point.value == point.value else 0.0):
            yield Row(series(point.labels), units.text(point.value, unit), numbers.number(point.value))
    elif isinstance(found, Scalar):
        yield Row("scalar", units.text(found.value, unit), numbers.number(found.value))
    elif isinstance(found, Text):
        yield Row("string", found.value, found.value)
    else:
        raise QueryError("bad_data", "this is a range of samples: a function such as rate(...) makes a number of it")


def series(labels: Mapping[str, str]) -> str:
    """As PromQL writes it: `up{job="node"}`."""
    pairs = ", ".join(f"{name}={quoted(value)}" for name, value in labels.items() if name != "__name__")
    return f"{labels.get('__name__', '')}{{{pairs}}}" if pairs else labels.get("__name__", "{}")


def metrics(source: Source, expr: str) -> Iterator[Known]:
    words = list(dict.fromkeys(WORD.findall(QUOTED.sub('""', expr))))[:MOST_WORDS]
    found = 0
    for word in words:
        about = _about(source, word)
        if about is not None and found < MOST_KNOWN:
            found += 1
            yield Known(word, about.type, about.help, about.unit or unit_name(word))


def _about(source: Source, word: str) -> Metadata | None:
    """Of a histogram's series, the histogram's."""
    for name in (word, re.sub(r"_(?:bucket|sum|count)$", "", word)):
        known = source.metadata(name).get(name)
        if known:
            return known[0]
    return None


def unit_name(metric: str) -> str:
    stem = metric.removesuffix("_total")
    return next((end[1:] for end, _ in UNITS if stem.endswith(end)), "")


def unit_of(expr: str, known: Sequence[Known]) -> Unit:
    """A guess from names; plain numbers where several units or a division come together."""
    text = QUOTED.sub('""', expr)
    found: set[Unit] = {next((unit for end, unit in UNITS if end[1:] == each.unit), "count") for each in known}
    if len(found) != 1 or "/" in text or "count" in WORD.findall(text):
        return "count"
    (unit,) = found
    return PER_SECOND.get(unit, unit) if RATES.search(text) else unit
