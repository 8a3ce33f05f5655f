"""Functions of range vectors: one value from the samples of each window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from history.model import QueryError
from history.promql import rates, reduce, rollups
from history.promql.ast import Call, Selector
from history.promql.frames import Frame, Ranges, Window, empty, stack, without_name
from history.samples import Floats, Ints, Mask

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation


@dataclass(frozen=True)
class Covered:
    """A window less the steps with too few samples, with what belongs to the other steps."""

    window: Window
    ends: Ints  # ms
    span: int  # ms
    now: Ints  # ms, the evaluation's steps
    params: Sequence[Floats]
    """Each [steps]."""
    promql_2x: bool


ROWS = 64
"""Series taken at a time: what is computed on the way then stays in the processor's cache."""

COUNTERS = ("rate", "increase", "irate")
COUNTER_ENDINGS = ("_total", "_sum", "_count", "_bucket")

Over = Callable[[Covered], Floats]


@dataclass(frozen=True)
class Function:
    over: Over
    least: int = 1
    """Samples that a window needs."""
    keeps_name: bool = False


def _rate(*, counter: bool, per_second: bool = False) -> Function:
    kind = rates.Kind(counter, per_second)

    def over(at: Covered) -> Floats:
        return rates.extrapolated(at.window, at.ends, at.span, kind, promql_2x=at.promql_2x)

    return Function(over, 2)


def _ones(at: Covered) -> Floats:
    return np.ones((len(at.window.values), len(at.ends)))


def _reduced(ufunc: np.ufunc) -> Function:
    return Function(lambda at: reduce.extremes(ufunc, at.window.values, at.window.first, at.window.after))


def _stamps(at: Covered, index: Ints) -> Floats:
    return np.broadcast_to(at.window.stamps[index] / 1000, (len(at.window.values), len(at.ends)))


FUNCTIONS = {
    "rate": _rate(counter=True, per_second=True),
    "increase": _rate(counter=True),
    "delta": _rate(counter=False),
    "irate": Function(lambda at: rates.instant_change(at.window, counter=True), 2),
    "idelta": Function(lambda at: rates.instant_change(at.window, counter=False), 2),
    "deriv": Function(lambda at: rates.slope(at.window), 2),
    "predict_linear": Function(lambda at: rates.predicted(at.window, at.now, at.params[0]), 2),
    "changes": Function(lambda at: rates.occurrences(rates.changes(at.window.values), at.window)),
    "resets": Function(lambda at: rates.occurrences(rates.resets(at.window.values), at.window)),
    "avg_over_time": Function(lambda at: reduce.mean(at.window)),
    "sum_over_time": Function(lambda at: reduce.total(at.window)),
    "min_over_time": _reduced(np.fmin),
    "max_over_time": _reduced(np.fmax),
    "count_over_time": Function(lambda at: _ones(at) * at.window.counts),
    "present_over_time": Function(_ones),
    "last_over_time": Function(lambda at: at.window.values[:, at.window.after - 1], keeps_name=True),
    "first_over_time": Function(lambda at: at.window.values[:, at.window.first], keeps_name=True),
    "stdvar_over_time": Function(lambda at: reduce.spread(at.window)),
    "stddev_over_time": Function(lambda at: np.sqrt(reduce.spread(at.window))),
    "double_exponential_smoothing": Function(lambda at: reduce.smoothed(at.window, *at.params), 2),
    "mad_over_time": Function(lambda at: reduce.window_deviations(at.window)),
    "ts_of_first_over_time": Function(lambda at: _stamps(at, at.window.first)),
    "ts_of_last_over_time": Function(lambda at: _stamps(at, at.window.after - 1)),
    "ts_of_max_over_time": Function(lambda at: reduce.extreme_stamps(at.window, 1)),
    "ts_of_min_over_time": Function(lambda at: reduce.extreme_stamps(at.window, -1)),
    "quantile_over_time": Function(lambda at: reduce.window_quantiles(at.window, at.params[0])),
}


def over_time(evaluation: "Evaluation", node: Call) -> Frame:
    function = FUNCTIONS[node.name]
    first, *rest = node.args
    if node.name == "quantile_over_time":
        first, rest = rest[0], [first]
    if isinstance(first, Selector) and first.range and node.name in rollups.KINDS:
        ends = evaluation.ends(first.offset, first.at)
        coarse = evaluation.rolled(first, ends, first.range, rollups.KINDS[node.name])
        if coarse is not None:
            found = rollups.over_time(node.name, coarse, rollups.Asked(ends, first.range))
            return found if function.keeps_name else without_name(found)
    ranges = evaluation.range_vector(first)
    params = [evaluation.scalar(arg) for arg in rest]
    _check(evaluation, node, params)
    frames = [_apply(function, window, ranges, evaluation, params) for window in ranges.windows]
    frame = stack(frames, evaluation.steps)
    return frame if function.keeps_name else without_name(frame)


def _check(evaluation: "Evaluation", node: Call, params: Sequence[Floats]) -> None:
    if node.name == "quantile_over_time":
        evaluation.query.note_quantile(params[0])
    if node.name == "double_exponential_smoothing":
        for what, factor in zip(("smoothing", "trend"), params, strict=True):
            wrong = factor[~((factor > 0) & (factor < 1))]
            if len(wrong):
                found = f"invalid {what} factor. Expected: 0 < {what[0]}f < 1, got: {wrong[0]:g}"
                raise QueryError("execution", found)
    if node.name in COUNTERS and isinstance(node.args[0], Selector):
        for name in node.args[0].names:
            if not name.endswith(COUNTER_ENDINGS):
                evaluation.query.note(
                    "PromQL info: metric might not be a counter,"
                    f' name does not end in _total/_sum/_count/_bucket: "{name}"'
                )


def _apply(
    function: Function, window: Window, ranges: Ranges, evaluation: "Evaluation", params: Sequence[Floats]
) -> Frame:
    now, promql_2x = evaluation.times, evaluation.query.promql_2x
    enough: Mask = window.counts >= function.least
    if not enough.any():
        return empty(len(now))
    covered = replace(window, first=window.first[enough], after=window.after[enough])
    values = np.zeros((len(window.labels), len(now)))
    for row in range(0, len(values), ROWS):
        some = slice(row, row + ROWS)
        part = replace(covered, labels=window.labels[some], values=window.values[some])
        some_params = [param[enough] for param in params]
        found = function.over(Covered(part, ranges.ends[enough], ranges.range, now[enough], some_params, promql_2x))
        values[some, enough] = found
    return Frame(window.labels, values, np.broadcast_to(enough, values.shape).copy())
