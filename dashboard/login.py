"""Who may see the pages: one-time links, a password if one is set, sessions that can be ended, and API tokens.

A request with a token stands for itself. One with a session that changes anything must carry the CSRF token of our own
pages, in its form or as the header X-CSRFToken: other sites, and other ports of this host, send our cookie too.
"""

import logging
import math
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from urllib.parse import urlencode, urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter, RateLimitExceeded
from flask_wtf import CSRFProtect

from dashboard import api
from dashboard.services import services
from history.access import Scope

log = logging.getLogger("raingauge.dashboard")

SESSION = "sid"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TRIES = "10 per 5 minutes"
OPEN = frozenset({"act.do", "act.show", "api.healthy", "api.ready", "assets.file", "login.enter", "login.form"})
"""Endpoints that need no session."""
USED = "This link was used before, or it is older than 15 minutes. `raingauge token login` prints a new one."
UNKNOWN = "log in, or send a token of `raingauge token create` as Authorization: Bearer"
NOT_ENOUGH = "this needs a token of `raingauge token create --scope write`, and forms of pages need a login"

blueprint = Blueprint("login", __name__)
csrf = CSRFProtect()
hashing = Lock()
"""One at a time: argon2 takes 64 MiB and a core while it looks at a password."""


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


def _whose() -> str:
    """The address that tries are counted for; of IPv6 the network, as one guest has all of it."""
    address = ip_address(request.remote_addr or "127.0.0.1")
    return str(ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address)


limiter = Limiter(_whose, storage_uri="memory://")


def install(app: Flask) -> None:
    app.session_interface = Cookies()
    app.before_request(_guard)
    csrf.init_app(app)
    limiter.init_app(app)
    app.register_blueprint(blueprint)


def local_path(target: str | None) -> str:
    """`target` if it is a path on this server, else the overview: `next=` must lead nowhere else."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    at = urlsplit(target)
    clean = not at.scheme and not at.netloc and all(character >= " " for character in target)
    return target if clean else "/"


def _guard() -> ResponseReturnValue | None:
    """None lets the request through."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and request.endpoint not in OPEN:
        return _by_token(services().access.token_scope(token.strip()))
    if request.endpoint not in OPEN and not _has_session():
        return _to_login()
    if request.method not in SAFE and request.routing_exception is None:
        csrf.protect()
    return None


def who() -> str:
    """Who asks, for what is recorded of it."""
    return "the dashboard" if _has_session() else "a token"


def _by_token(scope: Scope | None) -> Response | None:
    if scope is None:
        return _unknown()
    reads = request.method in SAFE or request.blueprint == api.blueprint.name or request.routing_exception is not None
    writes = scope == "write" and request.path.startswith("/api/")
    return None if reads or writes else api.refuse("forbidden", NOT_ENOUGH, 403)


def _to_login() -> ResponseReturnValue:
    if api.wants_json():
        return _unknown()
    here = request.full_path.rstrip("?") if request.method in SAFE else "/"
    return redirect(url_for("login.form", next=here) if here != "/" else url_for("login.form"))


def _unknown() -> Response:
    answer = api.refuse("unauthorized", UNKNOWN, 401)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="raingauge"'
    return answer


def _has_session() -> bool:
    sid = session.get(SESSION)
    return isinstance(sid, str) and services().access.session_valid(sid, services().clock())


@blueprint.get("/login")
def form() -> ResponseReturnValue:
    """The form; with a `key`, the one-time link itself, which a HEAD request must not use up."""
    key = request.args.get("key", "") if request.method == "GET" else ""
    if key and services().access.use_login(key, services().clock()):
        return _let_in("link")
    if _has_session():  # the link again, from the history or loaded ahead by the browser
        return redirect(local_path(request.args.get("next")))
    if key:
        log.warning("login=refused way=link address=%s", request.remote_addr)
        return _page(USED, 403)
    return _page("")


@blueprint.post("/login")
@limiter.limit(TRIES, deduct_when=lambda answer: answer.status_code == 403)
def enter() -> ResponseReturnValue:
    if _password_fits(request.form.get("password", "")):
        return _let_in("password")
    log.warning("login=refused way=password address=%s", request.remote_addr)
    return _page("That is not the password.", 403)


@blueprint.app_errorhandler(RateLimitExceeded)
def _locked(_error: RateLimitExceeded) -> Response:
    limit = limiter.current_limit
    seconds = max(1, int(limit.reset_at - time.time())) if limit else 300  # the limiter has a clock of its own
    left = f"{seconds} seconds" if seconds <= 60 else f"{math.ceil(seconds / 60)} minutes"
    what = "passwords" if request.blueprint == blueprint.name else "links"
    answer = make_response(_page(f"Too many wrong {what} from your address. Try again in {left}.", 429))
    answer.headers["Retry-After"] = str(seconds)
    return answer


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    _end_session()
    return redirect(url_for("login.form"))


def _password_fits(password: str) -> bool:
    """Without a password set nothing fits."""
    if not services().password_hash:
        return False
    try:
        with hashing:
            return PasswordHasher().verify(services().password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _let_in(way: str) -> ResponseReturnValue:
    """A new session each time: nothing that was known before the login is worth anything after it."""
    _end_session()
    session[SESSION] = services().access.open_session(services().clock())
    session.permanent = True
    log.info("login=done way=%s address=%s", way, request.remote_addr)
    return redirect(local_path(request.values.get("next")))


def _end_session() -> None:
    sid = session.get(SESSION)
    if isinstance(sid, str):
        services().access.close_session(sid, services().clock())
    session.clear()


def _page(problem: str, status: int = 200) -> tuple[str, int]:
    page = LoginPage(problem, bool(services().password_hash), local_path(request.values.get("next")))
    return render_template("login.html", page=page), status
