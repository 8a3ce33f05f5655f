from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.model import Event, Gauge, Target
from history.database import open_database
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.model import QueryError, Scalar, Sink, Source, Text
from history.promql.limits import DEFAULT, Limits
from history.regex import REGEX_LENGTH
from history.store import Store

LOAD = Gauge("load", "Load.", ("cpu",))
HOSTS = [Target("node", name, name) for name in ("h1", "h2")]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Embedded]:
    engine = open_database(tmp_path)
    store = Store(engine)
    store.append_many((host, 10.0 * tick, [LOAD(tick, "0")]) for tick in range(10) for host in HOSTS)
    store.append(HOSTS[1], 100.0, [LOAD(1, "1")])
    yield Embedded(store)
    engine.dispose()


def test_a_gap_is_a_missing_step(source: Embedded) -> None:
    [line] = source.query_range('load{host="h2", cpu="0"} != 3', 0.0, 120.0, 10.0).lines
    assert line.times.tolist() == [0, 10, 20, 40, 50, 60, 70, 80, 90]
    assert line.values.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_scalars_and_strings(source: Embedded) -> None:
    assert source.query("1 + 1", 5.0) == Scalar(5.0, 2.0)
    assert source.query("'a'", 5.0) == Text(5.0, "a")
    [line] = source.query_range("time()", 0.0, 20.0, 10.0).lines
    assert (dict(line.labels), line.values.tolist()) == ({}, [0.0, 10.0, 20.0])


