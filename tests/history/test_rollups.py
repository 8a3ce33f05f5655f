"""Queries where samples have gone and roll-ups answer, held against the same queries over all samples."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from collectors.model import Counter, Gauge, Target
from history.database import open_database
from history.embedded import Embedded
from history.model import Matrix, Vector
from history.promql import rollups
from history.retention import Retention
from history.samples import Floats
from history.store import Store
from history.store.tiers import FIVE_MINUTES, RAW

HOST = Target("node", "h1", "h1")
READS = Counter("reads_total", "Reads.", ("device",))
LOAD = Gauge("load", "Load.")
DAY = 86_400
DAYS = 14
BEGIN = 1_700_006_400  # at the border of an hour
END = BEGIN + DAYS * DAY
EVERY = 15  # s


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Two weeks of a counter with a daily swing that is reset each five hours or so, one without, and a gauge."""
    random = np.random.default_rng(5)
    stamps = BEGIN + np.arange(EVERY, DAYS * DAY + 1, EVERY)
    swing = 1 + 0.8 * np.sin(2 * np.pi * stamps / DAY)
    reads = np.cumsum(random.poisson(20 * swing)).astype(float)
    for at in np.flatnonzero(random.random(len(stamps)) < EVERY / (5 * 3600)).tolist():
        reads[at:] -= reads[at] - random.integers(0, 40)
    steady = np.cumsum(random.poisson(15, len(stamps))).astype(float)
    load = np.round(2 * swing + random.random(len(stamps)), 2)
    engine = open_database(tmp_path_factory.mktemp("rollups"))
    store = Store(engine, Retention(raw=10**9, fine=10**9, hour=10**9))
    rows = zip(stamps.tolist(), reads.tolist(), steady.tolist(), load.tolist(), strict=True)
    ticks = [(HOST, float(t), [READS(a, "sda"), READS(b, "sdb"), LOAD(c)]) for t, a, b, c in rows]
    for at in range(0, len(ticks), 960):
        store.append_many(ticks[at : at + 960])
        while store.maintain(0):
            pass
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def exact(filled: Engine) -> Embedded:
    return Embedded(Store(filled))


@pytest.fixture
def without(filled: Engine, exact: Embedded, request: pytest.FixtureRequest) -> Embedded:
    """All samples of sealed blocks gone, and the tiers that the test names."""
    store = Store(filled)
    for stored in store.targets():
        for tier in (RAW, *getattr(request, "param", ())):
            stored.blocks.pop(tier, None)
    return Embedded(store)


def values(source: Embedded, expr: str, start: float, end: float, step: float) -> Floats:
    found = source.query_range(expr, start, end, step)
    assert isinstance(found, Matrix)
    return np.array([line.values for line in found.lines])


def errors(source: Embedded, exact: Embedded, expr: str, step: float = 3600, shift: float = 0) -> Floats:
    start, end = BEGIN + 2 * DAY + shift, BEGIN + 8 * DAY + shift
    found, expected = (values(each, expr, start, end, step) for each in (source, exact))
    assert found.shape == expected.shape
    return np.abs(found - expected).ravel() / np.abs(expected).ravel()


@pytest.mark.parametrize("without", [(FIVE_MINUTES,), ()], indirect=True, ids=["hours", "five minutes"])
@pytest.mark.parametrize(("span", "shift"), [("1h", 0), ("6h", 0), ("1d", 0), ("2h", 1234), ("1d", 777)])
def test_increases_are_as_those_of_samples(without: Embedded, exact: Embedded, span: str, shift: float) -> None:
    found = errors(without, exact, f"increase(reads_total[{span}])", shift=shift)
    # Off the borders of buckets an hour of few events is not as even as a line is.
    median, most = (0.001, 0.01) if not shift else (0.01, 0.07)
    assert np.median(found) <= median
    assert found.max() <= most


@pytest.mark.parametrize("without", [(FIVE_MINUTES,)], indirect=True)
def test_whole_hours_are_what_they_were(without: Embedded, exact: Embedded) -> None:
    for expr in ("max_over_time(load[2h])", "min_over_time(load[2h])", "load"):
        assert errors(without, exact, expr).max() == 0
    for expr in ("avg_over_time(load[2h])", "sum_over_time(load[2h])", "count_over_time(load[2h])"):
        assert errors(without, exact, expr).max() < 0.01
    assert np.median(errors(without, exact, "rate(reads_total[4h])")) < 0.001
    assert errors(without, exact, "present_over_time(load[2h])").max() == 0
    assert errors(without, exact, "last_over_time(load[2h])").max() == 0
    assert np.nanmax(errors(without, exact, "count(load)")) == 0


@pytest.mark.parametrize("without", [(FIVE_MINUTES,)], indirect=True)
def test_a_range_narrower_than_a_bucket_is_answered(without: Embedded, exact: Embedded) -> None:
    found = values(without, "rate(reads_total[5m])", BEGIN + 5 * DAY, BEGIN + 5 * DAY + 7200, 60)
    hour = values(exact, "rate(reads_total[1h])", BEGIN + 5 * DAY, BEGIN + 5 * DAY + 7200, 60)
    assert found.shape == (2, 121)
    assert np.median(np.abs(found / hour - 1)) < 0.1


