"""axe over every page: dark, light and on a phone; WCAG 2.2 A and AA and best practice."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from alerts.message.links import signed
from tests.dashboard import situations
from tests.dashboard.browsing import DESKTOP, PHONE, Window, served, window
from tests.dashboard.oddities import everything_odd
from tests.dashboard.world import NOW, World

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
    "/incidents",
    "/incidents/1",
    "/targets",
    "/drupal",
    "/slowest?by=mean",
    "/slo",
    "/security",
    "/checks",
    "/boards",
    "/boards/launch",
    "/explore",
    "/explore?q=up",
    "/explore?q=rate(",
    "/settings",
    "/settings/configuration",
    "/settings/users",
    "/settings/tokens",
    "/settings/audit",
)


ONLY_ODD = ("/incidents/1", "/boards/launch")
"""Where nothing is in the other worlds."""


def paths(world: str) -> list[str]:
    return [path for path in PATHS if world == "odd" or path not in ONLY_ODD]


def odd(folder: Path) -> World:
    """With everything on the pages that can be there."""
    world = everything_odd(situations.full(folder))
    situations.explain(world)
    return world


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    made = {
        each.__name__: each(tmp_path_factory.mktemp("world")) for each in (odd, situations.starting, situations.stale)
    }
    with ExitStack() as stack:
        yield {name: (world, stack.enter_context(served(world))) for name, world in made.items()}


EVERYTHING = {"rules": {"target-size": {"enabled": True}}}
"""What axe looks for of itself, and that everything to press has room around it: WCAG 2.2, 2.5.8."""
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""All that another theme can break on a page that was looked at as a whole in the first."""
SETTLED = "() => Page.data !== null && !Charts.running"
WIDTHS = (320, 390, 768, 1024, 1440, 2560)


def check(opened: Window, options: dict[str, Any] = EVERYTHING) -> None:
    found = Axe().run(opened.page, options=options)
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found.response["violations"]] == []


@pytest.mark.parametrize(
    ("world", "look", "other"),
    [("odd", "light", "dark"), ("odd", "dark phone", "light"), ("starting", "light", ""), ("stale", "dark phone", "")],
)
def test_every_page_is_accessible(browser: Browser, worlds: Worlds, world: str, look: str, other: str) -> None:
    """`other`: a theme that the visitor's system changes to while the page is open."""
    with window(browser, *worlds[world], **LOOKS[look]) as opened:
        for path in paths(world):
            opened.open(path)
            opened.wait(SETTLED)
            check(opened)
            if other:
                check_theme(opened, other, LOOKS[look]["color_scheme"])


def check_theme(opened: Window, other: Any, usual: Any) -> None:
    """Contrasts while the system has the other theme; the layout was looked at in the usual one."""
    for scheme in (other, usual):
        opened.page.emulate_media(color_scheme=scheme)
        opened.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        opened.wait(SETTLED)
        if scheme == other:
            check(opened, CONTRAST)


@pytest.mark.parametrize("world", ["odd", "starting"])
def test_no_page_scrolls_sideways_at_any_width(browser: Browser, worlds: Worlds, world: str) -> None:
    with window(browser, *worlds[world], **LOOKS["light"]) as opened:
        for path in paths(world):
            opened.open(path)
            opened.wait(SETTLED)
            for width in WIDTHS:
                opened.page.set_viewport_size({"width": width, "height": 800})
                opened.wait("() => !Charts.running")
                assert opened.width() <= width, (path, width)


@pytest.mark.parametrize("look", ["dark", "light", "phone"])
def test_what_opens_is_accessible(browser: Browser, worlds: Worlds, look: str) -> None:
    with window(browser, *worlds["odd"], **LOOKS[look]) as opened:
        opened.open("/?from=now-1h&to=now")
        opened.wait(SETTLED)
        opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        check(opened)
        opened.page.evaluate("Controls.help()")
        check(opened)
        opened.open("/alerts")
        opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        check(opened)


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_the_page_of_a_messages_link_is_accessible(browser: Browser, worlds: Worlds, look: str) -> None:
    world, base = worlds["odd"]
    path = signed("/incidents/1", NOW + 60, world.services.secret_key)
    with window(browser, world, base, known=False, **LOOKS[look]) as opened:
        opened.open(f"/a/{path}")
        check(opened)
        assert opened.width() <= LOOKS[look]["viewport"]["width"]
        assert opened.page.locator("button.pri").is_visible()


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


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_links_say_where_they_lead_without_what_stands_around_them(browser: Browser, worlds: Worlds, look: str) -> None:
    with window(browser, *worlds["odd"], **LOOKS[look]) as opened:
        opened.open("/")
        opened.wait(SETTLED)
        links = opened.page.get_by_role("main").get_by_role("link")
        places: dict[str, set[str]] = {}
        for link in links.all():
            snapshot = link.aria_snapshot().splitlines()[0]
            places.setdefault(snapshot, set()).add(str(link.get_attribute("href")))
        assert {name: where for name, where in places.items() if len(where) > 1} == {}
        assert links.filter(has_text="shop.example.org, PHP:").count() == 1


SPACED = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }"


def test_wider_text_is_not_cut(browser: Browser, worlds: Worlds) -> None:
    """WCAG 1.4.12."""
    with window(browser, *worlds["odd"], **LOOKS["light"]) as opened:
        opened.open("/")
        opened.wait(SETTLED)
        opened.page.evaluate(
            "text => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text);"
            " document.adoptedStyleSheets = [sheet] }",
            SPACED,
        )
        cut = opened.page.evaluate(
            "[...document.querySelectorAll('.matrix :is(.cell, .u, .v, b, small)')].filter(e =>"
            " e.scrollHeight > e.clientHeight + 2 && e.clientHeight"
            " || e.scrollWidth > e.clientWidth + 2 && e.clientWidth)"
            ".map(e => e.textContent)"
        )
        assert cut == []


def test_forced_colours_leave_lines_apart(browser: Browser, troubled_host: tuple[World, str]) -> None:
    """The colours that the system forces are for text; lines and their keys keep their own."""
    with window(browser, *troubled_host, **LOOKS["dark"], forced_colors="active") as opened:
        opened.open("/")
        opened.page.locator("#chart-cpu").scroll_into_view_if_needed()
        opened.page.locator("#chart-cpu .pl.up").wait_for()
        drawn, keys = opened.page.evaluate(
            "[[...document.querySelector('#chart-cpu .drawn').data].filter(t => t.name).map(t => t.line.color),"
            " [...document.querySelectorAll('#chart-cpu .k')].map(k => getComputedStyle(k).borderTopColor)]"
        )
        assert len(set(drawn)) == len(drawn) > 2
        assert set(keys) == set(drawn)
