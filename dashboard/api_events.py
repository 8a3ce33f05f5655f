"""POST /api/v1/events: an event from CI, as `raingauge event add` has it; for a token of the scope write."""

import uuid

import orjson
from flask import Blueprint, Response, request

from dashboard.api import refuse, send
from dashboard.services import services
from history import answer
from history.declared import declared
from history.events import Events

FIELDS = ("kind", "title", "site", "severity")

blueprint = Blueprint("api_events", __name__, url_prefix="/api/v1")


@blueprint.post("/events")
def add() -> Response:
    try:
        asked = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        return refuse("bad_data", 'expected JSON such as {"kind": "deploy", "title": "Release 7"}', 400)
    if wrong := [name for name, value in asked.items() if name not in FIELDS or not isinstance(value, str)]:
        return refuse("bad_data", f"{wrong[0]}: expected only texts, {', '.join(FIELDS)}", 400)
    known = services()
    if known.desk is None:
        return refuse("unavailable", "there is no database to write to", 503)
    texts = {"kind": "", "title": "", **asked}
    try:
        event = declared(str(uuid.uuid4()), **texts, host=known.host, at=known.clock(), source="api")
    except ValueError as error:
        return refuse("bad_data", str(error), 400)
    Events(known.desk.engine).record(event)
    return send(answer.success({"id": event.id}))