def test_an_instant_long_ago_has_the_last_value_of_the_bucket_before(without: Embedded, exact: Embedded) -> None:
    at = BEGIN + 3 * DAY + 2 * FIVE_MINUTES
    for source in (without, exact):
        found = source.query("reads_total", at)
        assert isinstance(found, Vector)
        assert len(found.points) == 2
    found, expected = without.query("reads_total", at), exact.query("reads_total", at)
    assert found.points == expected.points  # type: ignore[union-attr]
    assert found.warnings == ("PromQL warning: the older part is kept as roll-ups of 5 minutes only",)


def test_where_samples_begin_nothing_is_counted_twice_or_lost(filled: Engine, exact: Embedded) -> None:
    store = Store(filled)
    for stored in store.targets():
        stored.blocks[RAW] = [block for block in stored.blocks[RAW] if block.t0 > (BEGIN + 7.3 * DAY) * 1000]
    whole = "increase(reads_total[12d])"
    for expr, tolerance in ((whole, 0.001), ("count_over_time(load[12d])", 1e-3), ("sum_over_time(load[12d])", 1e-3)):
        found, expected = (each.query(expr, END - 3600) for each in (Embedded(store), exact))
        assert isinstance(found, Vector)
        assert isinstance(expected, Vector)
        assert [p.value for p in found.points] == pytest.approx([p.value for p in expected.points], rel=tolerance)


def test_too_many_samples_are_read_as_rollups(filled: Engine, exact: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "EXACT", 1000)
    store = Store(filled)
    expr = "increase(reads_total[4h])"
    start, end = BEGIN + 2 * DAY, BEGIN + 9 * DAY
    assert (values(Embedded(store), expr, start, end, 60) == values(exact, expr, start, end, 60)).all(), "step too fine"
    rolled = values(Embedded(store), expr, start, end, 7200)
    monkeypatch.setattr(rollups, "EXACT", np.inf)
    samples = values(exact, expr, start, end, 7200)
    assert (rolled != samples).any()
    assert rolled == pytest.approx(samples, rel=0.01)


def test_a_series_that_ended_has_nothing_after(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    store = Store(engine, Retention(raw=10**9, fine=10**9, hour=10**9))
    for at in range(130 * 120):
        t = BEGIN + 30.0 * (at + 1)
        gone = 600 <= at < 1200  # for five hours
        store.append(HOST, t, [LOAD(1.0), *([] if gone else [READS(float(at), "sda")])])
        if at % 960 == 0:
            while store.maintain(0):
                pass
    for stored in store.targets():
        stored.blocks.pop(RAW)
    source = Embedded(store)
    gap = BEGIN + 8 * 3600
    for expr in (
        "reads_total",
        "rate(reads_total[1h])",
        "max_over_time(reads_total[1h])",
        "increase(reads_total[30m])",
    ):
        found = source.query(expr, gap)
        assert isinstance(found, Vector)
        assert found.points == (), expr
        found = source.query(expr, BEGIN + 4 * 3600)
        assert isinstance(found, Vector)
        assert len(found.points) == 1, expr
    over = source.query("increase(reads_total[4h])", BEGIN + 12 * 3600)
    assert isinstance(over, Vector)
    assert over.points[0].value == pytest.approx(240, rel=0.05), "of the last two hours, the first bucket aside"
    engine.dispose()


def as_table(found: Matrix) -> dict[str, tuple[list[float], list[float]]]:
    return {str(sorted(line.labels.items())): (line.times.tolist(), line.values.tolist()) for line in found.lines}


@pytest.mark.parametrize(
    "expr",
    [
        "reads_total", "rate(reads_total[30m])", "sum(rate(reads_total[2h])) > 1", "topk(1, reads_total)",
        "max_over_time(rate(reads_total[30m])[3h:10m])", "time() + end() - start()", "load @ end()",
        "reads_total > 1e5 or load", "absent(load > 100)", "increase(reads_total[1d] offset 1h)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("without", [(), (FIVE_MINUTES,)], indirect=True)
def test_what_is_read_in_parts_is_the_same(
    without: Embedded, exact: Embedded, expr: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = BEGIN + 1000, BEGIN + 8 * DAY
    for source in (exact, without):
        whole = source.query_range(expr, start, end, 1800)
        monkeypatch.setattr("history.promql.evaluate.AT_ONCE", 3000)
        parts = source.query_range(expr, start, end, 1800)
        monkeypatch.undo()
        found, expected = as_table(parts), as_table(whole)
        assert found.keys() == expected.keys()
        for series, (times, numbers) in expected.items():
            assert found[series][0] == times
            # A counter's resets are summed from where a part begins: the same but for rounding.
            assert found[series][1] == pytest.approx(numbers, rel=1e-9)
        assert parts.warnings == whole.warnings
