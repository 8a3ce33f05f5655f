"""axe over every page: dark, light and on a phone; WCAG 2.2 A and AA and best practice."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.dashboard import situations
from tests.dashboard.browsing import DESKTOP, PHONE, Window, served, window
from tests.dashboard.test_pages import everything_odd
from tests.dashboard.world import World

pytestmark = pytest.mark.servers

LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark", "viewport": DESKTOP},
    "light": {"color_scheme": "light", "viewport": DESKTOP},
    "tablet": {"color_scheme": "dark", "viewport": {"width": 1024, "height": 768}},
    "phone": {"color_scheme": "light", "viewport": PHONE},
    "dark phone": {"color_scheme": "dark", "viewport": PHONE},
}
Worlds = dict[str, tuple[World, str]]
PATHS = (
    "/",
    "/trends",
    "/host",
    "/alerts",
    "/targets",
    "/drupal",
    "/slowest?by=mean",
    "/slo",
    "/security",
    "/explore",
    "/explore?q=up",
    "/explore?q=rate(",
    "/settings",
    "/settings/configuration",
    "/settings/users",
    "/settings/tokens",
    "/settings/audit",
)


def odd(folder: Path) -> World:
    """With everything on the pages that can be there."""
    return everything_odd(situations.full(folder))


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = {
        each.__name__: each(tmp_path_factory.mktemp("world")) for each in (odd, situations.starting, situations.stale)
    }
    with ExitStack() as stack:
        yield {name: (world, stack.enter_context(served(world))) for name, world in made.items()}


def check(opened: Window) -> None:
    found = Axe().run(opened.page)
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found.response["violations"]] == []


@pytest.mark.parametrize(
    ("world", "look"),
    [
        *(("odd", look) for look in LOOKS),
        ("starting", "light"),
        ("starting", "phone"),
        ("stale", "dark"),
        ("stale", "phone"),
    ],
)
def test_every_page_is_accessible(browser: Browser, worlds: Worlds, world: str, look: str) -> None:
    with window(browser, *worlds[world], **LOOKS[look]) as opened:
        for path in PATHS:
            opened.open(path)
            opened.wait("() => Page.data !== null && !Charts.running")
            check(opened)
            assert opened.width() <= LOOKS[look]["viewport"]["width"], path


@pytest.mark.parametrize("look", ["dark", "light", "phone"])
def test_what_opens_is_accessible(browser: Browser, worlds: Worlds, look: str) -> None:
    with window(browser, *worlds["odd"], **LOOKS[look]) as opened:
        opened.open("/?from=now-1h&to=now")
        opened.wait("() => Page.data !== null && !Charts.running")
        opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        check(opened)
        opened.page.evaluate("Controls.help()")
        check(opened)
        opened.open("/alerts")
        opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        check(opened)


@pytest.mark.parametrize("look", ["dark", "light", "phone"])
@pytest.mark.parametrize("password", ["", "correct horse"])
def test_login_and_errors_are_accessible(browser: Browser, tmp_path: Path, look: str, password: str) -> None:
    world = World(tmp_path, password=password)
    with served(world) as base, window(browser, world, base, known=False, **LOOKS[look]) as opened:
        opened.open("/login?key=wrong")
        check(opened)
        assert opened.width() <= LOOKS[look]["viewport"]["width"]
        opened.said.clear()  # the browser notes the status 403
    with served(world) as base, window(browser, world, base, **LOOKS[look]) as opened:
        opened.open("/nothing-here")
        check(opened)
        opened.said.clear()
