"""What keys do that lead somewhere: rows, decisions, and places by their name."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.dashboard.browsing import DESKTOP, PHONE, Window, window
from tests.dashboard.world import World

pytestmark = pytest.mark.servers

FOCUS = "(document.activeElement.closest('article, tr, li') ?? document.activeElement).textContent.trim()"

COVERED = (
    "() => { const e = document.activeElement, bar = e.closest('.top, .tabs, .rail'), { left, top, right, bottom } ="
    " e.getBoundingClientRect(); return !bar && [top + 1, bottom - 1].some((y) =>"
    " y >= 0 && y < innerHeight && document.elementFromPoint((left + right) / 2, y)?.closest('.top, .tabs'))"
    " ? e.outerHTML : '' }"
)
"""What has the focus, if a bar that stays in place lies over a part of it."""


def opened(desk: Window, path: str) -> None:
    desk.open(path)
    desk.wait("() => Page.data !== null && !Charts.running")


def test_rows_are_walked_and_opened(desk: Window) -> None:
    opened(desk, "/targets")
    seen = []
    for key in "jjjk":
        desk.page.keyboard.press(key)
        seen.append(desk.page.evaluate(FOCUS))
    assert len(set(seen[:3])) == 3
    assert seen[3] == seen[1]
    opened(desk, "/")
    desk.page.keyboard.press("j")
    wanted = desk.page.evaluate("document.activeElement.getAttribute('href')")
    with desk.page.expect_navigation():
        desk.page.keyboard.press("Enter")
    assert wanted.startswith(urlsplit(desk.page.url).path)


def test_decisions_are_reached_and_not_taken(desk: Window) -> None:
    opened(desk, "/alerts")
    if desk.page.locator("form.doing").count():
        desk.page.keyboard.press("a")
        assert desk.page.evaluate("document.activeElement.name") == "comment"
        assert desk.page.evaluate("document.activeElement.value") == ""
    assert urlsplit(desk.page.url).path == "/alerts"


@pytest.mark.parametrize(
    ("typed", "path"), [("Trends", "/trends"), ("targ", "/targets"), ("node_load1", "/explore?q=node_load1")]
)
def test_places_are_known_by_name(desk: Window, typed: str, path: str) -> None:
    opened(desk, "/alerts")
    desk.page.keyboard.press("/")
    assert desk.page.evaluate("document.activeElement.id") == "goto-name"
    desk.page.keyboard.type(typed)
    with desk.page.expect_navigation():
        desk.page.keyboard.press("Enter")
    assert desk.page.url.endswith(path)


@pytest.mark.parametrize(("viewport", "key"), [(PHONE, "Tab"), (DESKTOP, "Shift+Tab")])
def test_no_bar_covers_what_has_the_focus(
    browser: Browser, troubled_host: tuple[World, str], viewport: ViewportSize, key: str
) -> None:
    with window(browser, *troubled_host, viewport=viewport) as desk:
        opened(desk, "/alerts")
        last = desk.page.evaluate("document.querySelectorAll('main :is(a, button, summary)').length")
        for _ in range(last):
            desk.page.keyboard.press(key)
            assert desk.page.evaluate(COVERED) == ""
