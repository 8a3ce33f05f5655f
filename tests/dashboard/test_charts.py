"""The catalogue of charts: each asks for what some collector declares, and shows what history has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from promql_parser import parse

from alerts import slo
from collectors import heartbeat, registry
from collectors.model import Follower, Part
from dashboard import charts, layers
from dashboard.charts import CHARTS, RATE_INTERVAL, Chart
from dashboard.gathering import frame, gather
from dashboard.moments import Zone
from dashboard.plots import plots
from dashboard.shell import View
from dashboard.timerange import parse as span
from dashboard.units import SCALES
from history.embedded import Embedded
from tests.dashboard import scene, services, situations
from tests.dashboard.world import NOW, World

UTC = Zone(0, "UTC")
LAYER_EXPRESSIONS = [
    measure.expr for spec in layers.LAYERS for measure in (spec.value, *spec.notes, spec.wrong) if measure
] + [spec.spark for spec in layers.LAYERS]  # fmt: skip
COLLECTORS = (*registry.collectors(), heartbeat.collector(lambda _job: {}))
OBJECTIVE = slo.Slo(name="any", site="any.example")
RECORDED = {
    rule.record for group in (*slo.groups([OBJECTIVE]), *situations.rules()) for rule in group.rules if rule.record
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


def view(from_: str = "now-1h", now: float = NOW) -> View:
    return View(now, UTC, span(from_, "now", now, UTC), 240)


def metrics(node: object) -> Iterator[str]:
    """Of every selector in the expression."""
    if (name := getattr(node, "name", None)) and type(node).__name__ == "VectorSelector":
        yield name
    for child in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if getattr(node, child, None) is not None:
            yield from metrics(getattr(node, child))
    for argument in getattr(node, "args", ()) or ():
        yield from metrics(argument)


def part_of(chart: Chart) -> Part | Follower:
    collector = next(each for each in COLLECTORS if each.job == chart.job)
    parts: tuple[Part | Follower, ...] = (*collector.parts, *collector.followers)
    return next(part for part in parts if part.name == chart.part)


def declared(metric: str) -> bool:
    names = [family.name for collector in COLLECTORS for family in collector.families]
    return metric in RECORDED or any(
        metric == name or (name.endswith("*") and metric.startswith(name[:-1])) for name in names
    )


@pytest.mark.parametrize(
    "expr",
    [*(e for chart in CHARTS for e in chart.expressions if not e.startswith("vector(")), *LAYER_EXPRESSIONS],
)
def test_every_metric_is_declared_by_a_collector(expr: str) -> None:
    asked = set(metrics(parse(expr.replace(RATE_INTERVAL, "1m"))))
    assert asked
    assert {metric for metric in asked if not declared(metric)} == set()


@pytest.mark.parametrize("chart", [chart for chart in CHARTS if chart.job], ids=lambda chart: chart.id)
def test_the_part_that_it_names_reads_its_first_metric(chart: Chart) -> None:
    names = [family.name for family in part_of(chart).families]
    expr = chart.curves[0].expr.replace(RATE_INTERVAL, "1m")
    assert any(
        metric == name or (name.endswith("*") and metric.startswith(name[:-1]))
        for metric in metrics(parse(expr))
        for name in names
    )


def test_ids_are_unique_and_units_known() -> None:
    assert len({chart.id for chart in CHARTS}) == len(CHARTS)
    assert {chart.unit for chart in CHARTS} <= set(SCALES)
    for chart in CHARTS:
        assert len(chart.curves) <= charts.MOST_LINES
        tones = [curve.tone for curve in chart.curves if curve.tone]
        assert len(set(tones)) == len(tones), chart.id


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_every_chart_shows_what_history_has(world: World, chart: Chart) -> None:
    chart = charts.of_site(chart, services.SITES[0])
    found = plots(world.services.source, chart, frame(world.services.source, view(), 10))
    assert [plot.note for plot in found] == [""] * len(found)
    assert found
    for plot in found:
        assert plot.traces
        assert all(len(trace.values) == plot.columns for trace in plot.traces)
        assert plot.top >= max(trace.highest or 0 for trace in plot.traces) or plot.kind == "stack"
        if not any("{" in curve.name for curve in chart.curves):
            assert [trace.name for trace in plot.traces] == [curve.name for curve in chart.curves]


def test_charts_of_what_is_not_here_are_not_shown(world: World) -> None:
    asked = frame(world.services.source, view(), 10)
    only_host = [status for status in world.watched.statuses if status.target.job in ("node", "raingauge")]
    calm = gather(world.services.source, charts.OVERVIEW, asked, world.watched.statuses)
    assert {plot.job for plot in calm} == {"nginx", "phpfpm", "mysql", "redis", "blackbox", "node", "web"}
    empty = Embedded(situations.starting(Path(world.folder) / "other").store)
    shown = gather(empty, charts.OVERVIEW, frame(empty, view(), 10), only_host)
    assert {plot.job for plot in shown} == {"node"}


def test_a_chart_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    asked = frame(world.services.source, view(), 10)
    statuses = [
        situations.status(scene.MYSQL, "denied", "connect: Access denied for user 'raingauge'"),
        situations.status(scene.NODE, "waiting"),
    ]
    notes = {plot.id: plot.note for plot in gather(world.services.source, charts.OVERVIEW, asked, statuses)}
    assert notes["database-queries"].startswith("Database mysqld does not let us in: connect: Access denied")
    assert notes["cpu"] == "The first values are here in a few seconds."
    assert "requests" not in notes
