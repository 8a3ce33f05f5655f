"""`fill`, `fill_left`, `fill_right`: a value for what is missing on one side of a binary operator."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from history.model import Labels
from history.promql.frames import Frame, stack
from history.samples import any_series

Rows = Mapping[Hashable, Sequence[int]]
"""Signature -> rows of a frame."""


@dataclass(frozen=True)
class Side:
    frame: Frame
    rows: Rows
    fill: float | None


def filled(side: Side, partners: Side, kept: Callable[[Labels], Labels]) -> Frame:
    """The side's frame with its value wherever the other side has a series of a signature and this one has none.

    `kept` makes of a partner's labels those that a series of this side would have.
    """
    frame, rows, value = side.frame, side.rows, side.fill
    other, others = partners.frame, partners.rows
    if value is None:
        return frame
    steps = frame.values.shape[1]
    values, present = frame.values.copy(), frame.present.copy()
    added: list[Frame] = []
    for signature, theirs in others.items():
        needed = any_series(other.present[theirs])
        ours = list(rows.get(signature, ()))
        missing = needed & ~any_series(present[ours]) if ours else needed
        if not missing.any():
            continue
        if ours:
            values[ours[0], missing], present[ours[0], missing] = value, True
        else:
            added.append(Frame([kept(other.labels[theirs[0]])], np.full((1, steps), value), missing[None]))
    return stack([Frame(frame.labels, values, present), *added], steps)
