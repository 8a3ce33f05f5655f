"""histogram_quantile over classic buckets.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
"""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from history.model import Labels
from history.promql.ast import Call
from history.promql.frames import Frame, drop_name, key, merge, stack
from history.samples import Floats, any_series

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation

TOLERANCE = 1e-12
"""Counts that differ by less are the same: they are sums of rates."""


def quantile(evaluation: "Evaluation", node: Call) -> Frame:
    q = evaluation.scalar(node.args[0])
    buckets = evaluation.vector(node.args[1])
    sets: dict[Hashable, list[tuple[float, int]]] = {}
    for row, labels in enumerate(buckets.labels):
        bound = _bound(labels.get("le", ""))
        if bound is not None:
            sets.setdefault(key(_without_le(labels)), []).append((bound, row))
    frames = [_one(q, sorted(rows), buckets) for rows in sets.values()]
    return merge(stack(frames, evaluation.steps))


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _without_le(labels: Labels) -> Labels:
    return {name: value for name, value in labels.items() if name != "le"}


def _one(q: Floats, rows: Sequence[tuple[float, int]], buckets: Frame) -> Frame:
    """One histogram: steps with the same buckets present are answered together."""
    places = [row for _, row in rows]
    bounds = np.array([bound for bound, _ in rows])
    present = buckets.present[places]
    counts = buckets.values[places]
    values = np.full(len(q), np.nan)
    patterns: dict[bytes, list[int]] = {}
    if present.all():
        values = _quantile(q, bounds, counts)
    else:
        for step, pattern in enumerate(present.T):
            patterns.setdefault(pattern.tobytes(), []).append(step)
    for steps in patterns.values():
        there = present[:, steps[0]]
        values[steps] = _quantile(q[steps], bounds[there], counts[there][:, steps])
    some = any_series(present)
    return Frame([drop_name(_without_le(buckets.labels[places[0]]))], values[None], some[None])


def _quantile(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    """`counts` [buckets x steps], `bounds` ascending."""
    inside = np.full(len(q), np.nan)
    if len(bounds) and np.isposinf(bounds[-1]):
        bounds, counts = _coalesce(bounds, counts)
        if len(bounds) > 1:
            inside = _interpolate(q, bounds, _monotonic(counts))
    return np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.where(np.isnan(q), np.nan, inside)))


def _coalesce(bounds: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Buckets of the same bound (`le="1"`, `le="1.0"`) are one."""
    distinct, first = np.unique(bounds, return_index=True)
    return (bounds, counts) if len(distinct) == len(bounds) else (distinct, np.add.reduceat(counts, first, axis=0))


def _monotonic(counts: Floats) -> Floats:
    """Counts never fall; a difference that is only rounding is none."""
    level = counts[0].copy()
    result = counts.copy()
    for row in result[1:]:
        same = np.abs(row - level) < TOLERANCE * (np.abs(row) + np.abs(level))
        row[:] = level = np.where(same | (row < level), level, row)
    return result


def _interpolate(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    rank = q * counts[-1]
    # The first bucket that reaches the rank; the last one has no upper bound, so it answers with its lower one.
    reached = counts[:-1] >= rank
    bucket = np.where(reached.any(axis=0), reached.argmax(axis=0), len(bounds) - 1)
    steps = np.arange(len(q))
    below = np.maximum(bucket - 1, 0)
    start = np.where(bucket > 0, bounds[below], 0.0)
    before = np.where(bucket > 0, counts[below, steps], 0.0)
    upper = bounds[bucket]
    inside = start + (upper - start) * ((rank - before) / (counts[bucket, steps] - before))
    inside = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], inside)
    inside = np.where(bucket == len(bounds) - 1, bounds[-2], inside)
    return np.where(counts[-1] == 0, np.nan, inside)
