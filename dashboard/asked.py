"""Between a request and a page: which span is asked for, and the answer as HTML or as JSON from the same dataclass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

import orjson
from flask import Response, current_app, g, render_template, request

from dashboard import appearance, incident_cards, moments, prose, svg, units, words
from dashboard.api import wants_json
from dashboard.moments import Zone
from dashboard.remembered import Memory, Remembered
from dashboard.services import Services, services
from dashboard.shell import View
from dashboard.timerange import DEFAULT, RangeError, parse, usual
from history.model import QueryError, Vector

Page = TypeVar("Page")
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
    if "remembering" in g:
        return cast("Services", g.remembering)
    base = services()
    memory: Memory = current_app.extensions.setdefault("raingauge.memory", Memory())
    g.remembering = replace(base, source=memory.of(base.source, base.clock()))
    return cast("Services", g.remembering)


Build = Callable[[Services, View], Page]


def once(build: Build[Page], services: Services, asked: View) -> Page:
    """The page as somebody else got it in this tick, if nothing has changed of what it is made of."""
    memory = services.source
    if not isinstance(memory, Remembered):
        return build(services, asked)
    shown = asked.shown
    question = (build, asked.zone, shown.from_, shown.to, asked.columns, asked.problem, asked.kept)
    watched, alerting = services.watched, services.alerting
    happened = services.events.events(asked.tick(services.interval) - 86400, asked.now)
    said = services.desk.silences(asked.now) if services.desk else ()
    opened = incident_cards.read(services.desk, open_only=True)
    made_of = [
        asked.tick(services.interval),
        *map(tuple, (alerting.alerts(), watched.targets(), watched.findings(), happened, said, opened)),
    ]
    with memory.turn(question):  # after a tick all ask at once, and one answer does for all of them
        if question in memory.pages and memory.pages[question][0] == made_of:
            return cast("Page", memory.pages[question][1])
        page = build(services, asked)
        memory.pages[question] = made_of, page
        return page


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
