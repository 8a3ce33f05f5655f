"""The text format, against prometheus_client's parser as an independent reader."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from agent.exposition import Writer, number, page, render
from collectors.model import Counter, Gauge, Histogram, Summary

TEMPERATURE = Gauge("room_temperature_celsius", 'Degrees of a "room",\nby its name.', ("room",))
DOORS = Counter("doors_opened", "A counter without _total, as old exporters have them.")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.5, "-0.5"), (3.0, "3"), (1e21, "1e+21"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"),
     (0.1, "0.1"), (1e15, "1000000000000000"), (1e16, "1e+16"), (123456789012345, "123456789012345"), (1e-7, "1e-07")],
)  # fmt: skip
def test_numbers_as_go_prints_them(value: float, text: str) -> None:
    assert number(value) == text


def test_families_are_merged_with_one_head() -> None:
    first = Writer({"instance": "a"}).blocks([TEMPERATURE(20.5, "hall"), DOORS(3), TEMPERATURE(19, "attic")])
    second = Writer({"instance": "b"}).blocks([TEMPERATURE(7, "hall")])
    assert page([first, second]).decode() == (
        '# HELP room_temperature_celsius Degrees of a "room",\\nby its name.\n'
        "# TYPE room_temperature_celsius gauge\n"
        'room_temperature_celsius{room="hall",instance="a"} 20.5\n'
        'room_temperature_celsius{room="attic",instance="a"} 19\n'
        'room_temperature_celsius{room="hall",instance="b"} 7\n'
        "# HELP doors_opened A counter without _total, as old exporters have them.\n"
        "# TYPE doors_opened counter\n"
        'doors_opened{instance="a"} 3\n'
    )


def test_a_summary_and_a_histogram_stand_together_under_one_head() -> None:
    took = Summary("call_duration_usec", "How long calls took.", ("cmd", "quantile"))
    total = took.with_suffix("_sum", "All calls.")
    size = Histogram("answer_bytes", "How long answers were.", ("cmd",))
    bucket, count = size.with_suffix("_bucket", "Up to so many."), size.with_suffix("_count", "All.")
    samples = [took(7, "get", "50"), bucket(1, "get", "+Inf"), DOORS(1), total(9, "get"), count(1, "get")]
    text = page([Writer({"instance": "a"}).blocks(samples)]).decode()
    assert text.startswith(
        "# HELP call_duration_usec How long calls took.\n# TYPE call_duration_usec summary\n"
        'call_duration_usec{cmd="get",quantile="50",instance="a"} 7\ncall_duration_usec_sum{cmd="get",instance="a"} 9\n'
        "# HELP answer_bytes How long answers were.\n# TYPE answer_bytes histogram\n"
        'answer_bytes_bucket{cmd="get",le="+Inf",instance="a"} 1\nanswer_bytes_count{cmd="get",instance="a"} 1\n'
    )
    types = [(family.name, family.type) for family in text_string_to_metric_families(text)]
    assert types == [("call_duration_usec", "summary"), ("answer_bytes", "histogram"), ("doors_opened", "counter")]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), st.floats())
def test_any_label_and_value_read_back(room: str, value: float) -> None:
    families = list(text_string_to_metric_families(render([TEMPERATURE(value, room)]).decode()))
    [sample] = families[0].samples
    assert sample.labels == {"room": room}
    assert sample.value == value or (math.isnan(sample.value) and math.isnan(value))


def test_a_writer_forgets_what_is_gone() -> None:
    writer = Writer()
    writer.blocks([TEMPERATURE(1, "hall"), TEMPERATURE(1, "attic")])
    writer.blocks([TEMPERATURE(2, "attic")])
    assert len(writer._lines) == len(writer._beginnings) == len(writer._samples) == 1


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from((0.0, 1.0, math.nan))), max_size=6)))
def test_a_kept_writer_writes_what_a_new_one_would(ticks: list[list[tuple[str, float]]]) -> None:
    kept = Writer()
    for tick in ticks:
        samples = [
            family(value, *labels) for room, value in tick for family, *labels in ((TEMPERATURE, room), (DOORS,))
        ]
        assert page([kept.blocks(samples)]) == render(samples)
