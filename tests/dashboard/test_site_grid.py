"""Sites by layers: each site's worst, what it stands on, and nothing that nobody knows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from alerts.model import Alert
from alerts.notices import fingerprint
from dashboard import site_grid
from dashboard.layers import Cell, cells
from dashboard.site_grid import COLUMNS, Here, SiteGrid, grid
from tests.dashboard import scene, services, situations
from tests.dashboard.situations import alert, alerts
from tests.dashboard.world import NOW, World

SHOP, NEWS = services.SITES


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


def shown(world: World, alerts: Sequence[Alert] = (), incidents: Mapping[str, str] | None = None) -> SiteGrid:
    targets = world.watched.targets()
    found = cells(world.services.source, targets, alerts, NOW)
    return grid(world.services.source, Here("web-01", targets, found, alerts, incidents or {}), NOW)


def cell(found: SiteGrid, row: str, column: str) -> Cell:
    return dict(next(each for each in found.rows if each.name == row).cells)[column]


def test_every_site_has_a_row_and_the_host_the_last(world: World) -> None:
    found = shown(world)
    assert [row.name for row in found.rows] == [SHOP, NEWS, "web-01"]
    assert [row.about for row in found.rows] == ["Drupal 10.3.1", "Drupal 10.3.1", "shared"]
    assert [name for name, _ in found.rows[0].cells] == list(COLUMNS)


def test_a_check_belongs_to_the_site_that_it_asks_for(world: World) -> None:
    found = shown(world)
    assert cell(found, SHOP, "Uptime").note.startswith("fails, status 504")
    assert cell(found, NEWS, "Uptime").state == ""


def test_the_log_and_the_database_of_a_site_fill_its_cells(world: World) -> None:
    found = shown(world)
    assert cell(found, SHOP, "Web").note.startswith("p95, 35")
    assert (cell(found, SHOP, "Web").state, cell(found, NEWS, "Web").state) == ("warn", "ok")
    assert (cell(found, SHOP, "Drupal").state, cell(found, SHOP, "Drupal").value) == ("warn", "offline")
    assert (cell(found, SHOP, "Security").state, cell(found, SHOP, "Security").value) == ("warn", "1 update")
    assert cell(found, NEWS, "Drupal").value == "cron 13 min"
    assert (cell(found, NEWS, "Security").state, cell(found, NEWS, "Security").note) == ("ok", "updates not known")


def test_of_several_pools_the_one_that_a_site_uses(world: World) -> None:
    found = shown(world, alerts())
    assert (cell(found, SHOP, "PHP").state, cell(found, SHOP, "PHP").value) == ("crit", "40")
    assert cell(found, NEWS, "PHP").state == "ok"
    assert cell(found, "web-01", "PHP").state == ""
    assert [row.state for row in found.rows[:2]] == ["crit", "ok"]


def test_without_knowing_the_only_database_is_everybodys_and_pools_are_the_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_grid, "USES", "vector(0) < 0")
    found = shown(situations.full(tmp_path), alerts())
    assert cell(found, SHOP, "Database").state == "warn"
    assert cell(found, SHOP, "PHP").state == ""
    assert cell(found, "web-01", "PHP").state == "crit"


def test_a_row_leads_to_the_incident_of_its_alerts(world: World) -> None:
    pool = alerts()[0]
    assert pool.labels["instance"] == scene.SHOP.instance
    paths = {row.name: row.incident for row in shown(world, [pool], {fingerprint(pool.labels): "/incidents/7"}).rows}
    assert paths == {SHOP: "/incidents/7", NEWS: "", "web-01": ""}


def test_an_alert_on_a_site_colours_its_layer_only(world: World) -> None:
    stuck = alert("CronStale", services.NEWS_SITE, "firing", 1, 600)
    assert stuck.labels["layer"] == "drupal"
    found = shown(world, [stuck])
    assert cell(found, NEWS, "Drupal").state == {"critical": "crit", "warning": "warn"}[stuck.severity]
    assert cell(found, NEWS, "Web").state == "ok"


def test_without_a_site_there_is_no_grid(tmp_path: Path) -> None:
    assert shown(situations.calm(tmp_path)) == SiteGrid((), 0)
