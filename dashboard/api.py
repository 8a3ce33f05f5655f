"""Prometheus' HTTP API under /api/v1/: over the history, the rules and what is collected.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from time import perf_counter
from typing import Any

import orjson
from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from dashboard import api_rules, api_targets
from dashboard.evaluating import slot
from dashboard.services import services
from history import answer, numbers
from history.answer import Answer
from history.model import QueryError
from history.promql.format import format_expression

LABEL_NAME = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
METHODS = ["GET", "POST"]
LEVEL = "2.55.0"
"""The Prometheus whose API this is, for clients that ask for a version: Grafana looks for features of 2.24 and later,
and from 3 on the ends of ranges mean something else."""

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


def send(content: Answer, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")


def refuse(kind: str, text: str, status: int) -> Response:
    """An error in Prometheus' shape, of a kind that its queries do not have."""
    return send({"status": "error", "errorType": kind, "error": text}, status)


def wants_json() -> bool:
    """Whether who asks is a program: of the API, or of a page with `Accept: application/json`."""
    return request.path.startswith(("/api/", "/-/")) or request.accept_mimetypes.best == "application/json"


@blueprint.errorhandler(QueryError)
def _failed(error: QueryError) -> Response:
    return send(answer.failure(error), answer.STATUS[error.kind])


@blueprint.route("/query", methods=METHODS)
def query() -> Response:
    at = answer.time("time", _given("time"), services().clock())
    return _evaluated(lambda expr: services().source.query(expr, at))


@blueprint.route("/query_range", methods=METHODS)
def query_range() -> Response:
    start = answer.required("start", _given("start"))
    end = answer.required("end", _given("end"))
    if end < start:
        raise QueryError("bad_data", 'invalid parameter "end": end timestamp must not be before start time')
    step = answer.step(_given("step"))
    return _evaluated(lambda expr: services().source.query_range(expr, start, end, step))


@blueprint.route("/query_exemplars", methods=METHODS)
def query_exemplars() -> Response:
    """We keep none. An expression that is none is refused all the same."""
    start, end = _span()
    if end < start:
        raise QueryError("bad_data", "end timestamp must not be before start timestamp")
    format_expression(_expression())
    return send(answer.success([]))


@blueprint.route("/format_query", methods=METHODS)
def format_query() -> Response:
    return send(answer.success(format_expression(_expression())))


@blueprint.route("/series", methods=METHODS)
def series() -> Response:
    matchers = _all_given("match[]")
    if not matchers:
        raise QueryError("bad_data", "no match[] parameter provided")
    return _limited(services().source.series(matchers, *_span()))


@blueprint.route("/labels", methods=METHODS)
def labels() -> Response:
    return _limited(services().source.label_names(_all_given("match[]"), *_span()))


@blueprint.route("/label/<name>/values")
def label_values(name: str) -> Response:
    if not LABEL_NAME.fullmatch(name):
        raise QueryError("bad_data", f'invalid label name: "{name}"')
    return _limited(services().source.label_values(name, _all_given("match[]"), *_span()))


@blueprint.route("/metadata")
def metadata() -> Response:
    most, each = _number("limit", -1), _number("limit_per_metric", -1)
    found = list(services().source.metadata(_given("metric") or None).items())
    chosen = found if most < 0 else found[:most]
    return send(answer.metadata({name: known[:each] if each > 0 else known for name, known in chosen}))


@blueprint.route("/rules")
def rules() -> Response:
    asked = api_rules.Asked(
        kind=_given("type").lower(),
        names=_all_given("rule_name[]"),
        groups=_all_given("rule_group[]"),
        files=_all_given("file[]"),
        selectors=_all_given("match[]"),
        without_alerts=api_rules.boolean("exclude_alerts", _given("exclude_alerts")),
    )
    return send(answer.success(api_rules.rules(services().alerting, asked)))


@blueprint.route("/alerts")
def alerts() -> Response:
    return send(answer.success(api_rules.alerts(services().alerting)))


@blueprint.route("/targets")
def targets() -> Response:
    return send(answer.success(api_targets.targets(services().watched, _given("state"), _given("scrapePool"))))


@blueprint.route("/targets/metadata")
def target_metadata() -> Response:
    most = _number("limit", -1)
    found = api_targets.metadata(
        services().watched, services().source, services().clock(), _given("match_target"), _given("metric")
    )
    return send(answer.success(list(found if most < 0 else islice(found, most))))


@blueprint.route("/scrape_pools")
def scrape_pools() -> Response:
    return send(answer.success(api_targets.pools(services().watched)))


@blueprint.route("/status/buildinfo")
def buildinfo() -> Response:
    """Without `features`, by which Grafana would take us for Mimir and offer to edit our rules."""
    unknown = dict.fromkeys(("branch", "buildUser", "buildDate", "goVersion"), "")
    return send(answer.success({"version": LEVEL, "revision": f"raingauge-{services().version}", **unknown}))


@blueprint.record_once
def _beside(state: BlueprintSetupState) -> None:
    """Prometheus has these two outside /api."""
    state.app.add_url_rule("/-/healthy", f"{blueprint.name}.healthy", lambda: _plain("Raingauge is Healthy.\n"))
    state.app.add_url_rule("/-/ready", f"{blueprint.name}.ready", lambda: _plain("Raingauge is Ready.\n"))


def _plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")


def _evaluated(evaluate: Callable[[str], answer.Result]) -> Response:
    """What /query and /query_range have in common: limit, timeout, lookback_delta, stats and the expression."""
    limit = _limit()
    remarks = _remarks()
    expr = _expression()
    began = perf_counter()
    with slot():
        found = evaluate(expr)
    seconds = perf_counter() - began
    if limit:
        found = answer.limited(found, limit)
    data = answer.quick_data(found)
    if _given("stats"):
        data["stats"] = {"timings": {"evalTotalTime": seconds, "execTotalTime": seconds}}
    return send(answer.success(data, (*found.warnings, *remarks)))


def _given(name: str) -> str:
    """A parameter; the form's goes before the address's, as in Prometheus."""
    return request.form.get(name) or request.args.get(name, "")


def _all_given(name: str) -> Sequence[str]:
    return [*request.form.getlist(name), *request.args.getlist(name)]


def _expression() -> str:
    text = _given("query")
    if not text.strip():
        raise QueryError("bad_data", 'invalid parameter "query": parse error: no expression found in input')
    return text


def _remarks() -> Sequence[str]:
    """Warnings on what is only checked for sense: a timeout, as there is the server's own, and a lookback."""
    for name in ("timeout", "lookback_delta"):
        try:
            numbers.duration(_given(name) or "0")
        except ValueError as error:
            raise QueryError("bad_data", f'invalid parameter "{name}": {error}') from error
    return ["lookback_delta is not supported, the server's own is used"] if _given("lookback_delta") else []


def _span() -> tuple[float, float]:
    """Everything that is kept, if no times are given."""
    start = answer.time("start", _given("start"), 0.0)
    return start, answer.time("end", _given("end"), services().clock())


def _number(name: str, default: int) -> int:
    text = _given(name)
    if text and not NUMBER.fullmatch(text):
        raise QueryError("bad_data", f"{name} must be a number")
    return int(text) if text else default


def _limit() -> int:
    """0 is none, as in Prometheus."""
    limit = _number("limit", 0)
    if limit < 0:
        raise QueryError("bad_data", 'invalid parameter "limit": limit must be non-negative')
    return limit


def _limited(found: list[Any]) -> Response:
    limit = _limit()
    if not limit or len(found) <= limit:
        return send(answer.success(found))
    return send(answer.success(found[:limit], [answer.TRUNCATED]))
