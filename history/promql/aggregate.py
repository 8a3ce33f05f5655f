"""sum, avg, topk and their kin: many series to few, at every step at once."""

from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from history.model import Labels, QueryError
from history.numbers import plain
from history.promql.ast import Aggregate
from history.promql.frames import NAME, Frame, key, merge
from history.promql.reduce import CANCELS, exact, quantiles
from history.samples import Floats, Ints, Mask, any_series

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation

Reduce = Callable[[Floats, Mask, Ints], Floats]
"""(values, present) [series x steps], the first row of each group -> [groups x steps]"""


def aggregate(evaluation: "Evaluation", node: Aggregate) -> Frame:
    if node.op not in REDUCE and node.op not in ("quantile", "count_values", *CHOOSE):
        raise QueryError("bad_data", f"aggregation {node.op} is not supported yet")
    if node.op == "count_values":
        return _count_values(evaluation, node)
    param = evaluation.scalar(node.param) if node.param is not None else None
    frame = evaluation.vector(node.inner)
    if param is not None and node.op in CHOOSE:
        return CHOOSE[node.op](evaluation, frame, node, param)
    if param is not None:
        evaluation.query.note_quantile(param)
    groups = group(frame, node)
    if node.op == "quantile":
        return _quantiles(frame, groups, param)
    order = [row for _, rows in groups for row in rows]
    starts = np.cumsum([0, *(len(rows) for _, rows in groups)])[:-1]
    sorted_frame = frame if order == list(range(len(order))) else frame.take(order)
    if not groups:
        return frame
    values = REDUCE[node.op](sorted_frame.values, sorted_frame.present, starts)
    present = np.logical_or.reduceat(sorted_frame.present, starts, axis=0)
    return Frame([labels for labels, _ in groups], values, present)


def group(frame: Frame, node: Aggregate) -> list[tuple[Labels, list[int]]]:
    """Labels of each group and its rows, in the order of first appearance."""
    found: dict[Hashable, tuple[Labels, list[int]]] = {}
    if not node.without:
        names = node.labels
        for row, labels in enumerate(frame.labels):
            values = tuple(labels.get(name) for name in names)
            if values not in found:
                found[values] = ({name: labels[name] for name in names if name in labels}, [])
            found[values][1].append(row)
        return list(found.values())
    chosen = {*node.labels, NAME}
    for row, labels in enumerate(frame.labels):
        kept = {name: value for name, value in labels.items() if name not in chosen}
        found.setdefault(key(kept), (kept, []))[1].append(row)
    return list(found.values())


def _sum(values: Floats, present: Mask, starts: Ints) -> Floats:
    there = values if present.all() else np.where(present, values, 0.0)
    sums: Floats = np.add.reduceat(there, starts, axis=0)
    if (there < 0).any() and (there > 0).any():
        sizes = np.add.reduceat(np.abs(there), starts, axis=0)
        ends = [*starts[1:].tolist(), len(values)]
        for at, step in np.argwhere(np.isfinite(sizes) & (np.abs(sums) * CANCELS < sizes)).tolist():
            sums[at, step] = exact(there[starts[at] : ends[at], step], sums[at, step])
    return sums


def _count(_values: Floats, present: Mask, starts: Ints) -> Floats:
    return np.add.reduceat(present, starts, axis=0, dtype=np.float64)


def _avg(values: Floats, present: Mask, starts: Ints) -> Floats:
    counts = _count(values, present, starts)
    means: Floats = _sum(values, present, starts) / counts
    if np.isinf(means).any():  # perhaps only the sum was too large
        means = np.where(np.isinf(means), _sum(values / 2.0**64, present, starts) / counts * 2.0**64, means)
    return means


def _variance(values: Floats, present: Mask, starts: Ints) -> Floats:
    sizes = np.diff([*starts, len(values)])
    # Relative to a group's first value: a constant has exactly none.
    places = np.where(present, np.arange(len(values))[:, None], len(values) - 1)
    first = np.take_along_axis(values, np.minimum.reduceat(places, starts, axis=0), axis=0)
    shifted = values - np.repeat(first, sizes, axis=0)
    counts = _count(values, present, starts)
    means = np.add.reduceat(np.where(present, shifted, 0.0), starts, axis=0) / counts
    squares = np.where(present, (shifted - np.repeat(means, sizes, axis=0)) ** 2, 0.0)
    variance: Floats = np.add.reduceat(squares, starts, axis=0) / counts
    return variance


def _extreme(ufunc: np.ufunc) -> Reduce:
    return lambda values, present, starts: ufunc.reduceat(np.where(present, values, np.nan), starts, axis=0)


