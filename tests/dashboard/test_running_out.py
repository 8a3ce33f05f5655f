"""What will run out and when: exact for what shrinks evenly, silent for what does not shrink."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.host import filesystem
from collectors.model import Target
from dashboard.running_out import HORIZON, SOON, VERY_SOON, ends, mount_of, running_out, when_used_up
from dashboard.units import GAP
from tests.dashboard import scene, services
from tests.dashboard.services import gauge
from tests.dashboard.world import NOW, World

DAY = 86400.0
GIB = 2.0**30


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def store(world: World, left: Callable[[float], Mapping[str, float]]) -> None:
    """Six hours of what was left on file systems: hours ago -> mount -> GiB."""
    for step in range(36, -1, -1):
        found = [filesystem.AVAIL(gib * GIB, "/dev/x", mount, "ext4", "") for mount, gib in left(step / 6).items()]
        world.store.append(scene.NODE, NOW - step * 600, found)


def test_a_disk_that_fills_evenly_has_its_day(world: World) -> None:
    store(world, lambda hours: {"/": 20 + hours})
    (found,) = running_out(world.services.source, NOW)
    assert found.what == "Disk /"
    assert found.at - NOW == pytest.approx(20 * 3600, rel=0.01)
    assert (found.state, found.how) == ("crit", f"20{GAP}GiB left, 24{GAP}GiB less a day")


def test_minutes_say_nothing_of_days(world: World) -> None:
    """A host that is watched for ten minutes: what ends within the hour is told, and nothing else."""
    for step in range(11):
        left = {"/": 20 - step / 60, "/srv": 1.2 - step / 10}
        found = [filesystem.AVAIL(gib * GIB, "/dev/x", mount, "ext4", "") for mount, gib in left.items()]
        world.store.append(scene.NODE, NOW - 600 + step * 60, found)
    assert [each.what for each in running_out(world.services.source, NOW)] == ["Disk /srv"]


def test_what_grows_or_stands_still_does_not_run_out(world: World) -> None:
    store(world, lambda hours: {"/": 20 - hours, "/srv": 7})
    assert running_out(world.services.source, NOW) == ()


def test_a_table_grows_into_the_file_system_of_the_database(world: World) -> None:
    store(world, lambda _: {"/": 5, "/var/lib/mysql": 1})
    for hours, size in ((6.0, 1.0), (0.001, 1.25)):
        sample = gauge("drupal_table_bytes", size * GIB, table="watchdog")
        world.store.append(services.SHOP_SITE, NOW - hours * 3600, [sample])
    (found,) = running_out(world.services.source, NOW)
    assert found.what == "Room for the table watchdog of shop.example.org"
    assert found.at - NOW == pytest.approx(DAY, rel=0.01)


def test_the_first_to_end_is_the_first(world: World) -> None:
    for address, days in (("https://b/", 40), ("https://a/", 3), ("https://c/", 200)):
        sample = gauge("probe_ssl_earliest_cert_expiry", NOW + days * DAY)
        world.store.append(Target("blackbox", address, "web-01"), NOW - 5, [sample])
    found = running_out(world.services.source, NOW)
    assert [(each.what, each.state) for each in found] == [
        ("Certificate of https://a/", "warn"), ("Certificate of https://b/", "ok"),
    ]  # fmt: skip


@given(st.floats(1, 1e15), st.floats(1e-3, 1e9))
def test_used_up_is_when_nothing_is_left(left: float, per_second: float) -> None:
    at = when_used_up(left, -per_second, 0.0)
    assert at is not None
    assert left - per_second * at == pytest.approx(0, abs=left * 1e-9)
    assert when_used_up(left, per_second, 0.0) is None


@pytest.mark.parametrize(
    ("after", "state"),
    [(-5, "crit"), (VERY_SOON, "crit"), (VERY_SOON + 1, "warn"), (SOON + 1, "ok"), (HORIZON, "ok")],
)
def test_how_soon_says_how_bad(after: float, state: str) -> None:
    found = ends("x", "y", NOW + after, NOW)
    assert found
    assert (found.state, found.at >= NOW) == (state, True)
    assert ends("x", "y", NOW + HORIZON + 1, NOW) is None


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [(("/", "/var"), "/var"), (("/", "/var/lib/mysql"), "/var/lib/mysql"), (("/", "/var/lib/my"), "/"), ((), "")],
)
def test_the_longest_mount_holds_the_folder(mounts: tuple[str, ...], expected: str) -> None:
    assert mount_of(mounts, "/var/lib/mysql") == expected
