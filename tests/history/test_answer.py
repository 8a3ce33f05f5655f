import math
import struct

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from history import answer, numbers
from history.model import Line, Matrix, Metadata, Point, QueryError, Scalar, Text, Vector


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.5e300, "1.5e+300"), (1e-6, "0.000001"),
        (1e-7, "1e-07"), (-1.25e-9, "-1.25e-09"), (5e-324, "5e-324"), (1 / 3, "0.3333333333333333"),
        (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"), (123456789.125, "123456789.125"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_prometheus_does(value: float, text: str) -> None:
    assert numbers.number(value) == text


@given(st.lists(st.floats(), max_size=20))
def test_the_values_of_a_line_are_written_like_single_ones(values: list[float]) -> None:
    line = Line({}, np.arange(len(values)) / 4, np.array(values, dtype=np.float64))
    [found] = answer.result(Matrix((line,)))["data"]["result"]
    assert found["values"] == [[at / 4, numbers.number(value)] for at, value in enumerate(values)]


@given(st.floats(allow_nan=False))
def test_a_number_reads_back_the_same(value: float) -> None:
    for text in (numbers.number(value), numbers.plain(value)):
        assert struct.pack("<d", float(text)) == struct.pack("<d", value)
    assert math.isinf(value) or set(numbers.plain(value)) <= set("0123456789.-")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15", 15.0),
        ("0.5", 0.5),
        ("15s", 15.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("1w2d", 777600.0),
        ("1y", 31536000.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert numbers.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "1m1h", "5 m", "1.5h", "NaN", "inf", "abc", "1h-5m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        numbers.duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1700000000", 1.7e9), ("1700000000.123", 1700000000.123), ("-5", -5.0), ("2023-11-14T22:13:20Z", 1.7e9),
        ("2023-11-14T23:13:20.5+01:00", 1700000000.5),
    ],
)  # fmt: skip
def test_times(text: str, seconds: float) -> None:
    assert answer.time("time", text, 0.0) == seconds


@pytest.mark.parametrize("text", ["yesterday", "2023-11-14T22:13:20", "NaN", "+Inf", "2023-11-14"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(QueryError, match='invalid parameter "time"') as caught:
        answer.time("time", text, 0.0)
    assert answer.failure(caught.value) == {
        "status": "error", "errorType": "bad_data", "error": str(caught.value),
    }  # fmt: skip


def test_a_missing_time_is_the_default_or_refused() -> None:
    assert answer.time("time", None, 7.0) == answer.time("time", "", 7.0) == 7.0
    with pytest.raises(QueryError, match='"start"'):
        answer.required("start", None)


def test_times_are_kept_within_what_milliseconds_can_say() -> None:
    assert answer.time("time", "1e30", 0.0) == -answer.time("time", "-1e30", 0.0) == answer.MOST_SECONDS
    assert round(answer.MOST_SECONDS * 1000) / 1000 == answer.MOST_SECONDS


@pytest.mark.parametrize("text", ["0", "-1", "", None, "x", "1e30", "999999999999999999y", "9" * 400 + "y"])
def test_a_step_is_positive(text: str | None) -> None:
    with pytest.raises(QueryError, match='"step"'):
        answer.step(text)
    assert answer.step("1m") == 60.0


def test_each_type_of_result_has_its_shape() -> None:
    labels = {"__name__": "up"}
    vector = answer.result(Vector((Point(labels, 10.5, math.nan),)))
    assert vector == {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": labels, "value": [10.5, "NaN"]}]},
    }
    matrix = answer.result(Matrix((Line(labels, np.array([1.0, 2.25]), np.array([1.0, np.inf])),), ("old",)))
    assert matrix == {
        "status": "success",
        "data": {"resultType": "matrix", "result": [{"metric": labels, "values": [[1, "1"], [2.25, "+Inf"]]}]},
        "warnings": ["old"],
    }
    assert answer.result(Scalar(3.0, 2.5))["data"] == {"resultType": "scalar", "result": [3, "2.5"]}
    assert answer.result(Text(3.0, "a"))["data"] == {"resultType": "string", "result": [3, "a"]}
    assert answer.metadata({"up": [Metadata("gauge", "Up.")]}) == {
        "status": "success", "data": {"up": [{"type": "gauge", "help": "Up.", "unit": ""}]},
    }  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(-(10**12), 9 * 10**15), unique=True, max_size=5).map(sorted),
            st.booleans(),
            st.floats(),
        ),
        max_size=4,
    )
)
def test_quick_data_is_the_same(lines: list[tuple[list[int], bool, float]]) -> None:
    """Lines that share their times, and lines that do not, down to no point at all."""
    found: list[Line] = []
    for stamps, shared, value in lines:
        times = found[-1].times if shared and found else np.array(stamps, dtype=np.float64) / 1000
        found.append(Line({"a": "é"}, times, np.full(len(times), value)))
    matrix = Matrix(tuple(found))
    plain = answer.data(matrix)
    assert orjson.loads(orjson.dumps(answer.quick_data(matrix))) == plain
    assert [each["values"] for each in plain["result"]] == [
        [[t, numbers.number(value)] for t, value in zip(line.times, line.values, strict=True)] for line in found
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0e+00"), (1.0, "1e+00"), (-12345.5, "-1.23455e+04"), (0.25, "2.5e-01"), (1e100, "1e+100"),
        (math.nan, "NaN"), (-math.inf, "-Inf"),
    ],
)  # fmt: skip
def test_values_of_alerts(value: float, text: str) -> None:
    assert answer.scientific(value) == text


@pytest.mark.parametrize(
    ("t", "text"),
    [
        (None, "0001-01-01T00:00:00Z"), (0.0, "1970-01-01T00:00:00Z"), (1.7e9, "2023-11-14T22:13:20Z"),
        (1.7e9 + 0.25, "2023-11-14T22:13:20.25Z"), (1.7e9 - 0.0004, "2023-11-14T22:13:20Z"),
    ],
)  # fmt: skip
def test_moments(t: float | None, text: str) -> None:
    assert answer.moment(t) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (10, "10s"), (90, "1m30s"), (0.25, "250ms"), (61.5, "1m1s500ms"), (3600, "1h"), (86400, "1d"),
        (90000, "25h"), (604800, "1w"), (691200, "8d"), (31536000, "1y"),
    ],
)  # fmt: skip
def test_durations_are_written_as_prometheus_does(seconds: float, text: str) -> None:
    assert answer.duration(seconds) == text
    assert numbers.duration(text) == seconds
