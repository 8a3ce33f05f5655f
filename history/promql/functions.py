"""Functions by name: of vectors, scalars and labels; those of ranges are in overtime.py."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from history.model import QueryError
from history.promql import dates, histogram, info, labelling, natural
from history.promql.ast import Call, Node, Selector, Subquery
from history.promql.frames import Frame, without_name
from history.promql.overtime import FUNCTIONS as OVER_TIME
from history.promql.overtime import over_time
from history.samples import Floats, Mask, any_series

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation, Value

Function = Callable[["Evaluation", Call], "Value"]

ELEMENTWISE: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs, "ceil": np.ceil, "floor": np.floor, "exp": np.exp, "sqrt": np.sqrt, "sgn": np.sign,
    "ln": np.log, "log2": np.log2, "log10": np.log10, "deg": np.degrees, "rad": np.radians,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
}  # fmt: skip


def call(evaluation: "Evaluation", node: Call) -> "Value":
    if node.name in OVER_TIME:
        return over_time(evaluation, node)
    if node.name in ELEMENTWISE:
        frame = evaluation.vector(node.args[0])
        return without_name(replace(frame, values=ELEMENTWISE[node.name](frame.values)))
    if node.name in dates.PARTS:
        frame = evaluation.vector(node.args[0]) if node.args else _constant(evaluation.times / 1000)
        return without_name(replace(frame, values=dates.part(node.name, frame.values)))
    if node.name not in FUNCTIONS:
        raise QueryError("bad_data", f"function {node.name} is not supported yet")
    return FUNCTIONS[node.name](evaluation, node)


def _constant(values: Floats) -> Frame:
    return Frame([{}], values[None].copy(), np.ones((1, len(values)), dtype=bool))


def _round(evaluation: "Evaluation", node: Call) -> Frame:
    frame = evaluation.vector(node.args[0])
    # Multiplying by the inverse loses fewer digits than dividing.
    inverse = 1 / evaluation.scalar(node.args[1]) if len(node.args) > 1 else np.float64(1)
    return without_name(replace(frame, values=np.floor(frame.values * inverse + 0.5) / inverse))


def _clamp(evaluation: "Evaluation", node: Call) -> Frame:
    frame = evaluation.vector(node.args[0])
    bounds = [evaluation.scalar(arg) for arg in node.args[1:]]
    low = bounds[0] if node.name != "clamp_max" else np.full(evaluation.steps, -np.inf)
    high = bounds[-1] if node.name != "clamp_min" else np.full(evaluation.steps, np.inf)
    values = np.maximum(low, np.minimum(high, frame.values))
    return without_name(Frame(frame.labels, values, frame.present & ~(high < low)))


def _scalar(evaluation: "Evaluation", node: Call) -> Floats:
    frame = evaluation.vector(node.args[0])
    values = np.where(frame.present, frame.values, 0).sum(axis=0)
    return np.where(frame.present.sum(axis=0) == 1, values, np.nan)


def _timestamp(evaluation: "Evaluation", node: Call) -> Frame:
    inner = node.args[0]
    if isinstance(inner, Selector):
        frame, stamps = evaluation.latest(inner)
    else:
        frame = evaluation.vector(inner)
        stamps = np.broadcast_to(evaluation.times / 1000, frame.values.shape)
    return without_name(replace(frame, values=stamps))


def _absent(evaluation: "Evaluation", node: Call) -> Frame:
    found = any_series(evaluation.vector(node.args[0]).present)
    return _missing(node.args[0], found)


def _absent_over_time(evaluation: "Evaluation", node: Call) -> Frame:
    found = np.zeros(evaluation.steps, dtype=bool)
    for window in evaluation.range_vector(node.args[0]).windows:
        found |= window.counts > 0
    return _missing(node.args[0], found)


def _missing(node: Node, found: Mask) -> Frame:
    return Frame([_expected_labels(node)], np.ones((1, len(found))), ~found[None])


def _expected_labels(node: Node) -> dict[str, str]:
    """What the missing series would have been labelled: the equalities that are asked for once."""
    if not isinstance(node, Selector) or isinstance(node, Subquery) or len(node.alternatives) > 1:
        return {}
    asked = [matcher for matcher in node.alternatives[0] if matcher.label != "__name__"]
    names = [matcher.label for matcher in asked]
    return {m.label: m.value for m in asked if m.op == "=" and m.value and names.count(m.label) == 1}


def _sort(evaluation: "Evaluation", node: Call) -> Frame:
    """Only an instant has an order; NaN comes last either way."""
    frame = evaluation.vector(node.args[0])
    if not evaluation.query.instant:
        evaluation.query.note(
            "PromQL warning: sort is ineffective for range queries since results always have a fixed order"
        )
        return frame
    sign = -1 if node.name == "sort_desc" else 1
    return frame.take(np.argsort(sign * frame.values[:, 0], kind="stable").tolist())


def _sort_by_label(evaluation: "Evaluation", node: Call) -> Frame:
    frame = evaluation.vector(node.args[0])
    if not evaluation.query.instant:
        return frame
    places = natural.order(frame.labels, [evaluation.text(arg) for arg in node.args[1:]])
    return frame.take(places[::-1] if node.name.endswith("_desc") else places)


def _of(ufunc: np.ufunc) -> Function:
    def chosen(evaluation: "Evaluation", node: Call) -> Floats:
        one, other = (evaluation.scalar(arg) for arg in node.args)
        found: Floats = ufunc(one, other)
        return found

    return chosen


FUNCTIONS: dict[str, Function] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "clamp_max": _clamp,
    "clamp_min": _clamp,
    "histogram_quantile": histogram.quantile,
    "histogram_quantiles": histogram.quantiles,
    "histogram_fraction": histogram.fraction,
    **dict.fromkeys(
        ("histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar"), histogram.native
    ),
    "info": info.info,
    "max_of": _of(np.maximum),
    "min_of": _of(np.minimum),
    "end": lambda evaluation, _: np.full(evaluation.steps, evaluation.query.end / 1000),
    "range": lambda evaluation, _: np.full(evaluation.steps, (evaluation.query.end - evaluation.query.start) / 1000),
    "start": lambda evaluation, _: np.full(evaluation.steps, evaluation.query.start / 1000),
    "step": lambda evaluation, _: np.full(evaluation.steps, evaluation.query.step_seconds),
    "label_join": labelling.join,
    "label_replace": labelling.replace,
    "pi": lambda evaluation, _: np.full(evaluation.steps, np.pi),
    "round": _round,
    "scalar": _scalar,
    "sort": _sort,
    "sort_desc": _sort,
    "sort_by_label": _sort_by_label,
    "sort_by_label_desc": _sort_by_label,
    "time": lambda evaluation, _: evaluation.times / 1000,
    "timestamp": _timestamp,
    "vector": lambda evaluation, node: _constant(evaluation.scalar(node.args[0])),
}
