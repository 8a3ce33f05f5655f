"""Storms of cache tags: what is far more than a site's usual is told, once."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.drupal import cachetags
from collectors.drupal.config import Drupal
from collectors.model import Event, State
from collectors.sources import looking
from tests.lab import drupal
from tests.lab.drupal import NOW


class Tags:
    def __init__(self) -> None:
        self.state: State = {}
        self.now = float(NOW)
        self.counts: dict[str, int] = {}

    def look(self, seconds: float = cachetags.LOOK_SECONDS, **more: int) -> list[Event]:
        """So many more of each group than at the look before."""
        self.now += seconds
        self.counts |= {group: self.counts.get(group, 0) + count for group, count in more.items()}
        rows: list[Any] = [[group, 1, count] for group, count in self.counts.items()]
        after, events = cachetags.step(self.state, {"now": self.now, "site": "shop", "groups": rows})
        self.state = json.loads(json.dumps(after))
        return list(events)


@pytest.fixture
def usual() -> Tags:
    """Of whom it is known that 100 in five minutes are usual."""
    tags = Tags()
    assert [tags.look(node=100, config=0) for _ in range(cachetags.LEARNED + 1)] == [[]] * (cachetags.LEARNED + 1)
    return tags


def test_a_storm_is_told_once_with_what_it_was(usual: Tags) -> None:
    (event,) = usual.look(node=200, node_list=2800)
    assert (event.kind, event.severity, event.site, event.state) == ("drupal.tag_storm", "info", "shop", "closed")
    assert (event.first, event.last) == (usual.now - 300, usual.now)
    title = "Cache tags were invalidated 3,000 times in 5 min, where 100 are usual: most of them node_list"
    assert event.title == title
    assert event.evidence == (
        {"group": "node_list", "invalidations": "2800"}, {"group": "node", "invalidations": "200"},
    )  # fmt: skip
    assert usual.look(node_list=3000) == []
    assert usual.look(node_list=1500) == []  # lower, and still far over what is usual
    assert usual.look(node_list=4000) == []
    assert usual.look(node=100) == []
    (again,) = usual.look(node=9000)
    assert again.id != event.id


@pytest.mark.parametrize("more", [0, 500, 999])
def test_what_is_less_than_ten_times_is_none(usual: Tags, more: int) -> None:
    assert usual.look(node=more) == []


def test_a_quiet_site_has_no_storm_of_a_few() -> None:
    tags = Tags()
    for _ in range(cachetags.LEARNED + 1):
        tags.look(node=0)
    assert tags.look(node=600) == []
    (event,) = tags.look(node=700)
    assert event.title == "Cache tags were invalidated 700 times in 5 min, where 46 are usual: most of them node"


def test_before_it_is_known_what_is_usual_nothing_is_told() -> None:
    tags = Tags()
    assert [tags.look(node=10_000) for _ in range(cachetags.LEARNED)] == [[]] * cachetags.LEARNED


def test_a_table_that_a_rebuild_emptied_and_a_long_pause_are_no_storm(usual: Tags) -> None:
    usual.counts = {"node": 5}
    assert usual.look(node=0) == []
    assert usual.look(node=90) == []
    assert usual.look(cachetags.TOO_LONG, node=10**6) == []
    usual.counts = {"config": 10**7}
    assert usual.look() == []
    (event,) = usual.look(config=5000)
    assert event.evidence == ({"group": "config", "invalidations": "5000"},)


def test_the_table_is_read_each_five_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    now = float(NOW)
    monkeypatch.setattr(looking, "clock", lambda: now)
    config = Drupal(site="shop.test", driver="sqlite", database=str(tmp_path / "db"))
    payload, cursor = cachetags.read(config, None)
    state, _ = cachetags.step({}, payload)
    told = {(each.family.name, each.labels): each.value for each in cachetags.samples(state)}
    assert told["drupal_cachetags", ()] == 4
    assert told["drupal_cachetag_invalidations_total", ("node_list",)] == 7
    now += 299
    assert cachetags.read(config, cursor)[0] is None
    now += 1
    assert cachetags.read(config, cursor)[0] is not None
