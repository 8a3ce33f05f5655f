"""The pages in Chromium as people use them: new ticks, outages, keys, phones, paper, and no JavaScript at all."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.dashboard import situations
from tests.dashboard.browsing import PHONE, Window, served, window
from tests.dashboard.world import NOW, World

pytestmark = pytest.mark.servers

PATHS = ("/", "/host", "/alerts", "/targets")


def test_a_click_on_a_span_changes_the_address_without_a_new_page(desk: Window) -> None:
    desk.open("/")
    desk.loaded()
    desk.page.evaluate("window.stays = true")
    desk.page.get_by_role("link", name="24 h").click()
    desk.wait("() => Page.data.shell.from_ === 'now-24h'")
    assert desk.page.locator("#range [aria-current]").inner_text() == "24 h"
    assert desk.query["from"] == "now-24h"
    assert desk.page.evaluate("window.stays")


@pytest.mark.parametrize("path", PATHS)
def test_a_phone_scrolls_only_down_and_loads_no_library(phone: Window, path: str) -> None:
    phone.open(path)
    phone.wait("() => Page.data !== null")
    assert phone.width() == 390
    assert not any("plotly" in url for url in phone.asked)
    small = phone.page.evaluate(
        "[...document.querySelectorAll('main button, main summary, .tabs a, .seg a, .btn')].filter(e =>"
        " e.checkVisibility() && (e.getBoundingClientRect().height < 32 || e.getBoundingClientRect().width < 32))"
        ".map(e => e.outerHTML)"
    )
    assert small == []


def test_a_phone_shows_what_is_wrong_and_what_changed_before_the_rest(browser: Browser, tmp_path: Path) -> None:
    world = situations.full(tmp_path)
    with served(world) as base, window(browser, world, base, viewport=PHONE, has_touch=True) as small:
        small.open("/")
        tops = [
            small.page.locator(each).bounding_box() for each in ("#verdict", "#sites", "#inbox", "#changes", "#charts")
        ]
        heights = [box["y"] for box in tops if box]
        assert len(heights) == 5
        assert heights == sorted(heights)
        assert small.page.evaluate("document.documentElement.scrollHeight") < 3500
        small.page.get_by_role("link", name="All charts").tap()
        small.page.locator("figure[data-chart]:visible").nth(10).wait_for()


def test_a_tap_on_a_phone_brings_that_chart_to_life(phone: Window) -> None:
    phone.open("/")
    phone.wait("() => Page.data !== null")
    chart = phone.page.locator("figure[data-chart]:visible").first
    chart.locator(".pl").tap()
    chart.locator(".pl.up").wait_for()
    assert phone.page.locator(".pl.up").count() == 1
    assert phone.width() == 390


def test_without_javascript_the_page_is_whole(browser: Browser, troubled_host: tuple[World, str]) -> None:
    with window(browser, *troubled_host, java_script_enabled=False) as plain:
        plain.open("/")
        assert plain.page.locator("#lead").inner_text().startswith("All workers of PHP-FPM pool shop")
        assert plain.page.locator("figure .plot .area path.s").count() > 10
        assert plain.page.locator(".plot .area").first.bounding_box()
        assert plain.page.locator("#chart-cpu .plot .end:visible").all_inner_texts() != []
        plain.page.get_by_role("link", name="1 h", exact=True).click()
        assert plain.query == {"from": "now-1h", "to": "now"}
        plain.page.locator("#chart-cpu summary").click()
        assert plain.page.locator("#chart-cpu tbody tr").count() == 9
        assert plain.page.locator(".copy:visible, [data-act]:visible").count() == 0


def test_the_theme_is_chosen_once_and_kept(desk: Window) -> None:
    desk.page.emulate_media(color_scheme="dark")
    desk.open("/")
    desk.loaded()
    line = "document.querySelector('#chart-database-queries .drawn').data.at(-1).line.color"
    dark = desk.page.evaluate(line)
    desk.page.get_by_role("button", name="Switch between dark and light").click()
    desk.wait(f"() => {line} !== '{dark}'")
    answer = desk.page.goto(desk.page.url)
    assert answer
    assert '<html lang="en" data-root="" data-theme="light">' in answer.text()
    assert desk.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(244, 246, 248)"


def test_keys_go_places_and_can_be_turned_off(desk: Window) -> None:
    desk.open("/?from=now-1h&to=now")
    desk.loaded()
    desk.page.keyboard.press("[")
    desk.wait("() => Page.data.shell.live === false")
    assert desk.page.evaluate("[Page.data.shell.end, Page.data.shell.end - Page.data.shell.start]") == [
        NOW - 1800,
        3600,
    ]
    desk.page.keyboard.press("+")
    desk.wait("() => Page.data.shell.end - Page.data.shell.start === 1800")
    desk.page.keyboard.press("l")
    desk.wait("() => Page.data.shell.live === true")
    desk.page.keyboard.press("?")
    desk.page.get_by_label("Shortcuts of a single key").uncheck()
    desk.page.get_by_role("button", name="Close").click()
    desk.page.keyboard.press("[")
    desk.page.keyboard.press("?")
    assert desk.page.locator("dialog[open]").count() == 1
    desk.page.get_by_label("Shortcuts of a single key").check()
    desk.page.get_by_role("button", name="Close").click()
    desk.page.keyboard.press("g")
    with desk.page.expect_navigation():
        desk.page.keyboard.press("a")
    assert urlsplit(desk.page.url).path == "/alerts"


def test_the_copied_link_means_the_same_tomorrow(desk: Window) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.open("/?from=now-1h&to=now")
    desk.loaded()
    desk.page.get_by_role("button", name="Copy link").click()
    desk.wait("() => document.querySelector('[data-act=link].done')")
    assert desk.page.get_by_role("status").first.inner_text() == "Copied"
    link = desk.page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("/?from=2026-09-21T13%3A13%3A20Z&to=2026-09-21T14%3A13%3A20Z")


def test_a_new_tick_arrives_by_itself_and_what_is_open_stays_open(browser: Browser, tmp_path: Path) -> None:
    world, more = situations.short(tmp_path)
    with served(world) as base, window(browser, world, base) as desk:
        desk.open("/?from=now-2m&to=now")
        desk.loaded()
        desk.page.locator("#chart-cpu summary").click()
        before = desk.page.evaluate("Page.data.shell.last_sample")
        more(3)
        desk.wait(f"() => Page.data.shell.last_sample === {before + 3}")
        desk.wait("() => document.querySelector('#chart-database-queries .drawn').data.at(-1).y.at(-1) !== null")
        assert desk.page.evaluate("Page.data.shell.end") == before + 3
        assert desk.page.locator("#chart-cpu details").get_attribute("open") == ""
        more(5, alerts=situations.alerts())
        desk.wait("() => document.querySelector('#lead').textContent.includes('All workers of PHP-FPM pool shop')")
        assert desk.page.title() == "2 need you · Overview · web-01"
        assert desk.page.locator("#nav .n").inner_text().startswith("2")


def test_who_listens_is_told_once_of_what_is_new_and_not_of_each_tick(browser: Browser, tmp_path: Path) -> None:
    world, more = situations.short(tmp_path)
    with served(world) as base, window(browser, world, base) as desk:
        desk.open("/?from=now-2m&to=now")
        desk.loaded()
        desk.page.evaluate(
            "window.told = [];"
            " for (const each of document.querySelectorAll('[role=status]:not([aria-live=off]), [role=alert]'))"
            " new MutationObserver(() => told.push(each.textContent)).observe(each, { childList: true, subtree: true })"
        )
        more(3)
        desk.wait(f"() => Page.data.shell.last_sample === {world.now}")
        more(3, alerts=situations.alerts())
        desk.wait("() => document.querySelector('#lead').textContent.includes('All workers of PHP-FPM pool shop')")
        more(3, alerts=situations.alerts())
        desk.wait(f"() => Page.data.shell.last_sample === {world.now}")
        for minutes in (1, 2):
            world.now += 60
            desk.page.get_by_text(f"Last sample {minutes} min ago, retrying").wait_for()
        title = "2 need you · Overview · web-01"
        assert desk.page.evaluate("told") == [title, f"{title}, no new samples"]


def test_a_group_of_rules_that_was_opened_stays_open(browser: Browser, tmp_path: Path) -> None:
    world, more = situations.short(tmp_path)
    with served(world) as base, window(browser, world, base) as desk:
        desk.open("/alerts")
        desk.wait("() => Page.data !== null")
        desk.page.locator("#rules summary").first.click()
        desk.page.evaluate("document.activeElement.blur()")  # what has the focus is left alone
        before = desk.page.locator("#rules li").first.inner_text()
        more(3)
        desk.wait(f"() => document.querySelector('#rules li').innerText !== {before!r}")
        assert desk.page.locator("#rules details[open]").count() == 1


def test_an_agent_that_stops_is_seen_and_so_is_its_return(browser: Browser, tmp_path: Path) -> None:
    world, more = situations.short(tmp_path)
    with served(world) as base, window(browser, world, base) as desk:
        desk.open("/?from=now-2m&to=now")
        desk.loaded()
        world.now += 60
        desk.page.get_by_text("Nothing has been measured for 1 min").first.wait_for()
        assert "Last sample 1 min ago, retrying" in desk.page.locator("#late").inner_text()
        more(2)
        desk.page.get_by_text("Everything that is watched is healthy").wait_for()
        assert desk.page.locator("#late").inner_text() == ""


def test_a_dashboard_that_does_not_answer_is_said_and_tried_again(browser: Browser, tmp_path: Path) -> None:
    world, more = situations.short(tmp_path)
    with served(world) as base, window(browser, world, base) as desk:
        desk.open("/?from=now-2m&to=now")
        desk.loaded()
        desk.page.route("**/*", lambda route: route.abort())
        desk.page.locator("#late", has_text="No answer from Raingauge.").wait_for()
        assert desk.page.locator("#chart-database-queries .pl.up").is_visible()
        desk.page.unroute_all()
        more(2)
        desk.wait("() => document.getElementById('late').textContent === ''")
        assert all("net::ERR_FAILED" in said for said in desk.said)
        desk.said.clear()


def test_the_first_charts_come_without_a_reload(browser: Browser, tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    with served(world) as base, window(browser, world, base) as desk:
        desk.open("/")
        desk.page.get_by_text("Starting: this host is being read for the first time").wait_for()
        situations.began(world)
        desk.page.get_by_text("Everything that is watched is healthy").wait_for()
        desk.wait("() => document.querySelectorAll('.pl.up').length > 3")


def test_paper_is_light_and_shows_the_servers_pictures(desk: Window) -> None:
    desk.page.emulate_media(color_scheme="dark")
    desk.open("/")
    desk.loaded()
    desk.page.emulate_media(media="print", color_scheme="dark")
    assert desk.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert desk.page.locator("#chart-database-queries .plot").is_visible()
    assert not desk.page.locator("#chart-database-queries .drawn").is_visible()
    assert not desk.page.locator(".rail").is_visible()


@pytest.mark.parametrize("answer", ["broken", "none"])
def test_a_request_that_fails_is_said_with_its_number_and_tried_again_at_a_press(
    browser: Browser, troubled_host: tuple[World, str], answer: str
) -> None:
    with window(browser, *troubled_host) as desk:
        desk.open("/")
        desk.loaded()
        body = '{"status": "error", "errorType": "internal", "error": "Something is broken in Raingauge. (ab12)"}'
        if answer == "broken":
            desk.page.route("**/*", lambda route: route.fulfill(status=500, body=body))
        else:
            desk.page.route("**/*", lambda route: None)
            desk.page.evaluate("Page.PATIENCE = 600")
        desk.page.evaluate("void Page.refresh()")
        desk.page.get_by_role("button", name="Retry").wait_for()
        said = desk.page.locator("#late").inner_text()
        assert ("ab12" in said) if answer == "broken" else said.startswith("No answer from Raingauge.")
        assert not desk.page.locator("#wait").is_visible()
        assert desk.page.locator("#chart-database-queries .pl.up").is_visible()
        desk.page.unroute_all(behavior="ignoreErrors")
        desk.page.get_by_role("button", name="Retry").click()
        desk.wait("() => document.getElementById('late').textContent === ''")
        desk.said.clear()  # the browser notes the status 500
