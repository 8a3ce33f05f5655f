"""Errors by message: since when, how often, after which deploy."""

from typing import Any

from collectors.model import Event
from dashboard.new_errors import new_errors

NOW = 1_700_000_000.0


def event(kind: str, ago: float, title: str, site: str = "shop", **more: Any) -> Event:
    at = NOW - ago
    return Event(f"{kind}{ago}{title}", kind, "info", "web", site, at, at, more.get("count", 1), title)


def test_the_same_message_is_one_line_with_the_deploy_before_its_first() -> None:
    found = new_errors(
        [
            event("drupal.error", 60, "php: broken", count=3),
            event("drupal.error", 7200, "php: broken"),
            event("deploy", 3600, "Release 8"),
            event("drupal.deploy", 7500, "composer.lock changed"),
            event("deploy", 7300, "of another site", site="news"),
            event("drupal.error", 9000, "php: older", site=""),
            event("drupal.error", 30, "php: of another site", site="news"),
        ],
        "shop",
        NOW,
    )
    assert [(line.name, line.cells) for line in found.lines] == [
        ("php: broken", ("4", "2 h ago", "1 min ago", "5 min earlier")),
        ("php: older", ("1", "2 h 30 min ago", "2 h 30 min ago", "–")),
    ]
    assert found.missing == ""


def test_nothing_told_is_said() -> None:
    assert "No error" in new_errors([event("deploy", 5, "Release")], "shop", NOW).missing
