"""Windows against plain Python: one loop over the samples of each window, as the documentation describes them."""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.promql.evaluate import evaluate
from history.promql.frames import Frame
from history.promql.parse import parse
from history.promql.query import Query
from tests.history.promqltest import STALE, Memory, alike

Points = list[tuple[int, float]]
RANGE = 60_000  # ms


def increase(points: Points, end: int, *, counter: bool = True) -> float | None:
    if len(points) < 2:
        return None
    rise = points[-1][1] - points[0][1]
    if counter:
        rise += sum(old for (_, old), (_, new) in itertools.pairwise(points) if new < old)
    sampled = points[-1][0] - points[0][0]
    between = sampled / (len(points) - 1)
    left, right = float(points[0][0] - (end - RANGE)), float(end - points[-1][0])
    left = left if left < 1.1 * between else between / 2
    right = right if right < 1.1 * between else between / 2
    if counter and rise > 0 and points[0][1] >= 0:
        left = min(left, sampled * points[0][1] / rise)
    return rise * (sampled + left + right) / sampled


def rate(points: Points, end: int) -> float | None:
    found = increase(points, end)
    return None if found is None else found / (RANGE / 1000)


def irate(points: Points, _: int) -> float | None:
    if len(points) < 2:
        return None
    (before, old), (last, new) = points[-2:]
    return (new if new < old else new - old) / ((last - before) / 1000)


def deriv(points: Points, _: int) -> float | None:
    if len(points) < 2:
        return None
    if len({value for _, value in points}) == 1:
        return 0.0
    return statistics.linear_regression([t / 1000 for t, _ in points], [v for _, v in points]).slope


def quantile(points: Points, _: int) -> float | None:
    ordered = sorted(value for _, value in points)
    rank = 0.3 * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)


def over(function: Callable[[list[float]], float]) -> Callable[[Points, int], float | None]:
    return lambda points, _: float(function([value for _, value in points]))


def pairs(values: list[float]) -> list[tuple[float, float]]:
    return list(itertools.pairwise(values))


ORACLE: dict[str, Callable[[Points, int], float | None]] = {
    "rate(x[1m])": rate,
    "increase(x[1m])": increase,
    "delta(x[1m])": lambda points, end: increase(points, end, counter=False),
    "irate(x[1m])": irate,
    "deriv(x[1m])": deriv,
    "sum_over_time(x[1m])": over(math.fsum),
    "avg_over_time(x[1m])": over(statistics.fmean),
    "min_over_time(x[1m])": over(min),
    "max_over_time(x[1m])": over(max),
    "count_over_time(x[1m])": over(len),
    "last_over_time(x[1m])": over(lambda values: values[-1]),
    "stdvar_over_time(x[1m])": over(statistics.pvariance),
    "stddev_over_time(x[1m])": over(statistics.pstdev),
    "quantile_over_time(0.3, x[1m])": quantile,
    "changes(x[1m])": over(lambda values: sum(new != old for old, new in pairs(values))),
    "resets(x[1m])": over(lambda values: sum(new < old for old, new in pairs(values))),
}
VALUES = st.one_of(st.integers(0, 50).map(float), st.floats(-1e6, 1e6).map(lambda value: round(value, 3)))
SAMPLES = st.lists(st.tuples(st.integers(1, 25_000), st.one_of(VALUES, st.just(STALE))), max_size=40)


def build(gaps: Sequence[tuple[int, float]]) -> Points:
    points, t = [], 0
    for gap, value in gaps:
        t += gap
        points.append((t, value))
    return points


def same(wanted: float | None, found: float | None, scale: float) -> bool:
    if wanted is None or found is None:
        return wanted is found
    return alike(wanted, found) or abs(wanted - found) <= 1e-9 * scale


@pytest.mark.parametrize("expr", ORACLE)
@given(rows=st.lists(SAMPLES, min_size=1, max_size=3), start=st.integers(0, 100_000), step=st.integers(1, 40_000))
def test_windows_are_what_a_loop_over_their_samples_gives(
    expr: str, rows: list[list[tuple[int, float]]], start: int, step: int
) -> None:
    memory = Memory()
    lines = {str(row): build(gaps) for row, gaps in enumerate(rows)}
    for row, points in lines.items():
        memory.add({"__name__": "x", "row": row}, dict(points))
    found = evaluate(Query(memory, start, start + 10 * step, step), parse(expr)).value
    assert isinstance(found, Frame)
    got = {labels["row"]: at for at, labels in enumerate(found.labels)}
    for row, points in lines.items():
        live = [(t, value) for t, value in points if not math.isnan(value)]
        scale = max((abs(value) for _, value in live), default=0.0) ** (2 if "std" in expr else 1)
        for column in range(11):
            end = start + column * step
            window = [(t, value) for t, value in live if end - RANGE < t <= end]
            wanted = ORACLE[expr](window, end) if window else None
            there = row in got and bool(found.present[got[row], column])
            value = float(found.values[got[row], column]) if there else None
            assert same(wanted, value, scale), (expr, row, end, window)
