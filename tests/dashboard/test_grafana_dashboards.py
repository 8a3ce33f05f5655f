"""The exported dashboards: what Grafana needs to load each, and every expression answers in the scene."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent.cli import main
from dashboard import charts, grafana
from dashboard.charts import Chart, Curve, Limit
from dashboard.grafana import dashboards
from dashboard.units import SCALES
from history.model import Matrix
from tests.dashboard import services, situations
from tests.dashboard.world import NOW, World

GOLDEN = Path(__file__).parents[1] / "data" / "grafana" / "panel.json"
DASHBOARDS = dashboards()
NEEDED = {
    "uid": str,
    "title": str,
    "schemaVersion": int,
    "panels": list,
    "templating": dict,
    "time": dict,
    "tags": list,
}
IDS = {"short", "cps", "bytes", "binBps", "s", "percentunit"}
"""Of https://github.com/grafana/grafana, packages/grafana-data/src/valueFormats/categories.ts."""
COLOURS = {"blue", "orange", "green", "purple", "text"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_it_has_what_grafana_needs(name: str) -> None:
    dashboard = json.loads(json.dumps(DASHBOARDS[name]))
    assert {key: type(dashboard[key]) for key in NEEDED} == NEEDED
    assert re.fullmatch(r"[a-z0-9-]{1,40}", dashboard["uid"])
    assert "id" not in dashboard, "Grafana gives it, and refuses one that it does not know"
    variables = {each["name"]: each["type"] for each in dashboard["templating"]["list"]}
    assert variables["datasource"] == "datasource"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels(dashboard):
        assert panel["type"] == "timeseries"
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in IDS
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None
        assert [step["value"] for step in steps[1:]] == sorted(step["value"] for step in steps[1:])
        refs = [target["refId"] for target in panel["targets"]]
        assert refs == [chr(65 + at) for at in range(len(refs))]
        assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} <= set(refs)
        for target in (panel, *panel["targets"]):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard)))
    assert used <= {*variables, "__rate_interval"}, "every variable is declared"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_overlap_and_fit(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        taken |= cells


def test_every_chart_is_on_one() -> None:
    titles = {(panel["title"], panel["description"]) for each in DASHBOARDS.values() for panel in panels(each)}
    assert titles == {(chart.title, chart.subtitle) for chart in charts.CHARTS}
    assert set(grafana.UNITS) == set(SCALES)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_expression_answers(world: World, name: str) -> None:
    for panel in panels(DASHBOARDS[name]):
        for target in panel["targets"]:
            expr = target["expr"].replace("$__rate_interval", "1m").replace("$site", services.SITES[0])
            found = world.services.source.query_range(expr, NOW - 600, NOW, 60)
            assert isinstance(found, Matrix)
            assert found.lines or "redis_memory_max" in expr, (panel["title"], expr)
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert all(label in line.labels for line in found.lines), (panel["title"], label)


def test_a_panel_in_full() -> None:
    """`RAINGAUGE_GOLDEN=rewrite` writes it anew."""
    import os

    chart = Chart(
        "any", "Workers", "by pool", "ratio", "", "",
        (Curve("busy {pool}", "a", tone=3), Curve("queue", "b", dotted=True, tone=4)), kind="stack",
        limits=(Limit("high", "vector(0.8)"), Limit("limit", "max by (instance) (c)")),
    )  # fmt: skip
    found = json.dumps(grafana.dashboard("Any", [("Row", [chart])])["panels"], indent=1) + "\n"
    if os.environ.get("RAINGAUGE_GOLDEN") == "rewrite":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


def test_the_command_writes_them(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    result = CliRunner().invoke(main, ["export", "grafana", "--folder", str(folder)])
    assert result.exit_code == 0, result.output
    written = {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}
    assert written == json.loads(json.dumps(DASHBOARDS))
    assert len(result.output.splitlines()) == len(written)
    (tmp_path / "file").write_text("")
    refused = CliRunner().invoke(main, ["export", "grafana", "--folder", str(tmp_path / "file" / "x")])
    assert (refused.exit_code, "cannot write" in refused.output) == (1, True)
