"""The dashboard's Flask application: pages, API, login, static files, and what is said when something is wrong."""

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import jinja2
from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from dashboard import acting, api, api_events, api_v2, board_forms, check_forms, login, pages, security, wall
from dashboard.assets import Assets
from dashboard.prefix import Prefixed
from dashboard.proxies import Proxied
from dashboard.services import Services
from history.sessions import SESSION_SECONDS

log = logging.getLogger("raingauge.dashboard")

MOST_FORM_BYTES = 1_000_000
TEXTS = {
    400: "The request could not be understood.",
    403: "This is not allowed.",
    404: "There is nothing here.",
    405: "This address does not take such a request.",
    413: "The request is larger than 1 MB.",
    500: "Something is broken in Raingauge. The log has the details under this number.",
}
KINDS = {400: "bad_data", 404: "not_found", 413: "bad_data", 500: "internal"}
"""Prometheus' errorType; the others are named after the status."""
OLD_FORM = "This form is too old, or it did not come from this dashboard. Load the page again and repeat what you did."
NO_CSRF = "a POST with a session needs the header X-CSRFToken; programs send a token as Authorization: Bearer"


@dataclass(frozen=True)
class ErrorPage:
    """What error.html may use."""

    status: int
    title: str
    text: str
    request_id: str
    """Under which the log has more; "" where there is no more to say."""


def create_app(services: Services) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.extensions["raingauge"] = services
    app.config.update(
        SECRET_KEY=services.secret_key,
        SESSION_COOKIE_NAME="raingauge_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # the server's end of the session does not move either
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=SESSION_SECONDS),
        MAX_CONTENT_LENGTH=MOST_FORM_BYTES,
        WTF_CSRF_CHECK_DEFAULT=False,  # login's guard decides what needs it
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.jinja_env.add_extension(Prefixed)
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    assets = Assets()
    app.jinja_env.globals["asset"] = assets.url
    security.protect(app)
    login.install(app)
    apis = (api.blueprint, api_events.blueprint, api_v2.blueprint)
    forms = (acting.blueprint, board_forms.blueprint, check_forms.blueprint)
    for blueprint in (assets.blueprint, *apis, *forms, wall.blueprint, *pages.PAGES):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)
    app.wsgi_app = Proxied(app.wsgi_app, services.proxies, services.user_header)  # type: ignore[method-assign]
    return app


def _refused(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    text = TEXTS.get(status, HTTPStatus(status).phrase)
    if isinstance(error, CSRFError):
        text = NO_CSRF if api.wants_json() else OLD_FORM
    if isinstance(error, login.NotAllowed):
        text = error.description or text
    answer = _answer(ErrorPage(status, HTTPStatus(status).phrase, text, ""))
    if allowed := error.get_response().headers.get("Allow"):
        answer.headers["Allow"] = allowed
    return answer


def _broken(error: Exception) -> ResponseReturnValue:
    """The web boundary: a bug ends one request, with a number under which the log tells it."""
    request_id = secrets.token_hex(4)
    log.error("request=%s path=%r bug", request_id, request.path, exc_info=error)
    return _answer(ErrorPage(500, "Internal error", TEXTS[500], request_id))


def _answer(page: ErrorPage) -> Response:
    if api.wants_json():
        number = f" ({page.request_id})" if page.request_id else ""
        kind = KINDS.get(page.status, page.title.lower().replace(" ", "_"))
        return api.refuse(kind, page.text + number, page.status)
    return Response(render_template("error.html", page=page), page.status, mimetype="text/html")
