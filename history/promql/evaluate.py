"""Evaluate an expression over all steps at once, with the semantics of Prometheus 3."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from history.model import QueryError
from history.promql import aggregate, binary, choose, functions, rollups
from history.promql.ast import Aggregate, At, Binary, Call, Negate, Node, Number, Selector, String, Subquery
from history.promql.choose import selected
from history.promql.frames import Frame, Ranges, as_group, stack, windows, without_name
from history.samples import Floats, Group, Ints, Rolled, Samples, Wanted, absent
from history.store.tiers import LAST

LOOKBACK = 300_000  # ms
SUBQUERY_STEP = 60_000  # ms
MOST_POINTS = 11_000
MOST_CELLS = 50_000_000
MOST_INNER_STEPS = 1_000_000
"""Of a subquery: eleven days of seconds."""
TOO_MANY = "query processing would load too many samples into memory"

Value = Frame | Floats | Ranges | str
"""A vector, a scalar [steps], a range vector, a string."""


def evaluate(source: Samples, node: Node, start: int, end: int, step: int) -> Value:
    """At start, start + step ... <= end (ms); an instant is start = end. QueryError for all that cannot be answered."""
    points = (end - start) // step + 1
    if points - 1 > MOST_POINTS:  # Prometheus counts the steps, not the points at both ends
        raise QueryError(
            "bad_data",
            f"exceeded maximum resolution of {MOST_POINTS:,} points per timeseries."
            " Try decreasing the query resolution (?step=XX)",
        )
    times = start + step * np.arange(points, dtype=np.int64)
    with np.errstate(all="ignore"):
        return Evaluation(source, times).value(node)


@dataclass(frozen=True)
class Evaluation:
    source: Samples
    times: Ints  # ms, the steps
    outer: tuple[int, int] | None = None
    """What start() and end() mean inside a subquery."""

    @property
    def steps(self) -> int:
        return len(self.times)

    def value(self, node: Node) -> Value:
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
        first, last = self.outer or (int(self.times[0]), int(self.times[-1]))
        if at is None:
            return self.times - offset
        fixed = {"start": first, "end": last}.get(at, at) if isinstance(at, str) else at
        return np.full(self.steps, int(fixed) - offset, dtype=np.int64)

    def select(self, node: Selector, ends: Ints, span: int) -> list[Group]:
        start, end = int(ends.min()) - span + 1, int(ends.max())
        found = selected(self.source, node.alternatives, start, end)
        if sum(len(group.labels) for group in found) * self.steps > MOST_CELLS:
            raise QueryError("execution", TOO_MANY)
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
        wanted = Wanted(start, end, min(finest, default=0), kinds, rollups.EXACT)
        return choose.rolled(self.source, node.alternatives, wanted)

    def latest(self, node: Selector) -> tuple[Frame, Floats]:
        """Each series' newest sample within the lookback, and its stamp (seconds)."""
        ends = self.ends(node.offset, node.at)
        coarse = self.rolled(node, ends, LOOKBACK, (LAST,))
        if coarse is not None:
            return rollups.latest(coarse, ends)
        frames, stamps = [], []
        for group in self.select(node, ends, LOOKBACK):
            at = np.searchsorted(group.stamps, ends, side="right") - 1
            recent = (at >= 0) & (group.stamps[at] > ends - LOOKBACK)
            values = group.values[:, at]
            frames.append(Frame(group.labels, values, recent & ~absent(values)))
            stamps.append(np.broadcast_to(group.stamps[at] / 1000, values.shape))
        newest = stack(frames, self.steps)
        return newest, np.vstack(stamps) if stamps else newest.values

    def ranges(self, node: Selector) -> Ranges:
        ends = self.ends(node.offset, node.at)
        assert node.range is not None
        return windows(self.select(node, ends, node.range), ends, node.range)

    def subquery(self, node: Subquery) -> Ranges:
        ends = self.ends(node.offset, node.at)
        step = node.step or SUBQUERY_STEP
        # The inner steps are multiples of the step, whatever the outer ones are.
        first = (int(ends.min()) - node.range) // step * step + step
        if (int(ends.max()) - first) // step >= MOST_INNER_STEPS:
            raise QueryError("execution", TOO_MANY)
        times = np.arange(first, int(ends.max()) + 1, step, dtype=np.int64)
        if not len(times):
            return Ranges([], ends, node.range)
        outer = self.outer or (int(self.times[0]), int(self.times[-1]))
        inner = Evaluation(self.source, times, outer)
        value = inner.value(node.inner)
        frame = (
            value
            if isinstance(value, Frame)
            else Frame([{}], inner.scalar(node.inner)[None], np.full((1, len(times)), True))
        )
        return windows([as_group(frame, times)], ends, node.range)


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
