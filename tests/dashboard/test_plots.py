"""From history to a picture's numbers: peaks are kept, gaps stay gaps, limits are drawn where they matter."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from collectors.model import UP, Gauge, Sample, Target
from dashboard import words
from dashboard.charts import Chart, Curve, Limit
from dashboard.gathering import frame
from dashboard.moments import Zone
from dashboard.plots import Plot, plots
from dashboard.shell import View
from dashboard.timerange import parse
from history.database import open_database
from history.embedded import Embedded
from history.model import Matrix, QueryError
from history.store import Store

NOW = 1_790_000_000.0
UTC = Zone(0, "UTC")
HEAT = Gauge("heat", "For this test.", ("place",))
LIMIT = Gauge("heat_limit", "For this test.")
TARGET = Target("t", "i", "h")
CHART = Chart(
    "heat", "Heat", "", "count", "t", "p", (Curve("{place}", "heat"),), limits=(Limit("limit", "heat_limit"),)
)


class History:
    """Ticks of ten seconds that end at NOW, one list of samples each; None: nothing was measured."""

    def __init__(self, folder: Path, ticks: Sequence[Sequence[Sample] | None]) -> None:
        store = Store(open_database(folder))
        start = NOW - 10 * (len(ticks) - 1)
        store.append_many(
            (TARGET, start + 10 * at, [*tick, UP(1)]) for at, tick in enumerate(ticks) if tick is not None
        )
        self.source = Embedded(store)

    def plots(self, chart: Chart = CHART, from_: str = "now-1h", columns: int = 60) -> list[Plot]:
        view = View(NOW, UTC, parse(from_, "now", NOW, UTC), columns)
        return plots(self.source, chart, frame(self.source, view, 10))


def test_the_lowest_and_the_highest_of_each_column_are_kept(tmp_path: Path) -> None:
    heat = [5.0] * 361
    heat[100], heat[223] = 97.0, 0.25
    (plot,) = History(tmp_path, [[HEAT(value, "a")] for value in heat]).plots()
    (trace,) = plot.traces
    assert len(trace.values) < 80
    assert {97.0, 0.25} <= set(trace.values)
    assert (trace.lowest, trace.highest, trace.last) == (0.25, 97.0, 5.0)
    peak = trace.values.index(97.0)
    assert plot.x0 + peak * plot.dx == pytest.approx(NOW - 2600, abs=plot.dx)


def test_the_very_first_tick_is_shown_at_once_though_no_other_comes_at_such_a_time(tmp_path: Path) -> None:
    store = Store(open_database(tmp_path))
    store.append(TARGET, NOW + 3.25, [HEAT(5, "a"), UP(1)])
    view = View(NOW + 4, UTC, parse("now-15m", "now", NOW + 4, UTC), 400)
    source = Embedded(store)
    (plot,) = plots(source, CHART, frame(source, view, 10))
    assert [value for value in plot.traces[0].values if value is not None] == [5]
    assert plot.x0 + plot.dx * (plot.columns - 1) == NOW + 4


def test_values_have_four_digits(tmp_path: Path) -> None:
    heat = (0.0, 1 / 3, 123456.789, 1e-7 / 3, 2e12 / 3, -7.00049, 98765.4)
    (plot,) = History(tmp_path, [[HEAT(value, "a")] for value in heat]).plots(columns=400)
    expected = [0, 0.3333, 123500, 3.333e-08, 666700000000, -7, 98770]
    assert [value for value in plot.traces[0].values if value is not None] == expected


def test_a_time_without_any_sample_is_a_gap_and_no_line_goes_over_it(tmp_path: Path) -> None:
    ticks: list[Sequence[Sample] | None] = [[HEAT(5, "a")]] * 361
    ticks[100:200] = [None] * 100
    (plot,) = History(tmp_path, ticks).plots(columns=400)
    (gap,) = plot.gaps
    assert (gap.start, gap.end) == (NOW - 2580, NOW - 1600)  # the sample before it still counts for two ticks
    assert gap.words == "no samples 13:30 to 13:46"
    values = np.array(plot.traces[0].values, dtype=float)
    times = plot.x0 + plot.dx * np.arange(plot.columns)
    assert np.isnan(values[(times >= gap.start) & (times < gap.end)]).all()
    assert np.isfinite(values[(times < gap.start) | (times >= gap.end)]).all()
    assert "No samples 13:30 to 13:46." in words.sentence(plot)


def test_before_the_first_and_after_the_last_sample_is_said_in_words(tmp_path: Path) -> None:
    ticks: list[Sequence[Sample] | None] = [[HEAT(5, "a")]] * 361
    ticks[:60], ticks[300:] = [None] * 60, [None] * 61
    (plot,) = History(tmp_path, ticks).plots(columns=400)
    assert [gap.words for gap in plot.gaps] == ["no samples before 13:23", "no samples since 14:03"]
    assert plot.traces[0].last is None


def test_a_series_that_ends_alone_is_no_gap_of_the_chart(tmp_path: Path) -> None:
    ticks = [[HEAT(5, "a"), *([HEAT(7, "b")] if at < 200 else [])] for at in range(361)]
    (plot,) = History(tmp_path, ticks).plots(columns=400)
    by_name = {trace.name: trace for trace in plot.traces}
    assert (by_name["b"].last, by_name["a"].last, plot.gaps) == (None, 5, ())


def test_at_most_five_lines_those_that_reach_highest(tmp_path: Path) -> None:
    samples = [HEAT(at, f"p{at}") for at in range(8)]
    (plot,) = History(tmp_path, [samples] * 30).plots()
    assert [trace.name for trace in plot.traces] == ["p7", "p6", "p5", "p4", "p3"]
    assert (plot.left_out, sorted(trace.tone for trace in plot.traces)) == (3, [1, 2, 3, 4, 5])


def test_a_limit_far_above_everything_is_named_and_not_drawn(tmp_path: Path) -> None:
    (near,) = History(tmp_path / "near", [[HEAT(30, "a"), LIMIT(100)]] * 30).plots()
    (far,) = History(tmp_path / "far", [[HEAT(3, "a"), LIMIT(100)]] * 30).plots()
    assert [(level.value, level.drawn) for level in (*near.levels, *far.levels)] == [(100, True), (100, False)]
    assert (near.top > 100, far.top) == (True, 4)


def test_one_chart_for_each_set_of_labels(tmp_path: Path) -> None:
    each = Chart("heat", "Heat", "", "count", "t", "p", (Curve("all", "heat"),), each=("place",))
    found = History(tmp_path, [[HEAT(1, "a"), HEAT(2, "b")]] * 30).plots(each)
    assert [(plot.id, [trace.last for trace in plot.traces]) for plot in found] == [("heat", [1]), ("heat-2", [2])]


def test_a_series_that_is_no_number_at_any_time_is_nothing_to_draw(tmp_path: Path) -> None:
    nothing = Chart("heat", "Heat", "", "ratio", "t", "p", (Curve("share", "heat / (heat * 0)"),), each=("place",))
    assert History(tmp_path, [[HEAT(0, "a"), HEAT(2, "b")]] * 30).plots(nothing)[1:] == []


def test_a_query_that_fails_is_said_in_its_own_card(tmp_path: Path) -> None:
    history = History(tmp_path, [[HEAT(1, "a")]] * 30)
    (plot,) = history.plots(Chart("x", "X", "", "count", "t", "p", (Curve("x", "nonsense("),)))
    assert (plot.traces, plot.note[:17]) == ((), "The query failed:")


def test_history_that_cannot_be_asked_leaves_a_word_in_every_card(tmp_path: Path) -> None:
    class Gone(Embedded):
        def query_range(self, expr: str, start: float, end: float, step: float) -> Matrix:
            raise QueryError("unavailable", f"no answer to {expr} from {start} to {end} by {step}")

    history = History(tmp_path, [[HEAT(1, "a")]])
    history.source = Gone(Store(open_database(tmp_path)))
    (plot,) = history.plots()
    assert plot.note.startswith("The query failed: no answer to heat")


def test_the_table_has_both_ends(tmp_path: Path) -> None:
    (plot,) = History(tmp_path, [[HEAT(at, "a")] for at in range(361)]).plots(columns=400)
    rows = list(words.table(plot, UTC))
    assert (rows[0], rows[-1]) == (("13:13", ("0",)), ("14:13", ("360",)))


def test_where_lines_are_too_many_those_that_are_never_above_0_are_none(tmp_path: Path) -> None:
    places = [HEAT(0, name) for name in "abcdef"]
    (plot,) = History(tmp_path, [[*places, HEAT(3, "g"), HEAT(2, "h")]] * 60).plots()
    assert [trace.name for trace in plot.traces] == ["g", "h"]
    assert plot.left_out == 0


def test_where_all_of_many_lines_are_0_the_first_are_shown(tmp_path: Path) -> None:
    (plot,) = History(tmp_path, [[HEAT(0, name) for name in "abcdefg"]] * 60).plots()
    assert (len(plot.traces), plot.left_out) == (5, 2)
