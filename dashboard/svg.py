"""Charts, sparklines and bars as inline SVG: what is seen first, what is printed, what is seen without JavaScript.

A plot has a fixed height and any width: positions across are percentages, or lie in an inner picture that is stretched.
Looks come from classes of raingauge.css; there is no style attribute, which the pages' policy forbids.
"""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup, escape

from dashboard import units
from dashboard.check_rows import Phase
from dashboard.marks import Mark, Span
from dashboard.plots import Plot, Trace
from dashboard.thinning import Floats

LEFT, RIGHT, TOP, HEIGHT, BOTTOM = 50, 68, 14, 150, 22
"""Pixels around and of the plot area. Known to raingauge.css and charts.js."""
FINE = 2
"""Units of the stretched picture to a pixel of height."""
PAD = 4  # units above and below, so that a line at the edge is not cut in half
_FRAME = '<svg class="frame" focusable="false">'
LABEL_GAP = 13  # pixels between two labels at lines' ends
LABEL_LENGTH = 9
WIDE, NARROW = 74, 36  # percent of the width from which a gap has room for its words, or for two of them


def plot(shown: Plot, marks: Sequence[Mark], spans: Sequence[Span], ticks: Iterable[tuple[float, str]]) -> Markup:
    parts = [
        _value_axis(shown) if shown.traces else "",
        _FRAME,
        *(_gap(shown, gap.start, gap.end) for gap in shown.gaps),
        *(_span(shown, span) for span in spans if span.concerns(shown.job, shown.instance)),
        "</svg>",
        _lines(shown),
        _FRAME,
        *_levels(shown),
        *(_mark(shown, mark) for mark in marks),
        *_gap_words(shown),
        _time_axis(shown, ticks),
        *_end_labels(shown),
        "</svg>",
    ]
    return Markup(f'<div class="plot" aria-hidden="true">{"".join(parts)}</div>')  # noqa: S704 # names were escaped


def sparkline(values: Sequence[float | None], state: str) -> Markup:
    """One line over the width of its box, its area filled."""
    there = [value for value in values if value is not None]
    if len(there) < 2:
        return Markup("")
    lowest, highest = min(0.0, *there), max(there)
    room = (highest - lowest) or 1.0
    heights = np.array([math.nan if v is None else 38 - 34 * (v - lowest) / room for v in values])
    line, area = _path(heights, 40)
    return Markup(  # noqa: S704 # numbers only
        f'<svg class="sp is-{escape(state)}" viewBox="0 0 {len(values) - 1} 40" preserveAspectRatio="none"'
        f' aria-hidden="true"><path class="fill" d="{area}"/><path d="{line}"/></svg>'
    )


def bar(share: float, state: str) -> Markup:
    percent = f"{100 * min(1.0, max(0.0, share)):.1f}%"
    return Markup(  # noqa: S704 # numbers only
        f'<svg class="bar is-{escape(state)}" aria-hidden="true"><rect class="rest" width="100%" height="5" rx="2.5"/>'
        f'<rect class="part" width="{percent}" height="5" rx="2.5"/></svg>'
    )


def _x(shown: Plot, t: float) -> float:
    """Percent of the plot area's width."""
    return 100 * (t - shown.start) / (shown.end - shown.start)


def _y(shown: Plot, value: float) -> float:
    """Pixels below the plot area's top."""
    return HEIGHT * (1 - min(value, shown.top) / shown.top)


def _value_axis(shown: Plot) -> str:
    labels = "".join(
        f'<text x="{LEFT - 8}" y="{TOP + HEIGHT * (1 - share) + 4:g}" text-anchor="end">{words}</text>'
        for share, words in ((0, "0"), *((share, units.axis_text(share, shown.top, shown.unit)) for share in (0.5, 1)))
    )
    return f'<svg class="scale" focusable="false">{labels}</svg>'


