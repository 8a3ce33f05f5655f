"""The layers: a state comes from reads and alerts, and no data is never healthy."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.model import UP, Counter
from collectors.probe import families as checks
from dashboard.host_facts import bars
from dashboard.layers import LAYERS, Layer, cells, layers
from dashboard.units import GAP
from history.database import open_database
from history.embedded import Embedded
from history.store import Store
from tests.dashboard import scene, situations
from tests.dashboard.situations import alert, alerts, status
from tests.dashboard.world import NOW, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.trouble(tmp_path_factory.mktemp("trouble"))


def shown(world: World, **changed: object) -> dict[str, Layer]:
    asked: dict[str, Any] = {"targets": world.watched.statuses, "alerts": (), "unread": {}, "now": NOW} | changed
    found = cells(world.services.source, asked["targets"], asked["alerts"], asked["now"])
    return {layer.name: layer for layer in layers(asked["targets"], found, asked["unread"])}


def test_every_layer_has_a_value_a_note_and_an_hour(world: World) -> None:
    found = shown(world)
    assert (
        list(found)
        == ["Host", "Web", "PHP", "Database", "Cache", "Checks"]
        == list(dict.fromkeys(spec.name for spec in LAYERS))
    )
    for layer in found.values():
        assert layer.state == "ok"
        for cell in layer.cells:
            assert cell.value not in ("", "no data")
            assert cell.note
            assert len(cell.spark) == 61
            assert sum(value is not None for value in cell.spark) >= 59


def test_of_several_the_worst_is_first_and_each_has_a_name(world: World) -> None:
    php = shown(world, alerts=alerts())["PHP"]
    assert [(cell.target, cell.state) for cell in php.cells] == [("shop", "crit"), ("www", "ok")]
    assert (php.state, php.cells[0].value, php.cells[0].note) == ("crit", "40", "of 40 busy, 6 waiting")


def test_a_pending_alert_is_degraded_and_one_about_something_else_is_not(world: World) -> None:
    found = shown(world, alerts=[alert("MysqlQueriesPiledUp", scene.MYSQL, "pending", 25, 60)])
    assert {name: layer.state for name, layer in found.items() if layer.state != "ok"} == {"Database": "warn"}
    assert [cell.pending for layer in found.values() for cell in layer.cells if cell.state == "warn"] == [True]
    assert not shown(world, alerts=alerts())["PHP"].cells[0].pending
    resolved = [replace(each, state="resolved") for each in alerts()]
    assert {layer.state for layer in shown(world, alerts=resolved).values()} == {"ok"}


@pytest.mark.parametrize(("outcome", "state"), [("unreachable", "crit"), ("timeout", "crit"), ("denied", "none")])
def test_what_cannot_be_read_has_no_data_and_says_why(tmp_path: Path, outcome: str, state: str) -> None:
    world = situations.starting(tmp_path)
    (cell,) = shown(world, targets=[status(scene.NGINX, outcome, "reason")])["Web"].cells
    assert (cell.state, cell.value) == (state, "no data")
    assert cell.note in ("does not answer", "does not answer in time", "does not let us in")


def test_a_target_that_answers_without_values_is_not_healthy(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    assert shown(world, targets=[status(scene.NGINX)])["Web"].state == "none"


def test_a_layer_without_target_is_empty_or_says_what_was_found(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    found = shown(world, targets=[], unread={"mysql": "mariadbd listens"})
    assert (found["Database"].state, found["Database"].unread) == ("none", "mariadbd listens")
    assert (found["Cache"].state, found["Cache"].cells, found["Cache"].unread) == ("", (), "")


def test_a_check_that_fails_is_not_healthy_before_its_alert_fires(tmp_path: Path) -> None:
    world = situations.calm(tmp_path)
    failed = [checks.SUCCESS(0), checks.DURATION(0.1), checks.STATUS(502), UP(1)]
    world.store.append(scene.PROBE, NOW + 10, failed)
    (cell,) = shown(world, now=NOW + 10)["Checks"].cells
    assert (cell.state, cell.note) == ("warn", "fails, status 502")
    world.now = NOW + 10
    said = world.client().get("/", headers={"Accept": "application/json"}).get_json()["verdict"]
    assert (said["state"], said["lead"]) == ("warn", "No alert is firing, but 1 target is not healthy")
    assert said["also"][0].startswith("Checks: ")


def test_values_are_the_worst_of_five_minutes(world: World) -> None:
    checks = shown(world)["Checks"].cells[0]
    assert checks.value.endswith(f"{GAP}s")
    assert float(checks.value.split(GAP)[0]) > 3


def test_an_idle_host_is_idle_from_its_second_sample_on(tmp_path: Path) -> None:
    """The window of a rate is then longer than what was measured, and its value too low."""
    store = Store(open_database(tmp_path))
    family = Counter("node_cpu_seconds_total", "x", ("cpu", "mode"))
    for age in (20, 10, 0):
        store.append(
            scene.NODE, NOW - age, [family(0.9 * (600 - age), "0", "idle"), family(0.1 * (600 - age), "0", "user")]
        )
    source = Embedded(store)
    (cell,) = cells(source, [status(scene.NODE)], (), NOW).values()
    assert cell.value.replace(GAP, " ") == "10 %"
    assert bars(source, NOW)[0].text.replace(GAP, " ") == "10 %"
