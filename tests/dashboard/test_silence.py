"""While nothing is measured, no page takes that for health, for absence, or for something that was never there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dashboard import situations
from tests.dashboard.world import NOW, World

SINCE = "Nothing has been measured for 12 min."
SOON = "The first values are here in a few seconds."


def stopped(folder: Path) -> World:
    """`full`, and then no sample for twelve minutes."""
    world = situations.full(folder)
    world.now = NOW + 720
    return world


@pytest.mark.parametrize(("make", "why"), [(stopped, SINCE), (situations.starting, SOON)])
@pytest.mark.parametrize(
    ("path", "lies"),
    [
        ("/host", ("Nothing within 90 days", "Not read yet", "read yet")),
        ("/slo", ("No objective yet", "a few lines of the configuration")),
        ("/explore?q=nginx_connections_active", ("labels may be written differently", "No metric of this name")),
    ],
)
def test_pages_say_that_nothing_is_measured(
    tmp_path: Path, make: Callable[[Path], World], why: str, path: str, lies: tuple[str, ...]
) -> None:
    text = make(tmp_path).client().get(path).get_data(as_text=True)
    assert why in text
    assert not [lie for lie in lies if lie in text]


def test_a_site_that_was_read_is_not_waited_for(tmp_path: Path) -> None:
    text = stopped(tmp_path).client().get("/drupal").get_data(as_text=True)
    assert SINCE in text
    assert "A site was found" not in text


def test_of_a_site_nothing_is_said_to_be_absent(tmp_path: Path) -> None:
    text = stopped(tmp_path).client().get("/site/shop.example.org").get_data(as_text=True)
    assert text.count(SINCE) >= 6
    lies = ("tables are not read", "no queue", "No error was logged", "No account", "No cache is in", "Update Manager")
    assert not [lie for lie in lies if lie in text]


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        ("starting", SOON),
        ("stale", SINCE),
    ],
)
def test_what_is_not_measured_is_no_good_news(tmp_path: Path, situation: str, words: str) -> None:
    world: World = getattr(situations, situation)(tmp_path)
    world.alerting.found = []
    client = world.client()
    for path in ("/alerts", "/incidents", "/security"):
        main = client.get(path).get_data(as_text=True).partition("<main")[2].partition('aria-labelledby="rules')[0]
        assert words in main, path
        assert '<svg class="g ok"' not in main, path


@pytest.mark.parametrize("situation", ["calm", "gap"])
def test_where_it_is_measured_it_is(tmp_path: Path, situation: str) -> None:
    client = getattr(situations, situation)(tmp_path).client()
    for path in ("/alerts", "/incidents"):
        assert '<svg class="g ok"' in client.get(path).get_data(as_text=True).partition("<main")[2], path
