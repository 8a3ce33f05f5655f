"""Errors by message: since when, how often, after which deploy."""

from typing import Any

from collectors.model import Event
from dashboard.new_errors import new_errors

NOW = 1_700_000_000.0


def event(kind: str, ago: float, title: str, key: str = "", *, site: str = "shop", **more: Any) -> Event:
    at = NOW - ago
    count = more.get("count", 1)
    return Event(f"{kind}{ago}{title}", kind, "info", "web", site, at, at, count, title, dedup_key=key)


def lines(*events: Event) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(line.name, line.note, line.cells) for line in new_errors(events, "shop", NOW).lines]


def test_a_message_is_one_line_whatever_is_filled_in_with_the_deploy_before_its_first() -> None:
    assert lines(
        event("drupal.error", 60, "php: node 18 broken", "shop:a", count=3),
        event("drupal.error", 7200, "php: node 17 broken", "shop:a"),
        event("deploy", 3600, "Release 8"),
        event("drupal.deploy", 7500, "composer.lock changed"),
        event("deploy", 7300, "of another site", site="news"),
        event("drupal.error", 9000, "php: node 17 broken", "shop:b"),
        event("drupal.error", 30, "php: of another site", "news:a", site="news"),
    ) == [
        ("php: node 18 broken", "", ("4", "2 h ago", "1 min ago", "5 min earlier")),
        ("php: node 17 broken", "", ("1", "2 h 30 min ago", "2 h 30 min ago", "none in 7 days")),
    ]


def test_of_phps_log_it_is_not_known_how_often_nor_of_which_site() -> None:
    told = event("php.error", 60, "New PHP fatal: no memory", "php.error", site="")
    other = event("php.error", 180, "New PHP warning: no key", "php.error", site="")
    assert lines(told, other) == [
        ("New PHP fatal: no memory", "any site of this host", ("–", "1 min ago", "–", "none in 7 days")),
        ("New PHP warning: no key", "any site of this host", ("–", "3 min ago", "–", "none in 7 days")),
    ]


def test_nothing_told_is_said() -> None:
    assert "No error" in new_errors([event("deploy", 5, "Release")], "shop", NOW).missing
