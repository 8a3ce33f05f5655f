"""What history answers: results, errors, and the interface that embedded and remote stores share.

Times are Unix seconds (float) at this interface; milliseconds are exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from collectors.model import Event, Sample, Target

if TYPE_CHECKING:  # the bare agent, which writes and never asks, does without numpy
    import numpy as np
    from numpy.typing import NDArray

Labels = Mapping[str, str]


class QueryError(Exception):
    """`kind` is Prometheus' errorType: bad_data, execution, timeout, unavailable."""

    def __init__(self, kind: Literal["bad_data", "execution", "timeout", "unavailable"], message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Point:
    labels: Labels
    t: float
    value: float


@dataclass(frozen=True)
class Line:
    """One series over time: only the steps at which it has a value; a gap is a missing step, never NaN for absence."""

    labels: Labels
    times: "NDArray[np.float64]"  # Unix seconds, ascending
    values: "NDArray[np.float64]"


@dataclass(frozen=True)
class Vector:
    points: tuple[Point, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matrix:
    lines: tuple[Line, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scalar:
    t: float
    value: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """PromQL's string result."""

    t: float
    value: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metadata:
    type: str
    help: str
    unit: str = ""


class Source(Protocol):
    """What pages, rules and the HTTP API ask. Embedded or remote: no caller can tell which one answers.

    Every method may raise QueryError.
    """

    def query(self, expr: str, at: float) -> Vector | Matrix | Scalar | Text: ...
    def query_range(self, expr: str, start: float, end: float, step: float) -> Matrix: ...
    def series(self, matchers: Sequence[str], start: float, end: float) -> list[dict[str, str]]: ...
    def label_names(self, matchers: Sequence[str], start: float, end: float) -> list[str]: ...
    def label_values(self, name: str, matchers: Sequence[str], start: float, end: float) -> list[str]: ...
    def metadata(self, metric: str | None = None) -> dict[str, list[Metadata]]: ...


class Sink(Protocol):
    """What the runner writes to."""

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        """One tick of one target. A series that was in the tick before and is not in this one ends (stale).

        No samples at all: every series of the target ends. ValueError for a stamp that is there already, or from
        before what is sealed.
        """
        ...

    def record(self, *events: Event) -> None:
        """Idempotent by each event's id."""
        ...
