"""Where nothing is measured, that nothing is told of is no good news."""

from pathlib import Path

import pytest

from tests.dashboard import situations
from tests.dashboard.world import World


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        ("starting", "The first values are here in a few seconds."),
        ("stale", "Nothing has been measured for 12 min."),
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
