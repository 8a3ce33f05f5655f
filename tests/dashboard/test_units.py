"""Numbers as people read them."""

import math
import re

import pytest

from dashboard.units import GAP, SCALES, Unit, axis_text, axis_top, text

EXAMPLES: list[tuple[float, Unit, str]] = [
    (0, "count", "0"), (9, "count", "9"), (212, "count", "212"), (1104, "count", "1.1 k"), (999.6, "count", "1 k"),
    (0.24, "per_second", "0.24 /s"), (3.84, "seconds", "3.84 s"), (0.0042, "seconds", "4.2 ms"), (0, "seconds", "0 s"),
    (0.9996, "seconds", "1 s"), (2e-7, "seconds", "0.2 µs"), (5280, "seconds", "1.47 h"), (0.9653, "ratio", "96.5 %"),
    (1, "ratio", "100 %"), (0, "ratio", "0 %"), (1023, "bytes", "1020 B"), (1024, "bytes", "1 KiB"),
    (9.8 * 2**30, "bytes", "9.8 GiB"), (1.5 * 2**20, "bytes_per_second", "1.5 MiB/s"), (-0.5, "count", "-0.5"),
    (0.0001, "count", "0"), (2.5, "cores", "2.5 cores"), (0.00467, "cores", "0.005 cores"),
    (10 * 1024**4, "bytes", "10 TiB"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "unit", "expected"), EXAMPLES)
def test_three_digits_and_the_scale_that_fits(value: float, unit: Unit, expected: str) -> None:
    assert text(value, unit) == expected.replace(" ", GAP)


def test_what_is_unknown_is_a_dash() -> None:
    assert {text(value, "bytes") for value in (None, math.nan, math.inf)} == {"–"}


def test_an_axis_leaves_out_what_the_title_says() -> None:
    assert (axis_text(1, 500, "per_second"), axis_text(1, 2048, "bytes_per_second")) == ("500", f"2{GAP}KiB")
    assert (axis_text(0.5, 1, "ratio"), axis_text(0.5, 3, "cores")) == (f"50{GAP}%", "1.5")


def test_an_axis_has_one_scale() -> None:
    assert axis_text(0.5, 1.2 * 2**20, "bytes") == f"0.6{GAP}MiB"
    assert axis_text(0.5, 1, "seconds") == f"0.5{GAP}s"


def test_no_number_of_an_axis_has_four_digits() -> None:
    tops = [axis_top(1.013**power, "bytes") for power in range(2000)]
    assert not any(re.match(r"\d{4}", axis_text(share, top, "bytes")) for top in tops for share in (0.5, 1))


@pytest.mark.parametrize("unit", SCALES)
def test_the_top_of_an_axis_is_round_and_not_far_above(unit: Unit) -> None:
    for exponent in range(-60, 120):
        highest = 1.13**exponent * 1.001
        top = axis_top(highest, unit)
        assert highest <= top * (1 + 1e-9)
        assert top <= 1.7 * highest
        digits = re.sub(r"[^0-9].*$|^0+", "", text(top / 2, unit).replace(".", "")).rstrip("0")
        assert len(digits) <= 3


@pytest.mark.parametrize(("highest", "top"), [(1, 2), (2, 2), (3, 4), (5, 6), (7, 8), (40, 40), (151, 160), (0, 1)])
def test_what_comes_in_whole_numbers_has_a_whole_half(highest: float, top: float) -> None:
    assert axis_top(highest, "count") == top
