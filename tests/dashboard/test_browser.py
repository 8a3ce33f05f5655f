"""The pages in Chromium: charts come alive, move together, stay honest, and ask nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from dashboard import units
from tests.dashboard import situations
from tests.dashboard.browsing import PHONE, Window, chromium, served, window
from tests.dashboard.test_units import EXAMPLES
from tests.dashboard.world import NOW, World

pytestmark = pytest.mark.servers

PATHS = ("/", "/host", "/alerts", "/targets")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    world = situations.trouble(tmp_path_factory.mktemp("trouble"))
    with served(world) as base:
        yield world, base


@pytest.fixture
def desk(browser: Browser, troubled: tuple[World, str]) -> Iterator[Window]:
    with window(browser, *troubled) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser, troubled: tuple[World, str]) -> Iterator[Window]:
    with window(browser, *troubled, viewport=PHONE, has_touch=True, is_mobile=True) as opened:
        yield opened


def query(desk: Window) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(desk.page.url).query).items()}


def through(desk: Window) -> None:
    """Bring every chart into view once."""
    for figure in desk.page.locator("figure[data-chart]").all():
        figure.scroll_into_view_if_needed()
        desk.wait(f"() => document.getElementById('{figure.get_attribute('id')}').querySelector('.pl.up')")


@pytest.mark.parametrize("path", ["/", "/host"])
def test_every_chart_becomes_plotlys_and_none_can_send_its_data_away(desk: Window, path: str) -> None:
    desk.open(path)
    desk.loaded()
    through(desk)
    drawn = desk.page.evaluate(
        "[...document.querySelectorAll('.drawn')].map(d => ({lines: d.data.filter(t => t.fill !== 'toself').length,"
        " values: d.data.flatMap(t => t.y).filter(y => y !== null).length, share: d._context.showSendToCloud,"
        " server: d._context.plotlyServerURL, logo: d._context.displaylogo, bar: d._context.displayModeBar,"
        " hidden: d.ariaHidden, hover: d.layout.hovermode}))"
    )
    assert len(drawn) == desk.page.locator("figure[data-chart]").count() >= 12
    for chart in drawn:
        assert chart["lines"] >= 1
        assert chart["values"] > 50
        assert (chart["share"], chart["server"], chart["logo"], chart["bar"]) == (False, "", False, False)
        assert (chart["hidden"], chart["hover"]) == ("true", "x")


def test_one_request_gets_the_data_of_all_charts(desk: Window) -> None:
    desk.open("/")
    desk.loaded()
    through(desk)
    assert len([url for url in desk.asked if "width=" in url]) == 1


def test_the_crosshair_stands_in_all_charts_and_headers_read_it_out(desk: Window) -> None:
    desk.open("/")
    desk.loaded()
    box = desk.page.locator("#chart-requests .pl").bounding_box()
    assert box
    desk.page.mouse.move(box["x"] + 50 + (box["width"] - 118) / 4, box["y"] + 80)
    desk.wait("() => document.querySelectorAll('figure[data-near] .cross').length > 1")
    read = desk.page.evaluate(
        "['requests', 'web-connections'].map(id => { const p = Charts.plots.get(id);"
        " const value = p.traces[0].values[Math.round((Charts.at - p.x0) / p.dx)];"
        " return [Charts.figure(id).querySelector('.read b').textContent, Units.text(value, p.unit)] })"
    )
    assert all(shown == expected for shown, expected in read)
    assert desk.page.evaluate("Charts.at") == pytest.approx(NOW - 8100, abs=40)
    lefts = desk.page.evaluate(
        "[...document.querySelectorAll('.cross')].map(c => parseFloat(c.style.left)).slice(0, 2)"
    )
    assert lefts[0] == pytest.approx(lefts[1], abs=1)
    assert desk.page.locator(".when:visible").all_inner_texts() == ["11:58"]
    before = desk.page.locator("#chart-requests .read b").inner_text()
    desk.page.mouse.move(20, 20)
    desk.wait("() => document.querySelectorAll('.cross').length === 0")
    assert desk.page.locator("#chart-requests .read b").inner_text() != before


def test_the_keyboard_moves_the_crosshair(desk: Window) -> None:
    desk.open("/")
    desk.loaded()
    desk.page.locator("#chart-requests .pl").focus()
    desk.page.keyboard.press("ArrowLeft")
    desk.page.keyboard.press("ArrowLeft")
    assert desk.page.evaluate("Charts.at") == pytest.approx(NOW - 360, abs=1)
    desk.page.keyboard.press("Escape")
    assert desk.page.evaluate("Charts.at") is None


def test_dragging_zooms_all_charts_and_back_returns(desk: Window) -> None:
    desk.open("/?from=now-3h&to=now")
    desk.loaded()
    ranges = "[...document.querySelectorAll('.drawn')].map(d => d.layout.xaxis.range[1] - d.layout.xaxis.range[0])"
    assert set(desk.page.evaluate(ranges)) == {10800_000}
    box = desk.page.locator("#chart-requests .pl").bounding_box()
    assert box
    left, room, y = box["x"] + 50, box["width"] - 118, box["y"] + 90
    desk.page.mouse.move(left + room * 0.25, y)
    desk.page.mouse.down()
    desk.page.mouse.move(left + room * 0.4, y, steps=4)
    desk.page.mouse.move(left + room * 0.5, y, steps=4)
    desk.page.mouse.up()
    desk.wait("() => Page.data?.shell.live === false && !Charts.running && Charts.waiting.size === 0")
    zoomed = query(desk)
    assert zoomed["from"].startswith("2026-09-21T11:5")
    assert zoomed["to"].startswith("2026-09-21T12:4")
    (width,) = set(desk.page.evaluate(ranges))
    assert width == pytest.approx(2700_000, abs=60_000)
    assert desk.page.locator("#fresh").inner_text() == "Past"
    desk.page.go_back()
    desk.wait("() => Page.data?.shell.live === true && !Charts.running && Charts.waiting.size === 0")
    assert query(desk) == {"from": "now-3h", "to": "now"}
    assert set(desk.page.evaluate(ranges)) == {10800_000}


def test_a_click_on_a_span_changes_the_address_without_a_new_page(desk: Window) -> None:
    desk.open("/")
    desk.loaded()
    desk.page.evaluate("window.stays = true")
    desk.page.get_by_role("link", name="24 h").click()
    desk.wait("() => Page.data.shell.from_ === 'now-24h'")
    assert desk.page.locator("#range [aria-current]").inner_text() == "24 h"
    assert query(desk)["from"] == "now-24h"
    assert desk.page.evaluate("window.stays")


def test_gaps_stay_gaps(browser: Browser, tmp_path: Path) -> None:
    world = situations.gap(tmp_path)
    with served(world) as base, window(browser, world, base) as desk:
        desk.open("/")
        desk.loaded()
        charts: list[dict[str, Any]] = desk.page.evaluate(
            "[...document.querySelectorAll('figure[data-chart] .drawn')].map(d => ({"
            " gap: Charts.plots.get(d.closest('figure').dataset.chart).gaps,"
            " lines: d.data.filter(t => t.fill !== 'toself')"
            " .map(t => ({connect: t.connectgaps, x0: t.x0, dx: t.dx, y: t.y}))}))"
        )
        assert len(charts) >= 4
        for chart in charts:
            (gap,) = chart["gap"]
            assert gap["end"] - gap["start"] == pytest.approx(1080, abs=20)
            offset = desk.page.evaluate("Page.data.shell.zone_offset")
            for line in chart["lines"]:
                times = [(line["x0"] + at * line["dx"]) / 1000 - offset for at in range(len(line["y"]))]
                edge = line["dx"] / 1000
                within = [y for t, y in zip(times, line["y"], strict=True) if gap["start"] <= t < gap["end"] - edge]
                assert line["connect"] is False
                assert len(within) >= 10
                assert set(within) == {None}
        svg = desk.page.evaluate("document.querySelector('#chart-requests .plot path.s1').getAttribute('d')")
        assert svg.count("M") == 2
        assert "No samples 12:50 to 13:08." in (desk.page.locator("#chart-requests > .sr").text_content() or "")


@pytest.mark.parametrize("path", PATHS)
def test_a_phone_scrolls_only_down_and_loads_no_library(phone: Window, path: str) -> None:
    phone.open(path)
    phone.wait("() => Page.data !== null")
    assert phone.width() == 390
    assert not any("plotly" in url for url in phone.asked)
    small = phone.page.evaluate(
        "[...document.querySelectorAll('main button, main summary, .tabs a, .seg a, .btn')].filter(e =>"
        " e.checkVisibility() && e.getBoundingClientRect().height < 32).map(e => e.outerHTML)"
    )
    assert small == []


def test_a_tap_on_a_phone_brings_that_chart_to_life(phone: Window) -> None:
    phone.open("/")
    phone.wait("() => Page.data !== null")
    phone.page.locator("#chart-requests .pl").tap()
    phone.wait("() => document.querySelector('#chart-requests .pl.up')")
    assert phone.page.locator(".pl.up").count() == 1
    assert phone.width() == 390


def test_without_javascript_the_page_is_whole(browser: Browser, troubled: tuple[World, str]) -> None:
    with window(browser, *troubled, java_script_enabled=False) as plain:
        plain.open("/")
        assert plain.page.locator("#lead").inner_text().startswith("All workers of PHP-FPM pool shop")
        assert plain.page.locator("figure .plot .area path.s").count() > 20
        assert plain.page.locator(".plot .area").first.bounding_box()
        assert plain.page.locator("#chart-cpu .plot .end:visible").all_inner_texts() != []
        plain.page.get_by_role("link", name="1 h", exact=True).click()
        assert query(plain) == {"from": "now-1h", "to": "now"}
        plain.page.locator("#chart-cpu summary").click()
        assert plain.page.locator("#chart-cpu tbody tr").count() == 9
        assert plain.page.locator(".copy:visible, [data-act]:visible").count() == 0


def test_the_theme_is_chosen_once_and_kept(desk: Window) -> None:
    desk.page.emulate_media(color_scheme="dark")
    desk.open("/")
    desk.loaded()
    line = "document.querySelector('#chart-requests .drawn').data.at(-1).line.color"
    dark = desk.page.evaluate(line)
    desk.page.get_by_role("button", name="Switch between dark and light").click()
    desk.wait(f"() => {line} !== '{dark}'")
    answer = desk.page.goto(desk.page.url)
    assert answer
    assert '<html lang="en" data-theme="light">' in answer.text()
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
    desk.page.get_by_label("Single keys do something").uncheck()
    desk.page.get_by_role("button", name="Close").click()
    desk.page.keyboard.press("[")
    desk.page.keyboard.press("?")
    assert desk.page.locator("dialog[open]").count() == 1
    desk.page.get_by_label("Single keys do something").check()
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
        desk.wait("() => document.querySelector('#chart-requests .drawn').data.at(-1).y.at(-1) !== null")
        assert desk.page.evaluate("Page.data.shell.end") == before + 3
        assert desk.page.locator("#chart-cpu details").get_attribute("open") == ""
        more(5, alerts=situations.alerts())
        desk.wait("() => document.querySelector('#lead').textContent.includes('All workers of PHP-FPM pool shop')")
        assert desk.page.title() == "2 need you · Overview · web-01"
        assert desk.page.locator("#nav .n").inner_text().startswith("2")


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
        desk.page.get_by_text("Nothing has been measured for 1 min").wait_for()
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
        desk.page.get_by_text("No answer from Raingauge.").wait_for()
        assert desk.page.locator("#chart-requests .pl.up").is_visible()
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
    assert desk.page.locator("#chart-requests .plot").is_visible()
    assert not desk.page.locator("#chart-requests .drawn").is_visible()
    assert not desk.page.locator(".rail").is_visible()


def test_the_browser_writes_numbers_as_the_server_does(desk: Window) -> None:
    desk.open("/")
    desk.loaded()
    values = [(value, unit) for value, unit, _ in EXAMPLES]
    values += [(1.37**power, unit) for power in range(-40, 90, 3) for unit in units.SCALES]
    shown = desk.page.evaluate("values => values.map(([value, unit]) => Units.text(value, unit))", values)
    assert shown == [units.text(value, unit) for value, unit in values]
    tops = [(units.axis_top(abs(value), unit), unit) for value, unit in values]
    axes = desk.page.evaluate("tops => tops.map(([top, unit]) => Units.axis(0.5, top, unit))", tops)
    assert axes == [units.axis_text(0.5, top, unit) for top, unit in tops]
