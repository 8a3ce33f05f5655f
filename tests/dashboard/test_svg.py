"""Pictures without a browser: well-formed, without inline style; gaps, limits, marks and names where they belong."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import pytest
from markupsafe import Markup

from dashboard import svg
from dashboard.marks import Mark, Span
from dashboard.plots import Gap, Level, Plot, Trace

START, END = 1000.0, 1100.0


def trace(name: str, *values: float | None, tone: int = 1) -> Trace:
    there = [value for value in values if value is not None]
    return Trace(name, tone, False, values, values[-1], min(there), max(there))


def picture(*traces: Trace, kind: str = "lines", top: float = 100, **more: object) -> Plot:
    columns = len(traces[0].values) if traces else 11
    plot = Plot(
        "x", "X", "", "count", kind, "nginx", "", START, (END - START) / (columns - 1), columns, START, END, top,
        traces, (), (), 0, "",
    )  # fmt: skip
    return replace(plot, **more)  # type: ignore[arg-type]


def draw(plot: Plot, *marks: Mark, spans: tuple[Span, ...] = ()) -> ET.Element:
    drawn = svg.plot(plot, marks, spans, [(1050.0, "12:00")])
    assert isinstance(drawn, Markup)
    assert "style" not in drawn
    return ET.fromstring(drawn)


def paths(root: ET.Element, name: str) -> list[str]:
    return [path.get("d", "") for path in root.iter("path") if name in (path.get("class") or "").split()]


def points(d: str) -> list[tuple[float, float]]:
    """Of moves, relative lines and vertical lines: what svg.py writes."""
    found: list[tuple[float, float]] = []
    for letter, text in re.findall(r"([MlhVZ])([^MlhVZ]*)", d):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", text)]
        for x, y in zip(numbers[::2], numbers[1::2], strict=False):
            before = found[-1] if letter == "l" else (0, 0)
            found.append((before[0] + x, before[1] + y))
    return found


def test_a_line_goes_through_its_values() -> None:
    (d,) = paths(draw(picture(trace("a", 0, 50, 100, 25))), "s1")
    assert points(d) == [(0, 300), (1, 150), (2, 0), (3, 225)]


def test_a_gap_ends_the_line_and_a_lonely_value_is_a_dot() -> None:
    (d,) = paths(draw(picture(trace("a", 10, 10, None, 90, None, 20, 20))), "s1")
    assert d == "M0 270l1 0M3 30h.01M5 240l1 0"


def test_areas_are_closed_at_the_floor_on_both_sides_of_a_gap() -> None:
    (d,) = paths(draw(picture(trace("a", 10, 20, None, 30, 30), kind="area")), "f1")
    assert d == "M0 300V270l1 -30V300ZM3 300V210l1 0V300Z"


def test_a_stack_adds_up_and_the_lower_part_covers_the_upper() -> None:
    root = draw(picture(trace("a", 10, 20), trace("b", 30, 30, tone=2), kind="stack"))
    assert points(paths(root, "s1")[0]) == [(0, 270), (1, 240)]
    assert points(paths(root, "s2")[0]) == [(0, 180), (1, 150)]
    names = [path.get("class") for path in root.iter("path") if "b" in (path.get("class") or "").split()]
    assert names == ["b f2", "b f1"]


def test_nothing_is_drawn_above_the_top() -> None:
    (d,) = paths(draw(picture(trace("a", 50, 300), top=100)), "s1")
    assert points(d) == [(0, 150), (1, 0)]


def test_gaps_limits_spans_and_marks_lie_at_their_times() -> None:
    plot = picture(trace("a", *[5.0] * 11), gaps=(Gap(1020, 1060, "no samples 12:00 to 12:40"),),
                   levels=(Level("limit", 40, True), Level("far", 90, False)))  # fmt: skip
    spans = (Span(1090, 1200, "crit", "A", "nginx", ":80"), Span(1000, 1010, "warn", "B", "redis", ""))
    root = draw(plot, Mark(1050, "info", "restart"), spans=spans)
    rects = {rect.get("class"): (rect.get("x"), rect.get("width")) for rect in root.iter("rect")}
    assert rects == {"gap": ("20.00%", "40.00%"), "span is-crit": ("90.00%", "10.00%")}
    texts = [text.text for text in root.iter("text")]
    assert "no samples" in texts
    assert "limit 40" in texts
    assert not any("far" in (text or "") for text in texts)
    assert [mark.get("x") for mark in root.iter("svg") if "mark" in (mark.get("class") or "")] == ["50.00%"]


@pytest.mark.parametrize(("end", "words"), [(1080, "no samples since 12:00"), (1040, "no samples"), (1020, None)])
def test_a_gap_says_as_much_as_it_has_room_for(end: float, words: str | None) -> None:
    plot = picture(trace("a", *[5.0] * 11), gaps=(Gap(1000, end, "no samples since 12:00"),))
    said = [text.text for text in draw(plot).iter("text") if text.get("class") == "gapw"]
    assert said == ([words] if words else [])


def test_an_alert_is_seen_on_the_charts_of_its_own_target() -> None:
    spans = (Span(1000, 1010, "crit", "A", "nginx", ":80"), Span(1020, 1030, "warn", "B", "nginx", ""))
    for instance, seen in ((":80", 2), (":81", 1), ("", 2)):
        root = draw(picture(trace("a", *[5.0] * 11), instance=instance), spans=spans)
        assert len([rect for rect in root.iter("rect") if "span" in (rect.get("class") or "")]) == seen


def test_names_at_the_lines_ends_do_not_touch() -> None:
    traces = [trace(f"n{tone}", 1.0, 1.0 + tone / 10, tone=tone) for tone in range(1, 6)]
    root = draw(picture(*traces))
    heights = sorted(float(text.get("y", "0")) for text in root.iter("text") if "end" in (text.get("class") or ""))
    assert len(heights) == 5
    assert all(after - before >= svg.LABEL_GAP for before, after in pairwise(heights))
    assert heights[-1] <= svg.HEIGHT + 4


def test_names_are_escaped_and_cut_between_words() -> None:
    root = draw(picture(trace("<script>&", 1, 2), trace("a very long name", 1, 3, tone=2)))
    assert ends(root) == {"<script>&", "a very"}


def test_of_an_address_the_end_of_a_line_shows_the_first_word() -> None:
    names = ("www.example.org", "shop.example.org", "web-01:/run/php/shop.sock", "/run/mysqld/mysqld.sock")
    root = draw(picture(*(trace(name, 1, 2 + at, tone=at + 1) for at, name in enumerate(names))))
    assert ends(root) == {"example", "shop", "web-01", "/run/mys…"}


def ends(root: ET.Element) -> set[str | None]:
    return {text.text for text in root.iter("text") if "end" in (text.get("class") or "")}


def test_empty_axes_have_times_and_no_numbers() -> None:
    assert [text.text for text in draw(picture()).iter("text")] == ["12:00"]


@pytest.mark.parametrize("values", [(), (1.0,), (None, None), (None, 3.0, None)])
def test_a_line_of_less_than_two_values_is_no_sparkline(values: tuple[float | None, ...]) -> None:
    assert svg.sparkline(values, "ok") == ""


def test_a_sparkline_begins_at_zero_and_keeps_its_gaps() -> None:
    drawn = ET.fromstring(svg.sparkline((0.0, 10.0, None, 5.0, 5.0), "crit"))
    assert drawn.get("class") == "sp is-crit"
    assert drawn[1].get("d") == "M0 38l1 -34M3 21l1 0"


@pytest.mark.parametrize(("share", "width"), [(0.25, "25.0%"), (-1, "0.0%"), (7, "100.0%")])
def test_a_bar_stays_in_its_box(share: float, width: str) -> None:
    assert ET.fromstring(svg.bar(share, "warn"))[1].get("width") == width
