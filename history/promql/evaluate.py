"""Evaluate an expression over all steps at once, with the semantics of Prometheus 3."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from history.model import QueryError
from history.promql import aggregate, binary, choose, functions, rollups
from history.promql.ast import Aggregate, At, Binary, Call, Negate, Node, Number, Selector, String, Subquery
from history.promql.choose import selected
from history.promql.frames import Frame, Ranges, as_group, side_by_side, stack, windows, without_name
from history.promql.limits import exceeded
from history.promql.query import Query
from history.samples import Floats, Group, Ints, Rolled, TooMany, Wanted, absent
from history.store.tiers import LAST

LOOKBACK = 300_000  # ms
AT_ONCE = 2_000_000
"""Samples that are read at a time, where that is possible: 16 MB."""
SUBQUERY_STEP = 60_000  # ms

Value = Frame | Floats | Ranges | str
"""A vector, a scalar [steps], a range vector, a string."""


@dataclass(frozen=True)
class Result:
    value: Value
    notes: tuple[str, ...] = ()
    """What Prometheus calls annotations: `PromQL warning: ...`, `PromQL info: ...`."""


def evaluate(query: Query, node: Node) -> Result:
    """At start, start + step ... <= end; an instant is start = end. QueryError for all that cannot be answered."""
    steps = (query.end - query.start) // query.step
    if steps > query.limits.points:  # Prometheus counts the steps, not the points at both ends
        raise exceeded(
            "bad_data",
            f"exceeded maximum resolution of {query.limits.points:,} points per timeseries."
            f" Try decreasing the query resolution (?step=XX): the query has {steps:,} steps",
            query.limits.points,
            "points",
        )
    times = query.start + query.step * np.arange(steps + 1, dtype=np.int64)
    with np.errstate(all="ignore"):
        value = _evaluated(query, node, times)
    return Result(value, tuple(query.notes))


def _evaluated(query: Query, node: Node, times: Ints) -> Value:
    """At once, or where that would read much, the first half of the steps and then the other: no step needs another."""
    read = len(query.reads)
    try:
        return Evaluation(query, times, divisible=len(times) > 1).value(node)
    except TooMany:
        del query.reads[read:]
    middle = len(times) // 2
    parts = [_evaluated(query, node, some) for some in (times[:middle], times[middle:])]
    frames = [part for part in parts if isinstance(part, Frame)]
    scalars = [part for part in parts if isinstance(part, np.ndarray)]
    return side_by_side(frames) if frames else np.concatenate(scalars) if scalars else parts[0]


@dataclass(frozen=True)
class Evaluation:
    query: Query
    times: Ints  # ms, the steps: those of the query, or of a subquery in it
    divisible: bool = False
    """What reads more than AT_ONCE is refused with TooMany, as it can be done in parts."""

    @property
    def steps(self) -> int:
        return len(self.times)

    def value(self, node: Node) -> Value:
        self.query.in_time()
        return KINDS[type(node)](self, node)

    def vector(self, node: Node) -> Frame:
        value = self.value(node)
        if not isinstance(value, Frame):
            raise QueryError("bad_data", "expected an instant vector")
        return value

    def scalar(self, node: Node) -> Floats:
        value = self.value(node)
        if not isinstance(value, np.ndarray):
            raise QueryError("bad_data", "expected a scalar")
        return value

    def range_vector(self, node: Node) -> Ranges:
        value = self.value(node)
        if not isinstance(value, Ranges):
            raise QueryError("bad_data", "expected a range vector")
        return value

    def text(self, node: Node) -> str:
        value = self.value(node)
        if not isinstance(value, str):
            raise QueryError("bad_data", "expected a string")
        return value

    def ends(self, offset: int, at: At) -> Ints:
        """Where each step looks, offset and @ applied."""
        if at is None:
            return self.times - offset
        fixed = {"start": self.query.start, "end": self.query.end}[at] if isinstance(at, str) else at
        return np.full(self.steps, int(fixed) - offset, dtype=np.int64)

    def select(self, node: Selector, ends: Ints, span: int) -> list[Group]:
        start, end = int(ends.min()) - span + (not self.query.promql_2x), int(ends.max())
        most = min(AT_ONCE, self.query.left) if self.divisible else self.query.left
        try:
            found = selected(self.query.source, node.alternatives, start, end, most)
        except TooMany as error:
            if not self.divisible:
                self.query.hold(self.query.limits.samples - self.query.left + error.samples)
            raise
        self.query.read(found)
        self.query.hold(sum(len(group.labels) for group in found) * self.steps)
        return found

    def negate(self, node: Negate) -> Frame | Floats:
        value = self.value(node.inner)
        if isinstance(value, Frame):
            return without_name(replace(value, values=-value.values))
        return -self.scalar(node.inner)

    def rolled(self, node: Selector, ends: Ints, span: int, kinds: Sequence[int]) -> list[Rolled] | None:
        """Roll-ups in place of the samples of start < t <= end; None: the samples are there, and few enough."""
        step = int(self.times[1] - self.times[0]) if self.steps > 1 else None
        finest = [width for width in (step, span // 2 if node.range else None) if width is not None]
        start, end = int(ends.min()) - span + 1, int(ends.max())
        exact, at_once = (rollups.EXACT if kinds else math.inf), (AT_ONCE if self.divisible else math.inf)
        wanted = Wanted(start, end, min(finest, default=0), kinds, exact, at_once)
        found = choose.rolled(self.query.source, node.alternatives, wanted)
        if found is not None:
            self.query.note_rolled(found, wanted)
        return found

    def latest(self, node: Selector) -> tuple[Frame, Floats]:
        """Each series' newest sample within the lookback, and its stamp (seconds)."""
        ends = self.ends(node.offset, node.at)
        coarse = self.rolled(node, ends, LOOKBACK, (LAST,))
        if coarse is not None:
            return rollups.latest(coarse, ends)
        frames, stamps = [], []
        for group in self.select(node, ends, LOOKBACK):
            at = np.searchsorted(group.stamps, ends, side="right") - 1
            oldest = ends - LOOKBACK + (not self.query.promql_2x)
            recent = (at >= 0) & (group.stamps[at] >= oldest)
            values = group.values[:, at]
            frames.append(Frame(group.labels, values, recent & ~absent(values)))
            stamps.append(np.broadcast_to(group.stamps[at] / 1000, values.shape))
        newest = stack(frames, self.steps)
        return newest, np.vstack(stamps) if stamps else newest.values

    def ranges(self, node: Selector) -> Ranges:
        ends = self.ends(node.offset, node.at)
        assert node.range is not None
        return windows(self.select(node, ends, node.range), ends, node.range, closed=self.query.promql_2x)

    def subquery(self, node: Subquery) -> Ranges:
        ends = self.ends(node.offset, node.at)
        step = node.step or SUBQUERY_STEP
        # The inner steps are multiples of the step, whatever the outer ones are.
        closed = self.query.promql_2x
        first = -((node.range - int(ends.min()) - (not closed)) // step) * step
        self.query.hold((int(ends.max()) - first) // step)
        times = np.arange(first, int(ends.max()) + 1, step, dtype=np.int64)
        if not len(times):
            return Ranges([], ends, node.range)
        inner = replace(self, times=times)
        value = inner.value(node.inner)
        frame = (
            value
            if isinstance(value, Frame)
            else Frame([{}], inner.scalar(node.inner)[None], np.full((1, len(times)), True))
        )
        return windows([as_group(frame, times)], ends, node.range, closed=closed)


def _selector(evaluation: Evaluation, node: Selector) -> Value:
    return evaluation.latest(node)[0] if node.range is None else evaluation.ranges(node)


KINDS: dict[type[Any], Callable[[Evaluation, Any], Value]] = {
    Number: lambda evaluation, node: np.full(evaluation.steps, node.value),
    String: lambda _, node: str(node.value),
    Selector: _selector,
    Subquery: Evaluation.subquery,
    Call: functions.call,
    Aggregate: aggregate.aggregate,
    Binary: binary.binary,
    Negate: Evaluation.negate,
}
