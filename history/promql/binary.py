"""Operators between vectors and scalars: arithmetic, comparison, sets, and how two vectors' series are matched."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from history.model import Labels, QueryError
from history.promql.ast import Binary, Matching
from history.promql.fill import Side, filled
from history.promql.frames import NAME, Frame, drop_name, empty, key, merge, stack, without_name
from history.promql.parse import COMPARISONS, SET_OPS
from history.samples import Floats, Mask, any_series

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation

ATAN2_OF_2X = "atan2 of Prometheus 2"
"""The one operator after which its results keep their names."""

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
    ATAN2_OF_2X: np.arctan2,
}
COMPARE: dict[str, Callable[[Floats, Floats], Mask]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def binary(evaluation: "Evaluation", node: Binary) -> Frame | Floats:
    lhs, rhs = evaluation.value(node.lhs), evaluation.value(node.rhs)
    if evaluation.query.promql_2x and node.op == "atan2":
        node = replace(node, op=ATAN2_OF_2X)
    if node.op not in ARITHMETIC and node.op not in COMPARISONS and node.op not in SET_OPS:
        raise QueryError("bad_data", f"operator {node.op} is not supported yet")
    if isinstance(lhs, Frame) and isinstance(rhs, Frame):
        return _sets(node, lhs, rhs) if node.op in SET_OPS else _vectors(node, lhs, rhs)
    if isinstance(lhs, Frame) and isinstance(rhs, np.ndarray):
        return _with_scalar(node, lhs, lhs.values, rhs)
    if isinstance(lhs, np.ndarray) and isinstance(rhs, Frame):
        return _with_scalar(node, rhs, lhs, rhs.values)
    if isinstance(lhs, np.ndarray) and isinstance(rhs, np.ndarray):
        if node.op in COMPARISONS:
            return COMPARE[node.op](lhs, rhs).astype(np.float64)
        return ARITHMETIC[node.op](lhs, rhs)
    raise QueryError("bad_data", f"binary expression with {node.op} takes only scalars and instant vectors")


def _with_scalar(node: Binary, frame: Frame, left: Floats, right: Floats) -> Frame:
    if node.op in ARITHMETIC:
        found = Frame(frame.labels, ARITHMETIC[node.op](left, right), frame.present)
        return found if node.op == ATAN2_OF_2X else without_name(found)
    true = COMPARE[node.op](left, right)
    if node.as_bool:
        return without_name(Frame(frame.labels, true.astype(np.float64), frame.present))
    return Frame(frame.labels, frame.values, frame.present & true)


def _signature(matching: Matching) -> Callable[[Labels], Hashable]:
    chosen = set(matching.labels) if matching.on else {*matching.labels, NAME}
    return lambda labels: key({name: value for name, value in labels.items() if (name in chosen) == matching.on})


def _by_signature(frame: Frame, matching: Matching) -> dict[Hashable, list[int]]:
    signature = _signature(matching)
    found: dict[Hashable, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        found.setdefault(signature(labels), []).append(row)
    return found


def _sets(node: Binary, lhs: Frame, rhs: Frame) -> Frame:
    if node.op == "or":
        rest = Frame(rhs.labels, rhs.values, rhs.present & ~_partners(rhs, lhs, node.matching))
        return merge(stack([lhs, rest], lhs.values.shape[1]))
    partners = _partners(lhs, rhs, node.matching)
    return Frame(lhs.labels, lhs.values, lhs.present & (partners if node.op == "and" else ~partners))


def _partners(frame: Frame, other: Frame, matching: Matching) -> Mask:
    """Where each series of `frame` has any partner present in `other`."""
    found = np.zeros_like(frame.present)
    theirs = _by_signature(other, matching)
    for signature, rows in _by_signature(frame, matching).items():
        if signature in theirs:
            found[rows] = any_series(other.present[theirs[signature]])
    return found


def _vectors(node: Binary, lhs: Frame, rhs: Frame) -> Frame:
    """`many` and `one` as the matching says; both are the one side when nothing is grouped."""
    swapped = node.matching.group == "right"
    lhs, rhs = _filled(node.matching, lhs, rhs)
    many, one = (rhs, lhs) if swapped else (lhs, rhs)
    ones = _by_signature(one, node.matching)
    _refuse_many(node, one, ones, any_series(many.present))
    pairs = [
        (row, partner)
        for signature, rows in _by_signature(many, node.matching).items()
        for row in rows
        for partner in ones.get(signature, ())
    ]
    if not pairs:
        return empty(lhs.values.shape[1])
    many, one = (side.take(list(rows)) for side, rows in zip((many, one), zip(*pairs, strict=True), strict=True))
    left, right = (one.values, many.values) if swapped else (many.values, one.values)
    labels = [_result_labels(node, ours, theirs) for ours, theirs in zip(many.labels, one.labels, strict=True)]
    return _combine(node, labels, left, right, many.present & one.present)


def _filled(matching: Matching, lhs: Frame, rhs: Frame) -> tuple[Frame, Frame]:
    if matching.fill_left is None and matching.fill_right is None:
        return lhs, rhs
    chosen = set(matching.labels) if matching.on else {*matching.labels, NAME}
    # With group_right Prometheus turns the sides round before it fills them.
    fills = (matching.fill_left, matching.fill_right)
    fill_left, fill_right = fills[::-1] if matching.group == "right" else fills
    left = Side(lhs, _by_signature(lhs, matching), fill_left)
    right = Side(rhs, _by_signature(rhs, matching), fill_right)

    def kept(labels: Labels) -> Labels:
        return {name: value for name, value in labels.items() if (name in chosen) == matching.on}

    return filled(left, right, kept), filled(right, left, kept)


def _combine(node: Binary, labels: Sequence[Labels], left: Floats, right: Floats, present: Mask) -> Frame:
    problem = (
        "multiple matches for labels: grouping labels must ensure unique matches"
        if node.matching.group
        else "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    )
    if node.op in ARITHMETIC:
        return merge(Frame(labels, ARITHMETIC[node.op](left, right), present), problem)
    true = COMPARE[node.op](left, right)
    if node.as_bool:
        return merge(Frame(labels, true.astype(np.float64), present), problem)
    # Two matches are an error even where the comparison would drop one of them.
    merge(Frame(labels, left, present), problem)
    return merge(Frame(labels, left, present & true), problem)


def _refuse_many(node: Binary, one: Frame, rows: dict[Hashable, list[int]], needed: Mask) -> None:
    side = "left" if node.matching.group == "right" else "right"
    for same in rows.values():
        if len(same) > 1 and ((one.present[same].sum(axis=0) > 1) & needed).any():
            series = ", ".join(str(dict(one.labels[row])) for row in same[:2])
            raise QueryError(
                "execution",
                f"found duplicate series for the match group on the {side} hand-side of the operation: [{series}];"
                "many-to-many matching not allowed: matching labels must be unique on one side",
            )


def _result_labels(node: Binary, many: Labels, one: Labels) -> Labels:
    matching = node.matching
    named = (node.op in COMPARISONS and not node.as_bool) or node.op == ATAN2_OF_2X
    labels = many if named else drop_name(many)
    if not matching.group:
        chosen = set(matching.labels)
        return {name: value for name, value in labels.items() if (name in chosen) == matching.on}
    kept = {name: value for name, value in labels.items() if name not in matching.include}
    return {**kept, **{name: one[name] for name in matching.include if name in one}}
