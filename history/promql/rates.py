"""rate, increase, delta and their kin over windows of at least two samples.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/
"""

from dataclasses import dataclass

import numpy as np

from history.promql.frames import Window
from history.promql.reduce import expanded, positions, segments
from history.samples import Floats, Ints, Mask


def resets(values: Floats) -> Mask:
    """Where a counter is lower than one sample before; the first column never is."""
    fell = np.zeros(values.shape, dtype=bool)
    fell[:, 1:] = values[:, 1:] < values[:, :-1]
    return fell


def changes(values: Floats) -> Mask:
    moved = np.zeros(values.shape, dtype=bool)
    new, old = values[:, 1:], values[:, :-1]
    moved[:, 1:] = (new != old) & ~(np.isnan(new) & np.isnan(old))
    return moved


def occurrences(marks: Mask, window: Window) -> Floats:
    """How many marks each window has, that of its first sample left out."""
    so_far = np.cumsum(marks, axis=1, dtype=np.int64)
    return (so_far[:, window.after - 1] - so_far[:, window.first]).astype(np.float64)


def _rise(window: Window, *, counter: bool) -> Floats:
    """Last minus first, for a counter plus what was lost at its resets."""
    rise: Floats = window.values[:, window.after - 1] - window.values[:, window.first]
    if not counter:
        return rise
    fell = resets(window.values)
    rows = np.flatnonzero(fell.any(axis=1))
    if len(rows):
        lost = np.zeros((len(rows), window.values.shape[1]))
        lost[:, 1:] = np.where(fell[rows, 1:], window.values[rows, :-1], 0.0)
        rise[rows] += segments(np.add, lost, window.first + 1, window.after)
    return rise


@dataclass(frozen=True)
class Kind:
    counter: bool
    per_second: bool = False


def extrapolated(window: Window, ends: Ints, span: int, kind: Kind, *, promql_2x: bool = False) -> Floats:
    """The rise as if the samples reached both ends of the range."""
    counter = kind.counter
    rise = _rise(window, counter=counter)
    first, last = window.stamps[window.first], window.stamps[window.after - 1]
    sampled = (last - first) / 1000
    between = sampled / (window.counts - 1)
    to_start = (first - (ends - span)) / 1000
    to_end = (ends - last) / 1000
    # A series is taken to reach the range's border unless the gap there is clearly wider than its own spacing.
    to_end = np.where(to_end >= between * 1.1, between / 2, to_end)
    if not promql_2x:
        to_start = np.where(to_start >= between * 1.1, between / 2, to_start)
    if counter:  # it cannot have been below zero
        begin = window.values[:, window.first]
        to_zero = np.where((rise > 0) & (begin >= 0), sampled * (begin / rise), to_start)
        to_start = np.where(to_zero < to_start, to_zero, to_start)
    if promql_2x:
        to_start = np.where(to_start >= between * 1.1, between / 2, to_start)
    factor = (sampled + to_start + to_end) / sampled
    return rise * (factor / (span / 1000) if kind.per_second else factor)


def instant_change(window: Window, *, counter: bool) -> Floats:
    """Between the last two samples: per second for a counter, the difference for a gauge."""
    last, before = window.values[:, window.after - 1], window.values[:, window.after - 2]
    if not counter:
        return last - before
    seconds = (window.stamps[window.after - 1] - window.stamps[window.after - 2]) / 1000
    return np.where(last < before, last, last - before) / seconds


def slope(window: Window) -> Floats:
    return _regression(window, window.stamps[window.first])[0]


def predicted(window: Window, now: Ints, ahead: Floats) -> Floats:
    """The value `ahead` seconds after `now` (ms) by least squares."""
    gradient, level = _regression(window, now)
    return gradient * ahead + level


def _regression(window: Window, origin: Ints) -> tuple[Floats, Floats]:
    """Slope and value at the origin (ms). Both axes are centred, which keeps the digits of a small slope."""
    index, starts = positions(window)
    counts = window.counts
    x = (window.stamps[index] - np.repeat(origin, counts)) / 1000
    x_mean = np.add.reduceat(x, starts) / counts
    x -= np.repeat(x_mean, counts)
    x_spread = np.add.reduceat(x * x, starts)
    gradient = np.empty((len(window.values), len(counts)))
    level = np.empty_like(gradient)
    for rows, y, _ in expanded(window):
        begin = y[:, starts]
        constant = np.logical_and.reduceat(y == np.repeat(begin, counts, axis=1), starts, axis=1)
        y_mean = np.add.reduceat(y, starts, axis=1) / counts
        centred = y - np.repeat(y_mean, counts, axis=1)
        found = np.add.reduceat(x * centred, starts, axis=1) / x_spread
        gradient[rows] = np.where(constant, np.where(np.isinf(begin), np.nan, 0.0), found)
        level[rows] = np.where(constant, np.where(np.isinf(begin), np.nan, begin), y_mean - found * x_mean)
    return gradient, level
