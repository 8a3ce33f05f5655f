"""Charts in Chromium: they come alive, move together, stay honest, and ask nobody else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from dashboard import units
from tests.dashboard import situations
from tests.dashboard.browsing import Window, served, window
from tests.dashboard.test_units import EXAMPLES
from tests.dashboard.world import NOW, World

pytestmark = pytest.mark.servers


def through(desk: Window) -> None:
    """Bring every chart into view once."""
    for figure in desk.page.locator("figure[data-chart]").all():
        figure.scroll_into_view_if_needed()
        desk.wait(f"() => document.getElementById('{figure.get_attribute('id')}').querySelector('.pl.up')")


@pytest.mark.parametrize("path", ["/", "/host", "/trends"])
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
    assert len(drawn) == desk.page.locator("figure[data-chart]").count() >= 6
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
    box = desk.page.locator("#chart-database-queries .pl").bounding_box()
    assert box
    desk.page.mouse.move(box["x"] + 50 + (box["width"] - 118) / 4, box["y"] + 80)
    desk.wait("() => document.querySelectorAll('figure[data-near] .cross').length > 1")
    read = desk.page.evaluate(
        "['php-workers', 'database-queries'].map(id => { const p = Charts.plots.get(id);"
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
    before = desk.page.locator("#chart-database-queries .read b").first.inner_text()
    desk.page.mouse.move(20, 20)
    desk.wait("() => document.querySelectorAll('.cross').length === 0")
    assert desk.page.locator("#chart-database-queries .read b").first.inner_text() != before


def test_the_keyboard_moves_the_crosshair(desk: Window) -> None:
    desk.open("/")
    desk.loaded()
    desk.page.locator("#chart-database-queries .pl").focus()
    desk.page.keyboard.press("ArrowLeft")
    desk.page.keyboard.press("ArrowLeft")
    assert desk.page.evaluate("Charts.at") == pytest.approx(NOW - 360, abs=1)
    desk.page.keyboard.press("Escape")
    assert desk.page.evaluate("Charts.at") is None


def test_a_click_keeps_the_crosshair_in_the_address(desk: Window) -> None:
    desk.open("/trends")
    desk.loaded()
    box = desk.page.locator("#chart-requests .pl").bounding_box()
    assert box
    place = (box["x"] + 50 + (box["width"] - 118) / 4, box["y"] + 80)
    desk.page.mouse.move(*place)
    desk.page.mouse.click(*place)
    desk.wait("() => new URLSearchParams(location.search).has('t')")
    assert float(desk.query["t"]) == pytest.approx(NOW - 8100, abs=40)
    desk.page.mouse.move(20, 20)
    desk.page.reload()
    desk.loaded()
    desk.wait("() => document.querySelectorAll('figure[data-near] .cross').length > 1")
    assert "11:58" in desk.page.locator(".when:visible").all_inner_texts()
    assert desk.page.evaluate("Charts.at") == float(desk.query["t"])
    desk.page.mouse.move(*place)
    desk.page.mouse.click(*place)
    desk.wait("() => !new URLSearchParams(location.search).has('t')")
    desk.page.mouse.move(20, 20)
    desk.wait("() => document.querySelectorAll('.cross').length === 0")


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/New_York"])
def abroad(browser: Browser, troubled_host: tuple[World, str], request: pytest.FixtureRequest) -> Iterator[Window]:
    """A desk in a zone that may not be the host's."""
    with window(browser, *troubled_host, timezone_id=request.param) as opened:
        yield opened


def test_dragging_zooms_all_charts_and_back_returns(abroad: Window) -> None:
    desk = abroad
    desk.open("/?from=now-3h&to=now")
    desk.loaded()
    ranges = "[...document.querySelectorAll('.drawn')].map(d => d.layout.xaxis.range[1] - d.layout.xaxis.range[0])"
    assert set(desk.page.evaluate(ranges)) == {10800}
    box = desk.page.locator("#chart-database-queries .pl").bounding_box()
    assert box
    left, room, y = box["x"] + 50, box["width"] - 118, box["y"] + 90
    desk.page.mouse.move(left + room * 0.25, y)
    desk.page.mouse.down()
    desk.page.mouse.move(left + room * 0.4, y, steps=4)
    desk.page.mouse.move(left + room * 0.5, y, steps=4)
    desk.page.mouse.up()
    desk.wait("() => Page.data?.shell.live === false && !Charts.running && Charts.waiting.size === 0")
    zoomed = desk.query
    assert zoomed["from"].startswith("2026-09-21T11:5")
    assert zoomed["to"].startswith("2026-09-21T12:4")
    (width,) = set(desk.page.evaluate(ranges))
    assert width == pytest.approx(2700, abs=60)
    assert desk.page.locator("#fresh").inner_text() == "Past"
    desk.page.go_back()
    desk.wait("() => Page.data?.shell.live === true && !Charts.running && Charts.waiting.size === 0")
    assert desk.query == {"from": "now-3h", "to": "now"}
    assert set(desk.page.evaluate(ranges)) == {10800}


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
            for line in chart["lines"]:
                times = [line["x0"] + at * line["dx"] for at in range(len(line["y"]))]
                end = gap["end"] - line["dx"]
                within = [y for t, y in zip(times, line["y"], strict=True) if gap["start"] <= t < end]
                assert line["connect"] is False
                assert len(within) >= 10
                assert set(within) == {None}
        svg = desk.page.evaluate("document.querySelector('#chart-requests .plot path.s1').getAttribute('d')")
        assert svg.count("M") == 2
        assert "No samples 12:50 to 13:08." in (desk.page.locator("#chart-requests > .sr").text_content() or "")


@pytest.mark.parametrize("width", [1440, 1100, 800, 390])
@pytest.mark.parametrize("situation", [situations.crowded, situations.starting])
def test_lists_beside_the_charts_do_not_stretch_them(
    browser: Browser, tmp_path: Path, situation: Callable[[Path], World], width: int
) -> None:
    world = situation(tmp_path)
    with served(world) as base, window(browser, world, base, viewport={"width": width, "height": 900}) as desk:
        desk.open("/")
        heights = desk.page.evaluate("Charts.figures().map(figure => figure.offsetHeight)")
        assert len(heights) >= 4
        assert max(heights) < 340
        assert desk.width() == width


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
