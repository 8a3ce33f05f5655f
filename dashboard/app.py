"""The dashboard's Flask application: pages, API, login, static files, and what is said when something is wrong."""

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import jinja2
from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException

from dashboard import api, login, pages, security
from dashboard.assets import Assets
from dashboard.services import Services
from history.access import SESSION_SECONDS

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
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=SESSION_SECONDS),
        MAX_CONTENT_LENGTH=MOST_FORM_BYTES,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    assets = Assets(plotly=services.vendor)
    app.jinja_env.globals["asset"] = assets.url
    app.register_blueprint(assets.blueprint)
    security.protect(app)
    login.install(app)
    login.limiter.init_app(app)
    csrf = CSRFProtect(app)
    csrf.exempt(api.blueprint)  # it only reads, and no other origin may see the answer
    app.register_blueprint(api.blueprint)
    for blueprint in pages.PAGES:
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)
    return app


def _refused(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    text = TEXTS.get(status, HTTPStatus(status).phrase)
    if isinstance(error, RateLimitExceeded):
        text = f"Too many tries. The next one is possible {_when()}."
    elif status == 400 and error.description and "CSRF" in error.description:
        text = "This form is too old. Go back, load the page again and repeat what you did."
    answer = _answer(ErrorPage(status, HTTPStatus(status).phrase, text, ""))
    if error.get_response().headers.get("Allow"):
        answer.headers["Allow"] = error.get_response().headers["Allow"]
    return answer


def _when() -> str:
    limit = login.limiter.current_limit
    seconds = max(1, round(limit.reset_at - time.time())) if limit else 60  # the limiter has a clock of its own
    return f"in {seconds // 60 + 1} minutes" if seconds > 60 else f"in {seconds} seconds"


def _broken(error: Exception) -> ResponseReturnValue:
    """The web boundary: a bug ends one request, with a number under which the log tells it."""
    request_id = secrets.token_hex(4)
    log.error("request=%s path=%s bug", request_id, request.path, exc_info=error)
    return _answer(ErrorPage(500, "Internal error", TEXTS[500], request_id))


def _answer(page: ErrorPage) -> Response:
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        number = f" ({page.request_id})" if page.request_id else ""
        content = {"status": "error", "errorType": page.title.lower().replace(" ", "_"), "error": page.text + number}
        return api.send(content, page.status)
    return Response(render_template("error.html", page=page), page.status, mimetype="text/html")
