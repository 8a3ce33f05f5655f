"""Answers of history, kept until a next sample is there: whoever looks at whatever page, it is asked once a tick."""

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dashboard.sliding import Answer, Asked, Sliding
from history.model import Labels, Matrix, Metadata, QueryError, Source, Vector

STATE = "sum(timestamp(up))"
"""Changes with every target that ticks."""
MOST = 2000

Question = tuple[str, float, float, float]


@dataclass(frozen=True)
class Remembered:
    """history.model.Source for one request. What is answered is never changed by who asked."""

    source: Source
    answers: dict[Question, Answer]
    sliding: Sliding
    now: float  # Unix seconds
    pages: dict[Hashable, tuple[object, Any]]
    """Built in this tick: by what was asked for, of what, and the page."""
    turns: dict[Hashable, threading.Lock]

    def turn(self, question: Hashable) -> threading.Lock:
        """Held by who builds that page."""
        return self.turns.setdefault(question, threading.Lock())

    def query(self, expr: str, at: float) -> Answer:
        question = (expr, at, at, 0.0)
        if question not in self.answers:
            self.answers[question] = self.sliding.query(self.source, expr, at, self.now)
        return self.answers[question]

    def query_range(self, expr: str, start: float, end: float, step: float) -> Matrix:
        question = (expr, start, end, step)
        if question not in self.answers:
            self.answers[question] = self.sliding.query_range(self.source, Asked(*question), self.now)
        return cast("Matrix", self.answers[question])

    def series(self, matchers: Sequence[str], start: float, end: float) -> list[dict[str, str]]:
        return self.source.series(matchers, start, end)

    def label_names(self, matchers: Sequence[str], start: float, end: float) -> list[str]:
        return self.source.label_names(matchers, start, end)

    def label_values(self, name: str, matchers: Sequence[str], start: float, end: float) -> list[str]:
        return self.source.label_values(name, matchers, start, end)

    def metadata(self, metric: str | None = None) -> dict[str, list[Metadata]]:
        return self.source.metadata(metric)


@dataclass
class Memory:
    """One for the application; any thread."""

    _state: object = None
    _answers: dict[Question, Answer] = field(default_factory=dict)
    _pages: dict[Hashable, tuple[object, Any]] = field(default_factory=dict)
    _turns: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _sliding: Sliding = field(default_factory=Sliding)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, source: Source, now: float) -> Remembered:
        """Empty where anything was measured since the last request, or history cannot say whether."""
        state = _state(source, now)
        with self._lock:
            if state is None or state != self._state or len(self._answers) > MOST:
                self._state, self._answers, self._pages, self._turns = state, {}, {}, {}
            return Remembered(source, self._answers, self._sliding, now, self._pages, self._turns)


def _state(source: Source, now: float) -> tuple[Labels, float] | None:
    try:
        found = source.query(STATE, now)
    except QueryError:
        return None
    points = found.points if isinstance(found, Vector) else ()
    return (points[0].labels, points[0].value) if points else None
