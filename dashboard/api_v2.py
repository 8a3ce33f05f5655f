"""Alertmanager's HTTP API under /api/v2/: alerts, groups, silences, receivers and status, for amtool and others.

Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from typing import Any

import orjson
from flask import Blueprint, Response, abort, request

from alerts import received
from alerts import silences as kept
from alerts.desk import Desk
from alerts.matchers import Matchers, parse_all
from alerts.path.written import configuration
from dashboard import api_v2_shapes as shapes
from dashboard.api_rules import boolean
from dashboard.api_v2_shapes import Asked
from dashboard.caller import note
from dashboard.services import services
from history import answer
from history.model import QueryError
from history.regex import compile_regex

LEVEL = "0.25.0"
"""The Alertmanager whose API this is."""

blueprint = Blueprint("api_v2", __name__, url_prefix="/api/v2")


def send(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")


@blueprint.errorhandler(ValueError)
@blueprint.errorhandler(QueryError)
def _bad(error: Exception) -> Response:
    return send(str(error), 400)


@blueprint.errorhandler(kept.UnknownSilence)
def _unknown(error: kept.UnknownSilence) -> Response:
    return send(f"silence {error} not found", 404)


@blueprint.get("/status")
def status() -> Response:
    unknown = dict.fromkeys(("branch", "buildUser", "buildDate", "goVersion"), "")
    desk = _desk()
    return send(
        {
            "cluster": {"name": "", "peers": [], "status": "disabled"},
            "config": {"original": configuration(desk.plan(), desk.receivers)},
            "uptime": answer.moment(services().started),
            "versionInfo": {"version": LEVEL, "revision": f"raingauge-{services().version}", **unknown},
        }
    )


@blueprint.get("/receivers")
def receivers() -> Response:
    return send([{"name": name} for name in _desk().receivers])


@blueprint.get("/alerts")
def alerts() -> Response:
    return send(shapes.alerts(_desk().flow(), _asked(), services().external_url))


@blueprint.get("/alerts/groups")
def groups() -> Response:
    return send(shapes.groups(_desk().flow(), _asked(), services().external_url))


@blueprint.post("/alerts")
def post_alerts() -> Response:
    """The good ones are taken, even where others are refused."""
    body = _json()
    if not isinstance(body, list):
        raise ValueError("expected a JSON array of alerts")
    good, problems = [], []
    for one in body:
        try:
            good.append(shapes.posted_alert(one))
        except ValueError as error:
            problems.append(str(error))
    received.receive(_desk().engine, good, services().clock())
    return send("; ".join(problems), 400) if problems else send(None)


@blueprint.get("/silences")
def silences() -> Response:
    return send(shapes.silences(_desk().silences(), _matchers(), services().clock()))


@blueprint.post("/silences")
def post_silence() -> Response:
    now = services().clock()
    key = kept.post(_desk().engine, shapes.posted_silence(_json(), now), now)
    note(f"silence {key} by the API")
    return send({"silenceID": key})


@blueprint.get("/silence/<silence_id>")
def silence(silence_id: str) -> Response:
    return send(shapes.silence(kept.get(_desk().engine, silence_id), services().clock()))


@blueprint.delete("/silence/<silence_id>")
def expire_silence(silence_id: str) -> Response:
    kept.expire(_desk().engine, silence_id, services().clock())
    note(f"ended the silence {silence_id} by the API")
    return send(None)


def _desk() -> Desk:
    return services().desk or abort(503)


def _json() -> Any:
    try:
        return orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise ValueError(f"expected JSON: {error}") from error


def _matchers() -> Matchers:
    return parse_all(request.args.getlist("filter"))


def _asked() -> Asked:
    active, silenced, inhibited = (
        boolean(name, request.args.get(name, "true")) for name in ("active", "silenced", "inhibited")
    )
    text = request.args.get("receiver", "")
    fits = compile_regex(text).fullmatch if text else lambda _name: True
    return Asked(active, silenced, inhibited, _matchers(), lambda name: fits(name) is not None)
