"""The embedded source: PromQL over the store of this process."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from history.model import Labels, Line, Matrix, Metadata, Point, QueryError, Scalar, Text, Vector
from history.promql.ast import Selector
from history.promql.evaluate import Result, Value, evaluate
from history.promql.frames import Frame, Ranges, alive
from history.promql.limits import DEFAULT, Limits
from history.promql.parse import parse
from history.promql.query import Query
from history.samples import Floats, Matcher, Samples


class Holder(Samples, Protocol):
    """A store, or what a test of rules has in memory."""

    def series(self, matchers: Sequence[Matcher], start: int, end: int) -> Iterable[Labels]: ...
    def metadata(self) -> dict[str, Metadata]: ...


class Embedded:
    """history.model.Source over a Store. Any thread."""

    def __init__(self, store: Holder, limits: Limits = DEFAULT, promql_2x: bool = False) -> None:
        """`promql_2x`: ranges include their left border, as in Prometheus 2."""
        self._store = store
        self._samples: Samples = store
        self._limits = limits
        self._promql_2x = promql_2x

    def query(self, expr: str, at: float) -> Vector | Matrix | Scalar | Text:
        moment = round(at * 1000)
        result = self._evaluate(expr, moment, moment, 1)
        value, notes = result.value, result.notes
        if isinstance(value, str):
            return Text(at, value, notes)
        if isinstance(value, Ranges):
            return Matrix(tuple(_range_lines(value)), notes)
        if isinstance(value, np.ndarray):
            return Scalar(at, float(value[0]), notes)
        there = np.flatnonzero(value.present[:, 0]).tolist()
        return Vector(tuple(Point(value.labels[row], at, float(value.values[row, 0])) for row in there), notes)

    def query_range(self, expr: str, start: float, end: float, step: float) -> Matrix:
        first, last, width = (round(seconds * 1000) for seconds in (start, end, step))
        if width <= 0:
            raise QueryError("bad_data", f"the step must be at least 1 ms, found {step} s")
        if last < first:
            raise QueryError("bad_data", f"the end {end} must not be before the start {start}")
        result = self._evaluate(expr, first, last, width)
        return Matrix(tuple(_lines(result.value, np.arange(first, last + 1, width) / 1000)), result.notes)

    def _evaluate(self, expr: str, start: int, end: int, step: int) -> Result:
        query = Query(self._samples, start, end, step, self._limits, self._promql_2x)
        return evaluate(query, parse(expr, self._limits))

    def series(self, matchers: Sequence[str], start: float, end: float) -> list[dict[str, str]]:
        found = {tuple(sorted(labels.items())) for labels in self._labels(matchers, start, end)}
        return [dict(labels) for labels in sorted(found)]

    def label_names(self, matchers: Sequence[str], start: float, end: float) -> list[str]:
        return sorted({name for labels in self._labels(matchers, start, end) for name in labels})

    def label_values(self, name: str, matchers: Sequence[str], start: float, end: float) -> list[str]:
        return sorted({labels[name] for labels in self._labels(matchers, start, end) if name in labels})

    def metadata(self, metric: str | None = None) -> dict[str, list[Metadata]]:
        known = self._store.metadata()
        return {name: [found] for name, found in known.items() if metric in (None, name)}

    def _labels(self, matchers: Sequence[str], start: float, end: float) -> list[Labels]:
        """Of every series that matches any of the selectors, or of all without one, and has a sample in that time."""
        sets: list[tuple[Matcher, ...]] = []
        for text in matchers:
            node = parse(text)
            if not isinstance(node, Selector) or node != Selector(node.alternatives):  # no range, offset or @
                raise QueryError("bad_data", f"expected a series selector, found {text!r}")
            sets += node.alternatives
        return [
            labels
            for chosen in (sets if matchers else [()])
            for labels in self._store.series(chosen, round(start * 1000), round(end * 1000))
        ]


def _lines(value: Value, times: Floats) -> list[Line]:
    if isinstance(value, np.ndarray):
        return [Line({}, times, value)]
    if not isinstance(value, Frame):
        kind = "string" if isinstance(value, str) else "range vector"
        raise QueryError(
            "bad_data", f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
        )
    value = alive(value)
    if value.present.all():
        return [Line(labels, times, row) for labels, row in zip(value.labels, value.values, strict=True)]
    rows = zip(value.labels, value.values, value.present, strict=True)
    return [Line(labels, times[there], row[there]) for labels, row, there in rows]


def _range_lines(value: Ranges) -> list[Line]:
    lines = []
    for window in value.windows:
        covered = slice(int(window.first[0]), int(window.after[0]))
        if covered.start < covered.stop:
            times = window.stamps[covered] / 1000
            lines += [
                Line(labels, times, row[covered]) for labels, row in zip(window.labels, window.values, strict=True)
            ]
    return lines
