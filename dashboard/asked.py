"""Between a request and a page: which span is asked for, and the answer as HTML or as JSON from the same dataclass."""

from dataclasses import replace
from typing import Any

import orjson
from flask import Response, current_app, render_template, request

from dashboard import appearance, moments, prose, svg, units, words
from dashboard.api import wants_json
from dashboard.moments import Zone
from dashboard.remembered import Memory
from dashboard.services import Services, services
from dashboard.shell import View
from dashboard.timerange import DEFAULT, RangeError, parse, usual
from history.model import QueryError, Vector

TICKS = "max(count_over_time(up[3h]))"
COLUMNS = 240
FEWEST, MOST = 60, 1200
WORDS = {
    "svg": svg, "words": words, "text": units.text, "ago": moments.ago, "span": moments.span, "iso": moments.iso,
    "markdown": prose.html,
}  # fmt: skip
"""What the templates say things with."""


def remembering() -> Services:
    """The application's, whose history answers the same question once a tick."""
    base = services()
    memory: Memory = current_app.extensions.setdefault("raingauge.memory", Memory())
    return replace(base, source=memory.of(base.source, base.clock()))


def view(*kept: str) -> View:
    """`from`, `to`, and `width`: pixels of a chart, of which two are a column. `kept`: parameters of the page's own."""
    now = services().clock()
    zone = appearance.zone(request.cookies, now)
    width = request.args.get("width", "")
    columns = min(MOST, max(FEWEST, int(width) // 2)) if width.isdecimal() and len(width) < 6 else COLUMNS
    from_ = request.args.get("from", "").strip() or usual(_measured(now))
    own = tuple((name, request.args[name]) for name in kept if request.args.get(name))
    try:
        return View(now, zone, parse(from_, request.args.get("to", ""), now, zone), columns, kept=own)
    except RangeError as error:
        return View(now, zone, parse(*DEFAULT, now, zone), columns, str(error), own)


def _measured(now: float) -> float:
    """Seconds with samples among the last three hours."""
    try:
        found = remembering().source.query(TICKS, now)
    except QueryError:
        return 0.0
    ticks = found.points[0].value if isinstance(found, Vector) and found.points else 0.0
    return ticks * services().interval


def answer(template: str, page: Any) -> Response:
    """400 when the span was wrong: the page says so and shows the usual one."""
    status = 400 if page.shell.problem else 200
    if wants_json():
        return Response(orjson.dumps(page), status, mimetype="application/json")
    zone = Zone(page.shell.zone_offset, page.shell.zone_name)
    html = render_template(template, page=page, zone=zone, **WORDS)
    return Response(html, status, mimetype="text/html")
