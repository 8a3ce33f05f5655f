"""Which cache fell first, and what PHP did in its place."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.cache_ladder import Series, ladder

STEP = 60.0


def series(*runs: tuple[int, float]) -> Series:
    """(how many minutes, value)..."""
    values = [value for count, value in runs for _ in range(count)]
    return [(at * STEP, value) for at, value in enumerate(values)]


def test_the_first_that_fell_and_its_cost() -> None:
    found = ladder(
        {
            "drupal-dynamic": series((70, 0.6), (30, 0.6)),
            "redis": series((75, 0.95), (25, 0.5)),
            "drupal": series((70, 0.8), (30, 0.2)),
        },
        php=series((70, 1.0), (30, 3.0)),
        requests=series((100, 10.0)),
    )
    assert [rung.name for rung in found.rungs] == ["drupal", "drupal-dynamic", "redis"]
    assert found.first is not None
    assert (found.first.name, found.first.usual, found.first.now) == ("drupal", 0.8, 0.2)
    assert (found.first.fell_at, found.first.warm_at) == (70 * STEP, None)
    assert found.cost == pytest.approx(30 * 60 * 2.0)
    assert [rung.fell_at for rung in found.rungs] == [70 * STEP, None, 75 * STEP]


def test_more_visitors_alone_cost_nothing_of_a_cache() -> None:
    found = ladder(
        {"drupal": series((70, 0.8), (30, 0.2))}, series((70, 1.0), (30, 2.0)), series((70, 10.0), (30, 20.0))
    )
    assert found.cost == pytest.approx(0)


def test_a_fall_that_is_over_says_how_long_it_took_to_be_warm_again() -> None:
    ratios = series((50, 0.8), (10, 0.1), (40, 0.8))
    found = ladder({"drupal": ratios}, series((50, 1.0), (10, 4.0), (40, 1.0)), series((100, 10.0)))
    assert found.first is not None
    assert (found.first.fell_at, found.first.warm_at) == (50 * STEP, 60 * STEP)
    assert found.cost == pytest.approx(10 * 60 * 3.0)


def test_an_older_fall_is_not_the_cause_of_the_latest() -> None:
    found = ladder({"drupal": series((10, 0.8), (5, 0.1), (85, 0.8)), "redis": series((80, 0.9), (20, 0.2))}, (), ())
    assert found.first is not None
    assert found.first.name == "redis"
    assert found.cost is None


@pytest.mark.parametrize(
    "ratios",
    [
        series((100, 0.8)),
        series((50, 0.8), (1, 0.1), (49, 0.8)),  # one value
        series((50, 0.8), (50, 0.7)),  # a little
        series((50, 0.05), (50, 0.0)),  # it never helped
    ],
)
def test_what_is_no_fall(ratios: Series) -> None:
    assert ladder({"drupal": ratios}, (), ()).first is None


def test_nothing_is_known() -> None:
    assert ladder({"drupal": ()}, (), ()).rungs == ()


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.lists(st.floats(0, 100), max_size=60),
)
def test_any_series_have_an_answer(one: Sequence[float], other: Sequence[float], php: Sequence[float]) -> None:
    def at(values: Sequence[float]) -> Series:
        return [(number * STEP, value) for number, value in enumerate(values)]

    found = ladder({"drupal": at(one), "x": at(other)}, at(php), at([1.0] * len(php)))
    fallen = [rung for rung in found.rungs if rung.fell_at is not None]
    assert (found.first in fallen) == bool(fallen)
    assert found.cost is None or found.cost >= 0
    for rung in fallen:
        assert rung.warm_at is None or (rung.fell_at is not None and rung.warm_at > rung.fell_at)