def test_series_and_labels_are_those_with_samples_in_the_time(source: Embedded) -> None:
    assert source.label_names([], 0, 100) == ["__name__", "cpu", "host", "instance", "job"]
    assert source.label_values("cpu", [], 0, 99) == ["0"]
    assert source.label_values("cpu", ['{host="h2"}'], 100, 110) == ["1"]
    assert source.label_values("cpu", [], 0, 100) == ["0", "1"]
    assert source.label_values("host", ['load{cpu="0"}'], 0, 100) == ["h1", "h2"]
    assert source.series(['load{host="h1"}', 'load{cpu="0"}'], 0, 100) == [
        {"__name__": "load", "cpu": "0", "host": host, "instance": host, "job": "node"} for host in ("h1", "h2")
    ]
    assert source.series([], 200, 300) == []


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        ("histogram_count(load)", "histogram_count is of native histograms, which are not kept"),
        ("load @ -5", "negative time"),
        ("load{", "parse error"),
        ("rate(load)", "parse error"),
        ("{}", "at least one non-empty matcher"),
        ('load{__name__="x"}', "twice"),
        ("load" + " " * DEFAULT.length, "characters"),
        ("(" * 101 + "1" + ")" * 101, "nests deeper"),
        ("-" * 19_000 + "1", "more than 150 operators"),
        ("+".join(["load"] * 1500), "more than 150 operators"),
        ("load or " * 151 + "load", "more than 150 operators"),
        (f'load{{a=~"{"x" * (REGEX_LENGTH + 1)}"}}', "regular expression"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(source: Embedded, expr: str, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        source.query(expr, 5.0)
    assert caught.value.kind == "bad_data"


def test_the_deepest_expression_that_is_taken_is_answered(source: Embedded) -> None:
    expr = "abs(" * 60 + "1 + " * 150 + 'load{host="h1", cpu=~"0|a+b-c*d"}' + ")" * 60
    [point] = source.query(expr, 10.0).points  # type: ignore[union-attr]
    assert point.value == 151


@pytest.mark.parametrize(("start", "end", "step"), [(0, 11_001, 1), (10, 0, 1), (0, 10, 0), (0, 10, -1)])
def test_ranges_that_cannot_be_answered(source: Embedded, start: float, end: float, step: float) -> None:
    with pytest.raises(QueryError) as caught:
        source.query_range("load", start, end, step)
    assert caught.value.kind == "bad_data"


def test_eleven_thousand_steps_are_answered(source: Embedded) -> None:
    assert len(source.query_range("vector(1)", 0, 11_000.9, 1).lines[0].values) == 11_001


@pytest.mark.parametrize("selector", ["load offset 5m", "load @ 10", "load[5m]", "sum(load)", "1"])
def test_series_are_asked_for_by_bare_selectors(source: Embedded, selector: str) -> None:
    with pytest.raises(QueryError, match="expected a series selector") as caught:
        source.series([selector], 0, 100)
    assert caught.value.kind == "bad_data"


@pytest.mark.parametrize("expr", ["load @ 1e30", "load @ 9e12", "max_over_time(load[5m:1m] @ 1e30)"])
def test_a_time_past_the_year_9999_is_refused(source: Embedded, expr: str) -> None:
    with pytest.raises(QueryError, match="the time after @ is out of range") as caught:
        source.query(expr, 10.0)
    assert caught.value.kind == "bad_data"


@pytest.mark.parametrize("expr", ["max_over_time(load[300y:1s])", "max_over_time(load[1w:1ms])"])
def test_a_subquery_of_too_many_steps_is_refused_before_it_takes_memory(source: Embedded, expr: str) -> None:
    with pytest.raises(QueryError, match="too many samples") as caught:
        source.query(expr, 10.0)
    assert caught.value.kind == "execution"


def test_a_range_vector_over_time_is_refused(source: Embedded) -> None:
    with pytest.raises(QueryError, match="range vector"):
        source.query_range("load[5m]", 0, 10, 1)


def test_two_targets_may_hold_a_series_in_turn(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    store = Store(engine)
    rules = [Target("", "", "", (("__group__", name),)) for name in "ab"]
    for tick in range(20):
        store.append(rules[0], 10.0 * tick, [LOAD(tick, "0")] if tick < 10 else [])
        store.append(rules[1], 10.0 * tick + 5, [LOAD(tick, "0")] if 10 <= tick < 15 else [])
    source = Embedded(store)
    [line] = source.query_range("load", 0.0, 200.0, 5.0).lines
    assert line.times.tolist() == [t for t in range(0, 155, 5) if t != 100]
    assert line.values[[0, 19, 21, -1]].tolist() == [0, 9, 10, 14]
    [point] = source.query("count_over_time(load[5m])", 200.0).points  # type: ignore[union-attr]
    assert point.value == 15
    engine.dispose()


def test_the_local_sink_stores_samples_and_events(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    sink: Sink = Local(Store(engine), Events(engine))
    event = Event("start:1", "start", "info", "h1", "", 10.0, 10.0, 1, "Raingauge started")
    sink.append(HOSTS[0], 10.0, [LOAD(3, "0")])
    sink.record(event)
    source: Source = Embedded(Store(engine))
    assert source.label_values("host", [], 0, 20) == ["h1"]
    assert Events(engine).events(0, 20) == [event]
    engine.dispose()


@pytest.mark.parametrize(
    ("limits", "expr", "kind", "message"),
    [
        (
            Limits(samples=19),
            "load[10m]",
            "execution",
            "too many samples.* 22, at most 19 .*.limits.samples.",
        ),
        (Limits(series=2), "load", "execution", "reads 3 series, at most 2 are taken .history.limits.series."),
        (Limits(seconds=0), "load + load", "timeout", "timed out.*at most 0 are taken .history.limits.seconds."),
        (Limits(length=3), "load", "bad_data", "has 4 characters, at most 3 are taken .history.limits.length."),
        (Limits(depth=1), "((1))", "bad_data", "deeper than 1 brackets, at most 1 are taken .history.limits.depth."),
    ],
)
def test_a_limit_is_named_with_what_was_found(
    source: Embedded, limits: Limits, expr: str, kind: str, message: str
) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        Embedded(source._store, limits).query(expr, 100.0)
    assert caught.value.kind == kind


def test_steps_are_limited(source: Embedded) -> None:
    narrow = Embedded(source._store, Limits(points=10))
    assert narrow.query_range("load", 0, 10, 1).lines
    with pytest.raises(QueryError, match=r"the query has 11 steps, at most 10 are taken \(history.limits.points\)"):
        narrow.query_range("load", 0, 11, 1)


def test_ranges_of_prometheus_2_include_their_left_border(source: Embedded) -> None:
    expr = 'count_over_time(load{host="h1"}[20s])'
    [now] = source.query(expr, 90.0).points  # type: ignore[union-attr]
    [then] = Embedded(source._store, promql_2x=True).query(expr, 90.0).points  # type: ignore[union-attr]
    assert (now.value, then.value) == (2, 3)


def test_remarks_come_with_the_answer(source: Embedded) -> None:
    found = source.query("quantile(2, rate(load[1m]))", 90.0)
    assert found.warnings == (
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "load"',
        "PromQL warning: quantile value should be between 0 and 1, got 2",
    )