def _lines(shown: Plot) -> str:
    first, width = (shown.start - shown.x0) / shown.dx, (shown.end - shown.start) / shown.dx
    full = HEIGHT * FINE
    grid = "".join(
        f'<path class="{name}" d="M{first:g} {y}h{width:g}"/>'
        for name, y in (("gl", 0), ("gl", full // 2), ("ax", full))
    )
    body = (_stacked(shown) if shown.kind == "stack" else _plain(shown)) + _before(shown)
    return (
        f'<svg class="area" viewBox="{first:g} {-PAD} {width:g} {full + 2 * PAD}" preserveAspectRatio="none"'
        f' focusable="false">{grid}{body}</svg>'
    )


def _before(shown: Plot) -> str:
    if shown.before is None:
        return ""
    line, _ = _path(_heights(shown, _numbers(shown.before)), HEIGHT * FINE)
    return f'<path class="s s0 dot" d="{line}"/>'


def _plain(shown: Plot) -> str:
    """The first line is drawn last, over the others."""
    parts = []
    for at, trace in reversed(list(enumerate(shown.traces))):
        line, area = _path(_heights(shown, _numbers(trace)), HEIGHT * FINE)
        if shown.kind == "area" and at == 0:
            parts.append(f'<path class="f f{trace.tone}" d="{area}"/>')
        parts.append(f'<path class="s s{trace.tone}{" dot" if trace.dotted else ""}" d="{line}"/>')
    return "".join(parts)


def _stacked(shown: Plot) -> str:
    """From the highest sum down, so that each lower one covers its part."""
    parts = []
    below = np.zeros(shown.columns)
    for trace in shown.traces:
        values = _numbers(trace)
        total = np.where(np.isnan(values), below, below + values)
        heights = _heights(shown, np.where(np.isnan(values) & (below == 0), np.nan, total))
        line, _ = _path(heights, HEIGHT * FINE)
        area = _band(heights, _heights(shown, below))
        parts.append(f'<path class="b f{trace.tone}" d="{area}"/><path class="s s{trace.tone}" d="{line}"/>')
        below = total
    return "".join(reversed(parts))


def _numbers(trace: Trace) -> Floats:
    return np.array(trace.values, dtype=np.float64)  # None becomes NaN


def _heights(shown: Plot, values: Floats) -> Floats:
    heights: Floats = np.rint(HEIGHT * FINE * (1 - np.minimum(values, shown.top) / shown.top))
    return heights


def _runs(heights: Floats) -> Iterable[tuple[int, list[int]]]:
    """Index and heights of each stretch without a gap."""
    there = np.isfinite(heights)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    for first, after in edges.reshape(-1, 2).tolist():
        yield first, heights[first:after].astype(int).tolist()


def _path(heights: Floats, floor: int) -> tuple[str, str]:
    """The line and the area below it. A sample alone between two gaps is a dot."""
    line, area = [], []
    for first, run in _runs(heights):
        steps = _steps(run)
        line.append(f"M{first} {run[0]}{steps or 'h.01'}")
        area.append(f"M{first} {floor}V{run[0]}{steps}V{floor}Z")
    return "".join(line), "".join(area)


def _steps(run: Sequence[int]) -> str:
    """One column further each, by how much higher or lower."""
    return "l" + " ".join(f"1 {after - before}" for before, after in pairwise(run)) if len(run) > 1 else ""


def _band(upper: Floats, lower: Floats) -> str:
    parts = []
    for first, run in _runs(upper):
        back = lower[first : first + len(run)].astype(int).tolist()[::-1]
        steps = " ".join(f"-1 {after - before}" for before, after in pairwise(back))
        parts.append(f"M{first} {run[0]}{_steps(run)}V{back[0]}{'l' + steps if steps else ''}Z")
    return "".join(parts)


def _levels(shown: Plot) -> Iterable[str]:
    for level in shown.levels:
        if level.drawn:
            y = _y(shown, level.value)
            words = escape(f"{level.name} {units.text(level.value, shown.unit)}")
            yield f'<line class="lim" x2="100%" y1="{y:g}" y2="{y:g}"/>'
            yield f'<text class="lim" x="5" y="{y - 5:.1f}">{words}</text>'


def _gap(shown: Plot, start: float, end: float) -> str:
    x = _x(shown, start)
    return f'<rect class="gap" x="{x:.2f}%" width="{_x(shown, end) - x:.2f}%" height="{HEIGHT}"/>'


def _gap_words(shown: Plot) -> Iterable[str]:
    for gap in shown.gaps:
        x, after = _x(shown, gap.start), _x(shown, gap.end)
        words = gap.words if after - x > WIDE else "no samples" if after - x > NARROW else ""
        if words:
            middle = f'x="{(x + after) / 2:.2f}%" y="{HEIGHT / 2 + 4:g}"'
            yield f'<text class="gapw" {middle} text-anchor="middle">{words}</text>'


def _span(shown: Plot, span: Span) -> str:
    x = max(0.0, _x(shown, span.start))
    width = min(100.0, _x(shown, span.end)) - x
    where = f'x="{x:.2f}%" width="{max(0.0, width):.2f}%" height="{HEIGHT}"'
    return f'<rect class="span is-{span.state}" {where}><title>{escape(span.title)}</title></rect>'


def _mark(shown: Plot, mark: Mark) -> str:
    return (
        f'<svg class="mark is-{mark.state}" x="{_x(shown, mark.t):.2f}%" overflow="visible">'
        f'<title>{escape(mark.title)}</title><path d="M0 0V{HEIGHT}"/><path class="tip" d="M-4-8h8L0-1Z"/></svg>'
    )


def _time_axis(shown: Plot, ticks: Iterable[tuple[float, str]]) -> str:
    return "".join(
        f'<text x="{_x(shown, t):.2f}%" y="{HEIGHT + 17}" text-anchor="middle">{words}</text>' for t, words in ticks
    )


def _end_labels(shown: Plot) -> Iterable[str]:
    """Each line's name where it ends, moved apart where they would touch."""
    if len(shown.traces) < 2:
        return
    places: list[tuple[float, Trace]] = []
    below = 0.0
    for trace in shown.traces:
        if trace.last is None:
            continue
        below = below + trace.last if shown.kind == "stack" else trace.last
        places.append((_y(shown, below) + 4, trace))
    places.sort(key=lambda place: place[0])
    heights = _apart([y for y, _ in places], HEIGHT + 4.0)
    for y, (_, trace) in zip(heights, places, strict=True):
        yield f'<text class="end t{trace.tone}" x="100%" dx="8" y="{y:.1f}">{escape(_short(trace.name))}</text>'


def _short(name: str) -> str:
    """What has room at a line's end; of an address the first word, of a phrase the first words. As figure.js."""
    if len(name) <= LABEL_LENGTH:
        return name
    if words := name[: LABEL_LENGTH + 1].rpartition(" ")[0]:
        return words
    first = re.split("[.:/]", name.removeprefix("www."))[0]
    return first if 0 < len(first) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…"


def _apart(heights: Sequence[float], lowest: float) -> list[float]:
    """Ascending heights pushed down until LABEL_GAP apart, then up from the floor."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + LABEL_GAP) if moved else height)
    floor = lowest
    for at in range(len(moved) - 1, -1, -1):
        moved[at] = min(moved[at], floor)
        floor = moved[at] - LABEL_GAP
    return moved


def phases(found: Sequence[Phase]) -> Markup:
    """One small stacked bar: how the time of a check was spent."""
    total, at, parts = sum(phase.seconds for phase in found) or 1.0, 0.0, []
    for tone, phase in enumerate(found, 1):
        share = 100 * max(0.0, phase.seconds) / total
        title = f"<title>{escape(phase.name)} {escape(phase.text)}</title>"
        parts.append(f'<rect class="p{tone}" x="{at:.2f}%" width="{share:.2f}%" height="8">{title}</rect>')
        at += share
    return Markup(f'<svg class="phases" aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S704 # names were escaped


def days(shares: Sequence[float | None]) -> Markup:
    """A bar for each bucket: full height where something failed, lower where all was good, a dot without results."""
    width, parts = 100 / max(1, len(shares)), []
    for at, share in enumerate(shares):
        state = "none" if share is None else "ok" if share >= 1 else "crit" if share < 0.5 else "warn"
        height = {"none": 3, "ok": 14, "warn": 22, "crit": 22}[state]
        where = f'x="{at * width:.2f}%" y="{22 - height}" width="{width * 0.7:.2f}%" height="{height}"'
        parts.append(f'<rect class="is-{state}" {where}/>')
    return Markup(f'<svg class="days" aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S704 # numbers only
