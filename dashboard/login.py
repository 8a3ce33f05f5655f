"""Who may see the pages: one-time links, a password if one is set, sessions that can be ended, and API tokens."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import Blueprint, Flask, Response, g, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from dashboard import api
from dashboard.services import services
from history import answer
from history.model import QueryError

SESSION = "sid"
USED = "This link was used before, or it is older than 15 minutes. A restart of Raingauge prints a new one."
TRIES = "10 per 5 minutes"
OPEN = frozenset({"assets.file", "login.enter", "login.form"})
"""Endpoints that need no session."""

blueprint = Blueprint("login", __name__)
limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=False)


@dataclass(frozen=True)
class LoginPage:
    """What login.html may use."""

    problem: str
    """Why the last try failed; "" at the first."""
    has_password: bool
    """Whether a password can be given here, or only a login link works."""
    next: str
    """The local path to go on to."""


def login_url(base: str, secret: str) -> str:
    """The link that logs in once."""
    return f"{base}/login?{urlencode({'key': secret})}"


class Cookies(SecureCookieSessionInterface):
    """The cookie is marked Secure where the request came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        return request.is_secure


def install(app: Flask) -> None:
    app.session_interface = Cookies()
    app.register_blueprint(blueprint)
    app.before_request(_guard)


def local_path(target: str | None) -> str:
    """`target` if it is a path on this server, else the overview: `next=` must lead nowhere else."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    at = urlsplit(target)
    clean = not at.scheme and not at.netloc and all(character >= " " for character in target)
    return target if clean else "/"


def _guard() -> ResponseReturnValue | None:
    """None lets the request through."""
    if request.endpoint in OPEN or _has_session() or _has_token():
        return None
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        refused = QueryError("bad_data", "log in, or send a token of `raingauge token create` as Authorization: Bearer")
        content = {**answer.failure(refused), "errorType": "unauthorized"}
        return api.send(content, 401)
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("login.form", next=here) if here != "/" else url_for("login.form"))


def _has_session() -> bool:
    sid = session.get(SESSION)
    return isinstance(sid, str) and services().access.session_valid(sid, services().clock())


def _has_token() -> bool:
    """Tokens read; what changes something needs a session and its form's CSRF field."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    readable = request.method in ("GET", "HEAD", "OPTIONS") or request.blueprint == "api"
    g.by_token = kind.lower() == "bearer" and readable and services().access.token_scope(token.strip()) is not None
    return bool(g.by_token)


@blueprint.get("/login")
@limiter.limit(TRIES, deduct_when=lambda answer: answer.status_code == 403)
def form() -> ResponseReturnValue:
    """The form; with a `key`, the one-time link itself."""
    if key := request.args.get("key"):
        if services().access.use_login(key, services().clock()):
            return _let_in()
        return _page(USED, 403)
    return _page("")


@blueprint.post("/login")
@limiter.limit(TRIES, deduct_when=lambda answer: answer.status_code != 302)
def enter() -> ResponseReturnValue:
    if _password_fits(request.form.get("password", "")):
        return _let_in()
    return _page("That is not the password.", 403)


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    sid = session.pop(SESSION, None)
    if isinstance(sid, str):
        services().access.close_session(sid, services().clock())
    session.clear()
    return redirect(url_for("login.form"))


def _password_fits(password: str) -> bool:
    """Without a password set nothing fits."""
    try:
        return bool(services().password_hash) and PasswordHasher().verify(services().password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _let_in() -> Response:
    """A new session each time: nothing that was known before the login is worth anything after it."""
    session.clear()
    session[SESSION] = services().access.open_session(services().clock())
    session.permanent = True
    return Response(status=302, headers={"Location": local_path(request.values.get("next"))})


def _page(problem: str, status: int = 200) -> tuple[str, int]:
    page = LoginPage(problem, bool(services().password_hash), local_path(request.values.get("next")))
    return render_template("login.html", page=page), status