REDUCE: dict[str, Reduce] = {
    "sum": _sum,
    "avg": _avg,
    "min": _extreme(np.fmin),
    "max": _extreme(np.fmax),
    "count": _count,
    "group": lambda _, present, starts: np.ones((len(starts), present.shape[1])),
    "stdvar": _variance,
    "stddev": lambda values, present, starts: np.sqrt(_variance(values, present, starts)),
}


def _quantiles(frame: Frame, groups: Sequence[tuple[Labels, list[int]]], q: Floats | None) -> Frame:
    if q is None:
        raise QueryError("bad_data", "quantile needs a parameter")
    values = np.empty((len(groups), frame.values.shape[1]))
    present = np.empty(values.shape, dtype=bool)
    for at, (_, rows) in enumerate(groups):
        there = frame.present[rows]
        values[at] = quantiles(q, np.where(there, frame.values[rows], np.inf).T, there.sum(axis=0))
        present[at] = any_series(there)
    return Frame([labels for labels, _ in groups], values, present)


def _counts(node: Aggregate, param: Floats) -> Ints:
    if np.isnan(param).any():
        raise QueryError("execution", f"Parameter value is NaN for {node.op}")
    if np.isinf(param).any() or (np.abs(param) > 2.0**62).any():
        raise QueryError("execution", f"Scalar value {param[0]:g} overflows int64")
    return param.astype(np.int64)


def _first(_evaluation: "Evaluation", frame: Frame, node: Aggregate, param: Floats) -> Frame:
    """limitk: any k series of each group, the same ones as long as they are there."""
    counts = _counts(node, param)
    keep = np.zeros_like(frame.present)
    for _, rows in group(frame, node):
        there = frame.present[rows]
        keep[rows] = there & (np.cumsum(there, axis=0) <= counts)
    return Frame(frame.labels, frame.values, keep)


def _share(evaluation: "Evaluation", frame: Frame, _node: Aggregate, param: Floats) -> Frame:
    """limit_ratio: a share of the series, chosen by their labels; of -r the others than of 1 - r."""
    if np.isnan(param).any():
        raise QueryError("execution", "Ratio value is NaN")
    wrong = param[np.abs(param) > 1]
    if len(wrong):
        evaluation.query.note(
            f"PromQL warning: ratio value should be between -1 and 1, got {plain(float(wrong[0]))},"
            f" capping to {plain(float(np.sign(wrong[0])))}"
        )
    ratio = np.clip(param, -1, 1)
    places = np.array([_place(labels) for labels in frame.labels])[:, None]
    chosen = np.where(ratio >= 0, places < ratio, places >= 1 + ratio)
    return Frame(frame.labels, frame.values, frame.present & chosen)


def _place(labels: Labels) -> float:
    """Between 0 and 1, evenly spread over label sets."""
    text = repr(sorted(labels.items())).encode()
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big") / 2**48


def _extremes(_evaluation: "Evaluation", frame: Frame, node: Aggregate, param: Floats) -> Frame:
    """topk, bottomk: the series themselves, where they are among the k; an instant comes in order of value."""
    counts = _counts(node, param)
    keep = np.zeros_like(frame.present)
    order: list[int] = []
    for _, rows in group(frame, node):
        ranks = _ranks(frame, rows, 1 if node.op == "bottomk" else -1)
        keep[rows] = frame.present[rows] & (ranks < counts)
        order += [row for _, row in sorted(zip(ranks[:, 0].tolist(), rows, strict=True))]
    kept = Frame(frame.labels, frame.values, keep)
    if keep.shape[1] > 1:
        return kept
    return kept.take([row for row in order if keep[row, 0]])


CHOOSE = {"topk": _extremes, "bottomk": _extremes, "limitk": _first, "limit_ratio": _share}


def _ranks(frame: Frame, rows: Sequence[int], sign: int) -> Ints:
    """Each row's place at each step: present before absent, then by value, NaN last."""
    values, present = frame.values[rows], frame.present[rows]
    order = np.lexsort((sign * values, ~present), axis=0)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(rows))[:, None], axis=0)
    return ranks


def _count_values(evaluation: "Evaluation", node: Aggregate) -> Frame:
    assert node.param is not None
    label = evaluation.text(node.param)
    frame = evaluation.vector(node.inner)
    counted: dict[Hashable, tuple[Labels, Floats]] = {}
    for kept, rows in group(frame, node):
        for row in rows:
            for step in np.flatnonzero(frame.present[row]):
                labels = {**kept, label: plain(frame.values[row, step])}
                counts = counted.setdefault(key(labels), (labels, np.zeros(evaluation.steps)))[1]
                counts[step] += 1
    if not counted:
        return frame.take([])
    values = np.vstack([counts for _, counts in counted.values()])
    return merge(Frame([labels for labels, _ in counted.values()], values, values > 0))
