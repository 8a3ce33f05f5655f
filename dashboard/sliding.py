"""What was answered of times that are settled: of a span that slides with the clock only the newest is asked again.

An answer depends on samples up to its time. Those of a tick are there within seconds of it, so that it is settled
soon; what comes later still, as of a host that was cut off, is seen when the whole is asked anew.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from history.model import Labels, Line, Matrix, Scalar, Source, Text, Vector

SETTLED_SECONDS = 60.0
ANEW_SECONDS = 300.0
MOST = 300
NEVER = "@"
"""`@ end()` makes a column depend on the span that it stands in."""

Kind = tuple[str, int, int]
"""Expression, step and at which ms of a step the columns stand."""
Answer = Vector | Matrix | Scalar | Text


class Asked(NamedTuple):
    """A range query; times in Unix seconds, the step above 0."""

    expr: str
    start: float
    end: float
    step: float

    @property
    def kind(self) -> Kind:
        width = round(self.step * 1000)
        return self.expr, width, round(self.start * 1000) % max(1, width)

    def of(self, source: Source) -> Matrix:
        return source.query_range(*self)


@dataclass(frozen=True)
class Known:
    start: float  # Unix seconds
    settled: float
    """Unix seconds up to which no column changes."""
    whole: float
    """Unix seconds at which all of it was asked."""
    answer: Matrix


@dataclass
class Sliding:
    """Any thread."""

    _known: dict[Kind, Known] = field(default_factory=dict)
    _past: dict[tuple[str, float], tuple[float, Answer]] = field(default_factory=dict)
    """When it was asked, and what was answered, of times that are settled."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def query(self, source: Source, expr: str, at: float, now: float) -> Answer:
        if at > now - SETTLED_SECONDS:
            return source.query(expr, at)
        with self._lock:
            asked, answer = self._past.get((expr, at), (0.0, None))
        if answer is None or now - asked > ANEW_SECONDS:
            answer = source.query(expr, at)
            with self._lock:
                if len(self._past) >= MOST:
                    self._past.clear()
                self._past[expr, at] = now, answer
        return answer

    def query_range(self, source: Source, asked: Asked, now: float) -> Matrix:
        with self._lock:
            known = self._known.get(asked.kind)
        whole = NEVER in asked.expr or known is None or asked.start < known.start or now - known.whole > ANEW_SECONDS
        answer = asked.of(source) if whole or known is None else _slid(source, known, asked)
        since = now if whole or known is None else known.whole
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[asked.kind] = Known(asked.start, min(asked.end, now - SETTLED_SECONDS), since, answer)
        return answer


def _slid(source: Source, known: Known, asked: Asked) -> Matrix:
    columns = float(np.floor((min(known.settled, asked.end) - asked.start) / asked.step + 1e-6))
    if columns < 0:
        return asked.of(source)
    first = asked.start + asked.step * (columns + 1)  # of those that are asked
    there = first <= asked.end + asked.step / 1000
    fresh = asked._replace(start=first).of(source) if there else Matrix(())
    newest = {_key(line.labels): line for line in fresh.lines}
    lines = list(_joined(known.answer, newest, asked.start - asked.step / 2, first - asked.step / 2))
    return Matrix((*lines, *newest.values()), tuple(dict.fromkeys((*known.answer.warnings, *fresh.warnings))))


def _joined(known: Matrix, newest: dict[frozenset[tuple[str, str]], Line], start: float, end: float) -> Iterator[Line]:
    """Each line that was there with what is new of it, which is taken out of `newest`."""
    for line in known.lines:
        there = (line.times > start) & (line.times < end)
        more = newest.pop(_key(line.labels), None)
        times, values = line.times[there], line.values[there]
        if more is not None:
            times, values = np.concatenate((times, more.times)), np.concatenate((values, more.values))
        if len(times):
            yield Line(line.labels, times, values)


def _key(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())
