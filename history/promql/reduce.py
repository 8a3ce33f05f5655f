"""Sums, extremes, spreads and quantiles over windows of samples and over groups of series."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from history.promql.frames import Window
from history.samples import Floats, Ints, Mask

CHUNK = 4_000_000  # cells copied at a time where windows overlap
OVERLAP = 3
"""So many times the samples are read by windows that overlap."""
CANCELS = 1e3
"""A sum this many times smaller than its parts' sizes has lost digits worth recomputing."""


def segments(ufunc: Any, values: Floats, first: Ints, after: Ints) -> Floats:
    """`ufunc` over values[:, first:after] of each pair; first < after."""
    padded = np.concatenate([values, values[:, -1:]], axis=1)
    bounds = np.stack([first, after], axis=1).ravel()
    result: Floats = ufunc.reduceat(padded, bounds, axis=1)[:, ::2]
    return result


def extremes(ufunc: Any, values: Floats, first: Ints, after: Ints) -> Floats:
    """As `segments`, for a ufunc of which a sample may be counted twice.

    Windows that overlap much are put together of two spans whose lengths are powers of two.
    """
    counts = after - first
    if counts.sum() < OVERLAP * values.shape[1]:
        return segments(ufunc, values, first, after)
    result = np.empty((len(values), len(first)))
    level = np.frexp(counts)[1] - 1
    spans, width = values, 1
    for power in range(int(level.max()) + 1):
        here = np.flatnonzero(level == power)
        if len(here):
            result[:, here] = ufunc(spans[:, first[here]], spans[:, after[here] - width])
        if power < level.max():
            spans = ufunc(spans[:, :-width], spans[:, width:])
            width *= 2
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
    result = np.empty((len(window.values), len(q)))
    for rows, values, _ in _padded(window):
        result[rows] = _quantiles(window, q, values)
    return result


def window_deviations(window: Window) -> Floats:
    """The median of each window's distances from its median."""
    half = np.full(len(window.first), 0.5)
    result = np.empty((len(window.values), len(half)))
    for rows, values, beyond in _padded(window):
        distances = np.abs(values - _quantiles(window, half, values)[:, :, None])
        unknown = (np.isnan(distances) & ~beyond).any(axis=2)
        distances[:, beyond] = np.inf
        result[rows] = np.where(unknown, np.nan, _quantiles(window, half, distances))
    return result


def extreme_stamps(window: Window, sign: int) -> Floats:
    """When (seconds) each window had its largest value last, or with -1 its smallest."""
    result = np.empty((len(window.values), len(window.first)))
    for rows, values, beyond in _padded(window):
        ranked = np.where(beyond[None] | np.isnan(values), -np.inf, sign * values)
        from_end = ranked[:, :, ::-1].argmax(axis=2)
        at = window.first + values.shape[2] - 1 - from_end
        result[rows] = window.stamps[np.minimum(at, window.after - 1)] / 1000
    return result


def smoothed(window: Window, level: Floats, trend: Floats) -> Floats:
    """Double exponential smoothing of each window; both factors [steps] are between 0 and 1."""
    result = np.empty((len(window.values), len(window.first)))
    for rows, values, beyond in _padded(window):
        newest = values[:, :, 0].copy()
        slope = values[:, :, 1] - values[:, :, 0]
        before = newest
        for at in range(1, values.shape[2]):
            if at > 1:
                slope = trend * (newest - before) + (1 - trend) * slope
            found = level * values[:, :, at] + (1 - level) * (newest + slope)
            there = ~beyond[:, at]
            before, newest = np.where(there, newest, before), np.where(there, found, newest)
        result[rows] = newest
    return result


def _padded(window: Window) -> Iterator[tuple[slice, Floats, Mask]]:
    """Rows, their values [rows x windows x places], +Inf where a window has fewer, and where that is."""
    index = window.first[:, None] + np.arange(int(window.counts.max()))
    beyond = index >= window.after[:, None]
    index = np.minimum(index, len(window.stamps) - 1)
    rows = max(1, CHUNK // index.size)
    for row in range(0, len(window.values), rows):
        some = slice(row, row + rows)
        values = window.values[some][:, index]
        values[:, beyond] = np.inf
        yield some, values, beyond


def _quantiles(window: Window, q: Floats, values: Floats) -> Floats:
    shape = values.shape[:2]
    return quantiles(np.broadcast_to(q, shape), values, np.broadcast_to(window.counts, shape))
