"""Sums, extremes, spreads and quantiles over windows of samples and over groups of series."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from history.promql.frames import Window
from history.samples import Floats, Ints, Mask

CHUNK = 4_000_000  # cells copied at a time where windows overlap
CANCELS = 1e3
"""A sum this many times smaller than its parts' sizes has lost digits worth recomputing."""


def segments(ufunc: Any, values: Floats, first: Ints, after: Ints) -> Floats:
    """`ufunc` over values[:, first:after] of each pair; first < after."""
    padded = np.concatenate([values, values[:, -1:]], axis=1)
    bounds = np.stack([first, after], axis=1).ravel()
    result: Floats = ufunc.reduceat(padded, bounds, axis=1)[:, ::2]
    return result


def total(window: Window) -> Floats:
    sums = segments(np.add, window.values, window.first, window.after)
    for row in _cancelling(window.values):
        values = window.values[row]
        sizes = segments(np.add, np.abs(values)[None], window.first, window.after)[0]
        for step in np.flatnonzero(_doubtful(sums[row], sizes)):
            sums[row, step] = exact(values[window.first[step] : window.after[step]], sums[row, step])
    return sums


def _cancelling(values: Floats) -> Iterator[int]:
    """Rows of both signs: only there can a sum lose digits."""
    yield from np.flatnonzero((values < 0).any(axis=1) & (values > 0).any(axis=1)).tolist()


def _doubtful(sums: Floats, sizes: Floats) -> Mask:
    return np.isfinite(sizes) & (np.abs(sums) * CANCELS < sizes)


def exact(values: Floats, otherwise: float) -> float:
    """The sum, rounded once; `otherwise` if it overflows on the way."""
    try:
        return math.fsum(values.tolist())
    except OverflowError:
        return otherwise


def mean(window: Window) -> Floats:
    counts = window.counts
    means = total(window) / counts
    if np.isinf(means).any():  # perhaps only the sum was too large
        shrunk = Window(window.labels, window.stamps, window.values / 2.0**64, window.first, window.after)
        again = total(shrunk) / counts * 2.0**64
        means = np.where(np.isinf(means), again, means)
    return means


def spread(window: Window) -> Floats:
    """Variance. Values are taken relative to the first one: a constant has exactly none."""
    result = np.empty((len(window.values), len(window.first)))
    for rows, values, starts in expanded(window):
        shifted = values - np.repeat(values[:, starts], window.counts, axis=1)
        means = np.add.reduceat(shifted, starts, axis=1) / window.counts
        squares = (shifted - np.repeat(means, window.counts, axis=1)) ** 2
        result[rows] = np.add.reduceat(squares, starts, axis=1) / window.counts
    return result


def expanded(window: Window) -> Iterator[tuple[slice, Floats, Ints]]:
    """Rows, their windows written out one after another, and where each begins; some rows at a time."""
    index, starts = positions(window)
    rows = max(1, CHUNK // max(1, len(index)))
    for row in range(0, len(window.values), rows):
        some = slice(row, row + rows)
        yield some, window.values[some].take(index, axis=1), starts


def positions(window: Window) -> tuple[Ints, Ints]:
    """The sample of each place when windows are written out one after another, and where each window begins."""
    starts = np.cumsum(window.counts) - window.counts
    return np.repeat(window.first - starts, window.counts) + np.arange(window.counts.sum()), starts


def quantiles(q: Floats, values: Floats, counts: Ints) -> Floats:
    """Of values[..., :count] along the last axis, all beyond +Inf; q and counts have the other axes' shape."""
    nans = np.isnan(values).sum(axis=-1)
    ordered = np.sort(np.where(np.isnan(values), -np.inf, values), axis=-1)  # NaN comes first
    rank = np.clip(np.nan_to_num(q), 0, 1) * (counts - 1)
    low = np.maximum(np.floor(rank), 0).astype(np.intp)
    high = np.minimum(low + 1, np.maximum(counts - 1, 0))
    weight = rank - np.floor(rank)

    def pick(at: Ints) -> Floats:
        found: Floats = np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0]
        return np.where(at < nans, np.nan, found)

    inside = pick(low) * (1 - weight) + pick(high) * weight
    outside = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.nan))
    return np.where((q >= 0) & (q <= 1), inside, outside)


def window_quantiles(window: Window, q: Floats) -> Floats:
    widest = int(window.counts.max())
    index = window.first[:, None] + np.arange(widest)
    beyond = index >= window.after[:, None]
    index = np.minimum(index, len(window.stamps) - 1)
    result = np.empty((len(window.values), len(q)))
    rows = max(1, CHUNK // index.size)
    for row in range(0, len(result), rows):
        values = window.values[row : row + rows][:, index]
        values[:, beyond] = np.inf
        shape = values.shape[:2]
        result[row : row + rows] = quantiles(np.broadcast_to(q, shape), values, np.broadcast_to(window.counts, shape))
    return result
