"""Errors by message: since when, how often, after which deploy."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from collectors.model import UP, Event, Sample, Target
from collectors.phpfpm import php_errors
from collectors.weblog.uses import USES
from dashboard.new_errors import new_errors
from history.database import open_database
from history.embedded import Embedded
from history.store import Store

NOW = 1_700_000_000.0
DAY = 86400
WEB = Target("web", "web", "web")


def event(kind: str, ago: float, title: str, key: str = "", *, site: str = "shop", **more: Any) -> Event:
    at = NOW - ago
    count = more.get("count", 1)
    return Event(f"{kind}{ago}{title}", kind, "info", "web", site, at, at, count, title, dedup_key=key)


def pool(name: str) -> Target:
    return Target("phpfpm", f"web:/run/php/{name}.sock", "web")


def of_php(text: str, times: int, first: float, last: float) -> Iterable[Sample]:
    """`first`, `last`: seconds ago."""
    for family, value in (
        (php_errors.TIMES, times), (php_errors.FIRST, NOW - first), (php_errors.LAST, NOW - last),
    ):  # fmt: skip
        yield family(value, "fatal", text)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(open_database(tmp_path))


def lines(store: Store, *events: Event) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(line.name, line.note, line.cells) for line in new_errors(events, Embedded(store), "shop", NOW).lines]


def test_a_message_is_one_line_whatever_is_filled_in_with_the_deploy_before_its_first(store: Store) -> None:
    assert lines(
        store,
        event("drupal.error", 60, "php: node 18 broken", "shop:a", count=3),
        event("drupal.error", 7200, "php: node 17 broken", "shop:a"),
        event("deploy", 3600, "Release 8"),
        event("drupal.deploy", 7500, "composer.lock changed"),
        event("deploy", 7300, "of another site", site="news"),
        event("drupal.error", 9000, "php: node 17 broken", "shop:b"),
        event("drupal.error", 30, "php: of another site", "news:a", site="news"),
    ) == [
        ("php: node 18 broken", "", ("4", "2 h ago", "1 min ago", "5 min earlier")),
        ("php: node 17 broken", "", ("1", "2 h 30 min ago", "2 h 30 min ago", "none is known")),
    ]


def test_a_message_of_phps_log_that_came_again_lately_and_none_of_another_sites_pool(store: Store) -> None:
    store.append(pool("shop"), NOW, [*of_php("no memory", 7, 9 * DAY, 120), *of_php("old", 2, 9 * DAY, 8 * DAY), UP(1)])
    store.append(pool("news"), NOW, [*of_php("no memory", 9, 9 * DAY, 60), *of_php("theirs", 1, 60, 60), UP(1)])
    store.append(WEB, NOW, [USES(1, "shop", "phpfpm", pool("shop").instance), UP(1)])
    assert lines(store, event("deploy", 10 * DAY, "Release 8")) == [
        ("PHP fatal: no memory", "in the log of its PHP pool", ("7", "9 d ago", "2 min ago", "1 d earlier"))
    ]


def test_where_the_pool_is_not_known_phps_errors_are_of_any_site_and_a_shared_log_counts_once(store: Store) -> None:
    for name in ("shop", "news"):
        store.append(pool(name), NOW, [*of_php("no memory", 7, 3600, 120), UP(1)])
    assert lines(store) == [
        ("PHP fatal: no memory", "any site of this host", ("7", "1 h ago", "2 min ago", "none is known"))
    ]


def test_nothing_told_is_said(store: Store) -> None:
    assert "No error" in new_errors([event("deploy", 5, "Release")], Embedded(store), "shop", NOW).missing
