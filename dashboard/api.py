"""Prometheus' HTTP API over the history: /api/v1/query, query_range, series, labels, label values, metadata.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson
from flask import Blueprint, Response, request

from dashboard.services import services
from history import answer, numbers
from history.answer import Answer
from history.model import QueryError

LABEL_NAME = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
METHODS = ["GET", "POST"]

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


def send(content: Answer, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")


def refuse(kind: str, text: str, status: int) -> Response:
    """An error in Prometheus' shape, of a kind that its queries do not have."""
    return send({"status": "error", "errorType": kind, "error": text}, status)


def wants_json() -> bool:
    """Whether who asks is a program: of the API, or of a page with `Accept: application/json`."""
    return request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json"


@blueprint.errorhandler(QueryError)
def _failed(error: QueryError) -> Response:
    return send(answer.failure(error), answer.STATUS[error.kind])


@blueprint.route("/query", methods=METHODS)
def query() -> Response:
    now = services().clock()
    at = answer.time("time", request.values.get("time"), now)
    _check_timeout()
    return send(answer.result(services().source.query(_expression(), at)))


@blueprint.route("/query_range", methods=METHODS)
def query_range() -> Response:
    start = answer.required("start", request.values.get("start"))
    end = answer.required("end", request.values.get("end"))
    if end < start:
        raise QueryError("bad_data", 'invalid parameter "end": end timestamp must not be before start time')
    step = answer.step(request.values.get("step"))
    _check_timeout()
    return send(answer.result(services().source.query_range(_expression(), start, end, step)))


@blueprint.route("/series", methods=METHODS)
def series() -> Response:
    matchers = _matchers()
    if not matchers:
        raise QueryError("bad_data", "no match[] parameter provided")
    return _limited(services().source.series(matchers, *_span()))


@blueprint.route("/labels", methods=METHODS)
def labels() -> Response:
    return _limited(services().source.label_names(_matchers(), *_span()))


@blueprint.route("/label/<name>/values")
def label_values(name: str) -> Response:
    if not LABEL_NAME.fullmatch(name):
        raise QueryError("bad_data", f'invalid label name: "{name}"')
    return _limited(services().source.label_values(name, _matchers(), *_span()))


@blueprint.route("/metadata")
def metadata() -> Response:
    found = services().source.metadata(request.values.get("metric") or None)
    limit = _limit()
    if limit is not None:
        found = dict(list(found.items())[: max(0, limit)])
    return send(answer.metadata(found))


def _expression() -> str:
    text = request.values.get("query", "")
    if not text.strip():
        raise QueryError("bad_data", 'invalid parameter "query": parse error: no expression found in input')
    return text


def _check_timeout() -> None:
    """Ours is the server's own limit; a caller's is only checked for sense."""
    if text := request.values.get("timeout"):
        try:
            numbers.duration(text)
        except ValueError as error:
            raise QueryError("bad_data", f'invalid parameter "timeout": {error}') from error


def _matchers() -> Sequence[str]:
    return request.values.getlist("match[]")


def _span() -> tuple[float, float]:
    """Everything that is kept, if no times are given."""
    start = answer.time("start", request.values.get("start"), 0.0)
    return start, answer.time("end", request.values.get("end"), services().clock())


def _limit() -> int | None:
    text = request.values.get("limit")
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise QueryError("bad_data", "limit must be a number") from error


def _limited(found: list[Any]) -> Response:
    limit = _limit()
    if limit is None or limit <= 0 or len(found) <= limit:  # 0 is none, as in Prometheus
        return send(answer.success(found))
    return send(answer.success(found[:limit], ["results truncated due to limit"]))
