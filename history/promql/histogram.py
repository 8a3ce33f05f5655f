"""Quantiles and shares of classic histograms.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from history import numbers
from history.model import Labels, QueryError
from history.promql.ast import Call, Node
from history.promql.frames import Frame, drop_name, key, merge, stack
from history.samples import Floats, any_series

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation

Answer = Callable[[Any, Floats, Floats], Floats]
"""(which steps, ascending bounds, cumulative counts [buckets x steps]) -> [steps]"""

TOLERANCE = 1e-12
"""Counts that differ by less are the same: they are sums of rates."""


def quantile(evaluation: "Evaluation", node: Call) -> Frame:
    return _quantile_of(evaluation, evaluation.scalar(node.args[0]), node.args[1])


def _quantile_of(evaluation: "Evaluation", q: Floats, node: Node) -> Frame:
    evaluation.query.note_quantile(q)
    return _histograms(evaluation, node, lambda steps, bounds, counts: _quantile(q[steps], bounds, counts))


def quantiles(evaluation: "Evaluation", node: Call) -> Frame:
    """histogram_quantiles: a series for each of several quantiles, which a label of that name tells apart."""
    name = evaluation.text(node.args[1])
    frames = []
    for arg in node.args[2:]:
        q = evaluation.scalar(arg)
        found = _quantile_of(evaluation, q, node.args[0])
        labels = [{**labels, name: _open_metrics(float(q[0]))} for labels in found.labels]
        frames.append(Frame(labels, found.values, found.present))
    return merge(stack(frames, evaluation.steps))


def _open_metrics(value: float) -> str:
    """As label values are written: with a dot or an exponent."""
    text = numbers.plain(value)
    return f"{text}.0" if text.removeprefix("-").isdecimal() else text


def fraction(evaluation: "Evaluation", node: Call) -> Frame:
    """histogram_fraction: the share of observations between two values."""
    lower, upper = (evaluation.scalar(arg) for arg in node.args[:2])
    return _histograms(
        evaluation, node.args[2], lambda steps, bounds, counts: _fraction(lower[steps], upper[steps], bounds, counts)
    )


def native(_evaluation: "Evaluation", node: Call) -> Frame:
    """Those that only native histograms have an answer for."""
    raise QueryError(
        "bad_data",
        f"{node.name} is of native histograms, which are not kept: ask the series in _bucket, _sum and _count",
    )


def _histograms(evaluation: "Evaluation", node: Node, answer: Answer) -> Frame:
    """One row for each set of buckets."""
    buckets = evaluation.vector(node)
    sets: dict[Hashable, list[tuple[float, int]]] = {}
    for row, labels in enumerate(buckets.labels):
        bound = _bound(labels.get("le", ""))
        if bound is None:
            evaluation.query.note(
                f'PromQL warning: bucket label "le" is missing or has a malformed value of "{labels.get("le", "")}"'
            )
        else:
            sets.setdefault(key(_without_le(labels)), []).append((bound, row))
    frames = [_one(answer, sorted(rows), buckets) for rows in sets.values()]
    return merge(stack(frames, evaluation.steps))


def _fraction(lower: Floats, upper: Floats, bounds: Floats, counts: Floats) -> Floats:
    if not len(bounds) or not np.isposinf(bounds[-1]):
        return np.full(len(lower), np.nan)
    bounds, counts = _coalesce(bounds, counts)
    total = counts[-1]
    share = (_rank(upper, bounds, counts) - _rank(lower, bounds, counts)) / total
    unknown = (total == 0) | np.isnan(lower) | np.isnan(upper)
    return np.where(unknown, np.nan, np.where(lower >= upper, 0.0, share))


def _rank(value: Floats, bounds: Floats, counts: Floats) -> Floats:
    """How many observations are below each step's value, evenly spread within a bucket."""
    rank = np.where(np.isposinf(value), counts[-1], counts[-2] if len(counts) > 1 else 0.0)
    for at in range(len(bounds) - 1, -1, -1):
        before = counts[at - 1] if at else np.zeros(counts.shape[1])
        low = bounds[at - 1] if at else (0.0 if bounds[0] > 0 else -np.inf)
        # What has no lower bound is taken to be at the upper one, and the other way round.
        open_share = np.full(len(value), float(low == -np.inf))
        share = (value - low) / (bounds[at] - low) if np.isfinite(bounds[at] - low) else open_share
        rank = np.where(
            value <= low, before, np.where(value < bounds[at], before + (counts[at] - before) * share, rank)
        )
    return rank


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _without_le(labels: Labels) -> Labels:
    return {name: value for name, value in labels.items() if name != "le"}


def _one(answer: Answer, rows: Sequence[tuple[float, int]], buckets: Frame) -> Frame:
    """One histogram: steps with the same buckets present are answered together."""
    places = [row for _, row in rows]
    bounds = np.array([bound for bound, _ in rows])
    present = buckets.present[places]
    counts = buckets.values[places]
    values = np.full(present.shape[1], np.nan)
    patterns: dict[bytes, list[int]] = {}
    if present.all():
        values = answer(slice(None), bounds, counts)
    else:
        for step, pattern in enumerate(present.T):
            patterns.setdefault(pattern.tobytes(), []).append(step)
    for steps in patterns.values():
        there = present[:, steps[0]]
        values[steps] = answer(steps, bounds[there], counts[there][:, steps])
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
