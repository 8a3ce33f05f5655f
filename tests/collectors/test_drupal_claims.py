"""A queue's item that is claimed again and again is told; what is done falls out."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.drupal import claims, queues
from collectors.drupal.config import Drupal
from collectors.model import Event, State
from collectors.sources import looking
from tests.lab import drupal
from tests.lab.drupal import NOW, Execute


class Site:
    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.execute: Execute = drupal.sqlite(file)
        drupal.fill(self.execute, "sqlite")
        self.execute("DELETE FROM queue", ())
        self.config = Drupal(site="shop.test", driver="sqlite", database=str(file))
        self.cursor: Any = None
        self.state: State = {}
        self.now = float(NOW)
        monkeypatch.setattr(looking, "clock", lambda: self.now)

    def put(self, item: int, queue: str, expire: int = 0) -> None:
        self.execute("INSERT INTO queue VALUES (%s, %s, 'x', %s, 1)", (item, queue, expire))

    def hold(self, item: int, expire: int) -> None:
        self.execute("UPDATE queue SET expire = %s WHERE item_id = %s", (expire, item))

    def look(self) -> list[Event]:
        self.now += looking.LOOK_SECONDS
        payload, self.cursor = json.loads(json.dumps(claims.read(self.config, self.cursor)))
        after, events = claims.step(self.state, payload)
        self.state = json.loads(json.dumps(after))
        return list(events)

    def most(self) -> dict[str, float]:
        return {each.labels[0]: each.value for each in claims.samples(self.state)}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path / "db", monkeypatch)


def test_an_item_that_fails_at_each_run_is_an_event_once(site: Site) -> None:
    site.put(1, "mailer")
    site.put(2, "mailer", NOW + 5)
    site.put(3, "drupal_batch:9:1", NOW + 5)
    told = []
    for run in range(1, 8):
        site.hold(1, NOW + 100 * run)
        told += [site.look()]
        assert site.look() == []  # held still
        site.hold(1, 0)  # freed by cron
        assert site.look() == []
    assert [len(events) for events in told] == [0, 0, 0, 0, 1, 0, 0]
    (event,) = told[4]
    assert (event.kind, event.site, dict(event.evidence[0])) == (
        "drupal.queue_item", "shop.test", {"queue": "mailer", "item": "1"},
    )  # fmt: skip
    assert site.most() == {"mailer": 7}
    site.execute("DELETE FROM queue WHERE item_id = 1", ())
    site.look()
    assert site.most() == {"mailer": 1}


def test_only_so_many_items_are_followed(site: Site) -> None:
    for item in range(claims.MOST_ITEMS + 50):
        site.put(item, f"q{item % 40}", NOW + 5)
    site.look()
    site.look()
    assert len(site.state) == claims.MOST_ITEMS
    assert len(site.most()) == queues.MOST
