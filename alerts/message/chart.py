"""The picture of a message: one series, its threshold, and what happened, as SVG and as PNG.

It holds its own colours, on white: mail programs know neither our style sheet nor the reader's theme.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from alerts.message import units, words

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 70, 16, 34, 30
MOST_MARKS = 8
MARGIN = 0.08
"""Room above and below the line, of its height."""
FONTS = "DejaVu Sans, Liberation Sans, Noto Sans, Arial, Helvetica, sans-serif"
"""The first that the host has; without any of them the picture has no words, and the message beside it has them."""
LINE, LIMIT, MARK, ALERT, GRID, TEXT = "#1f5fa8", "#b3261e", "#8a5300", "#b3261e", "#d8d8d8", "#1c1c1c"

Scale = Callable[[float], float]
"""A time or a value -> pixels."""


@dataclass(frozen=True)
class Chart:
    title: str
    unit: units.Unit
    times: tuple[float, ...]
    """Unix seconds, ascending, at about equal steps; a gap is a step that is missing."""
    values: tuple[float, ...]
    start: float
    end: float
    limit: float | None = None
    limit_name: str = ""
    marks: tuple[tuple[float, str], ...] = ()
    """Changes: Unix seconds and what happened."""
    began: float | None = None
    """Since when the alert is true, Unix seconds."""


def png(chart: Chart) -> bytes:
    """Twice as fine as the SVG says, for fine screens."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg(chart), zoom=2))


def svg(chart: Chart) -> str:
    """Pure, and the same for the same chart."""
    low, high = _span(chart)

    def x(t: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (t - chart.start) / (chart.end - chart.start)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 20, words.cut(chart.title, 75), weight="bold"),
        *_value_axis(chart, low, high, y),
        *_time_axis(chart, x),
        *_began(chart, x),
        *_lines(chart, x, y),
        *_limit(chart, y),
        *_marks(chart, x),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
    return f"{head}\n" + "\n".join(parts) + "\n</svg>\n"


def _span(chart: Chart) -> tuple[float, float]:
    known = [value for value in chart.values if math.isfinite(value)] or [0.0]
    both = [*known, *([] if chart.limit is None else [chart.limit])]
    low, high = min(both), max(both)
    low = 0.0 if 0 <= low < high / 2 else low
    room = MARGIN * (high - low) or abs(high) or 1.0
    return (low if low == 0 else low - room), high + room


def _value_axis(chart: Chart, low: float, high: float, y: Scale) -> Iterable[str]:
    for share in (0.0, 0.5, 1.0):
        value = low + share * (high - low)
        at = y(value)
        yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
        yield _text(LEFT - 6, at + 4, units.text(value, chart.unit).replace(units.GAP, " "), anchor="end")


def _time_axis(chart: Chart, x: Scale) -> Iterable[str]:
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        t = chart.start + share * (chart.end - chart.start)
        yield _text(x(t), HEIGHT - 10, words.moment(t)[11:], anchor=anchor)


def _began(chart: Chart, x: Scale) -> Iterable[str]:
    if chart.began is not None and chart.began < chart.end:
        left = x(max(chart.began, chart.start))
        width, height = WIDTH - RIGHT - left, HEIGHT - TOP - BOTTOM
        yield f'<rect x="{left:.1f}" y="{TOP}" width="{width:.1f}" height="{height}" fill="{ALERT}" opacity="0.1"/>'


def _lines(chart: Chart, x: Scale, y: Scale) -> Iterable[str]:
    """A gap stays a gap."""
    step = min((b - a for a, b in pairwise(chart.times)), default=0.0)
    path: list[str] = []
    before = -math.inf
    for t, value in zip(chart.times, chart.values, strict=True):
        if math.isfinite(value):
            path.append(f"{'L' if t - before <= 1.5 * step else 'M'}{x(t):.1f} {y(value):.1f}")
            before = t
    if path:
        yield f'<path d="{"".join(path)}" fill="none" stroke="{LINE}" stroke-width="2" stroke-linejoin="round"/>'


def _limit(chart: Chart, y: Scale) -> Iterable[str]:
    if chart.limit is not None:
        at = y(chart.limit)
        yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{LIMIT}" stroke-dasharray="5 4"/>'
        name = f"{chart.limit_name} {units.text(chart.limit, chart.unit).replace(units.GAP, ' ')}".strip()
        yield _text(WIDTH - RIGHT, at - 5, name, anchor="end", colour=LIMIT)


def _marks(chart: Chart, x: Scale) -> Iterable[str]:
    within = [one for one in chart.marks if chart.start <= one[0] <= chart.end]
    for number, (t, title) in enumerate(within[:MOST_MARKS]):
        at = x(t)
        yield f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{MARK}" stroke-dasharray="2 3"/>'
        yield f'<path d="M{at - 4:.1f} {TOP}h8l-4 6z" fill="{MARK}"/>'
        left = at < WIDTH / 2
        label = words.cut(title, 40)
        yield _text(
            at + (7 if left else -7), TOP + 9 + 14 * number, label, anchor="start" if left else "end", colour=MARK
        )


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", colour: str = TEXT) -> str:
    style = f'font-family="{FONTS}" font-size="12" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}"'
    plain = "".join(each for each in text if each.isprintable())
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(plain)}</text>'
