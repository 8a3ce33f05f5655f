"""Who may see the pages: one-time links, names with passwords, sessions that can be ended, and API tokens.

A request with a token stands for itself. One with a session that changes anything must carry the CSRF token of our own
pages, in its form or as the header X-CSRFToken: other sites, and other ports of this host, send our cookie too.
"""

import logging
import math
import re
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter, RateLimitExceeded
from flask_wtf import CSRFProtect
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import BadHost, Forbidden

from dashboard import api
from dashboard.appearance import YEAR
from dashboard.caller import OWNER, SESSION, allowed, bearer, caller, note, on_wall, session_key
from dashboard.rights import SAFE, STRANGER, least, may
from dashboard.services import services
from history.users import fits

log = logging.getLogger("raingauge.dashboard")

TRIES = "10 per 5 minutes"
TRIES_OF_NAME = "50 per 5 minutes"
TRIES_OF_LINKS = "20 per 5 minutes"
"""Nobody guesses a link; but each refused one is written down, and would push out what was written before."""
KNOWN = "raingauge_known"
"""The cookie of a browser that logged in by a name before: others cannot use up its tries."""
USED = "This link was used before, or it is older than 15 minutes. `raingauge token login` prints a new one."
UNKNOWN = "log in, or send a token of `raingauge token create` as Authorization: Bearer"
NOT_ENOUGH = "this needs a token of `raingauge token create --scope write`, and forms of pages need a login"
WRONG = "Name and password do not fit together."

WITH_PORT = re.compile(r"\[(.*)\](?::\d+)?|([\d.]+):\d+")

blueprint = Blueprint("login", __name__)
csrf = CSRFProtect()


class NotAllowed(Forbidden):
    """For who is known and has too small a role; the description says which it needs."""


@dataclass(frozen=True)
class LoginPage:
    """What login.html may use."""

    problem: str
    """Why the last try failed; "" at the first."""
    has_password: bool
    """Whether a password can be given here, or only a login link works."""
    nameless: bool
    """Whether the configuration has a password, which goes without a name."""
    next: str
    """The local path to go on to."""


def login_url(base: str, secret: str) -> str:
    """The link that logs in once."""
    return f"{base}/login?{urlencode({'key': secret})}"


class Cookies(SecureCookieSessionInterface):
    """The cookie is marked Secure where the request came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        return request.is_secure

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002
        """Other programs behind the same proxy do not get it."""
        return request.script_root or "/"


def _whose() -> str:
    """The address that tries are counted for; of IPv6 the network, as one guest has all of it.

    A proxy may tell it with a port, and whatever else it tells counts as one guest.
    """
    said = request.remote_addr or ""
    with_port = WITH_PORT.fullmatch(said)
    try:
        address = ip_address(with_port[1] or with_port[2] if with_port else said)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))
    return str(address)


def _named() -> str:
    """The name that tries are counted for, wherever they come from; for browsers that are known apart from others."""
    name = request.form.get("name", "").strip().lower()[:100]
    try:
        known = _signing().loads(request.cookies.get(KNOWN, "")) == name
    except BadSignature:
        known = False
    return f"{'known ' if known else ''}name {name}"


def _signing() -> URLSafeSerializer:
    return URLSafeSerializer(services().secret_key, salt=KNOWN)


limiter = Limiter(_whose, storage_uri="memory://")


def install(app: Flask) -> None:
    app.session_interface = Cookies()
    app.before_request(_guard)
    csrf.init_app(app)
    limiter.init_app(app)
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(allowed=allowed, on_wall=on_wall)


def local_path(target: str | None) -> str:
    """`target` if it is a path on this server, else the overview: `next=` must lead nowhere else."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    at = urlsplit(target)
    clean = not at.scheme and not at.netloc and all(character >= " " for character in target)
    return target if clean else "/"


def _guard() -> ResponseReturnValue | None:
    """None lets the request through."""
    if isinstance(request.routing_exception, BadHost):
        return None  # it is raised next, and no address can be made before
    endpoint = request.endpoint  # None for what is not there
    if least(endpoint) != "anyone":
        token = bearer()
        if caller() == STRANGER:
            return _to_login() if token is None else _unknown()
        if not may(caller(), endpoint, request.method):
            return _not_allowed(least(endpoint))
        if token is not None:
            return None
    if request.method not in SAFE and endpoint is not None:
        csrf.protect()
    return None


def _not_allowed(needed: str) -> Response:
    who_asks = caller()
    if who_asks.way == "token":
        return api.refuse("forbidden", NOT_ENOUGH, 403)
    raise NotAllowed(f"This needs the role {needed}; {who_asks.name} has the role {who_asks.right}.")


def who() -> str:
    """Who asks, for what is recorded of it."""
    return caller().name


def _to_login() -> ResponseReturnValue:
    if api.wants_json():
        return _unknown()
    here = request.full_path.rstrip("?") if request.method in SAFE else "/"
    return redirect(url_for("login.form", next=here) if here != "/" else url_for("login.form"))


def _unknown() -> Response:
    answer = api.refuse("unauthorized", UNKNOWN, 401)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="raingauge"'
    return answer


@blueprint.get("/login")
@limiter.limit(TRIES_OF_LINKS, exempt_when=lambda: "key" not in request.args,
               deduct_when=lambda answer: answer.status_code == 403)  # fmt: skip
def form() -> ResponseReturnValue:
    """The form; with a `key`, the one-time link itself, which a HEAD request must not use up."""
    key = request.args.get("key", "") if request.method == "GET" else ""
    if key and services().access.use_login(key, services().clock()):
        return _let_in("link")
    if caller() != STRANGER:  # the link again, from the history or loaded ahead by the browser
        return redirect(here(local_path(request.args.get("next"))))
    if key:
        return _refuse("link", USED)
    return _page("")


@blueprint.post("/login")
@limiter.limit(TRIES, deduct_when=lambda answer: answer.status_code == 403)
@limiter.limit(TRIES_OF_NAME, key_func=_named, deduct_when=lambda answer: answer.status_code == 403)
def enter() -> ResponseReturnValue:
    """Without a name it is the configuration's password. A name that is not there gets the same answer, as late."""
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    if services().access.users.check(name, password) if name else _password_fits(password):
        return _let_in("password", name)
    known = name if name and services().access.users.get(name) else ""
    return _refuse("password", WRONG if name else "That is not the password.", known)


def _refuse(way: str, problem: str, name: str = "") -> ResponseReturnValue:
    """A name that nobody has is not written down: it may be a password in the wrong field."""
    log.warning("login=refused way=%s address=%s", way, request.remote_addr)
    note(f"login refused, by {way}", name or "a stranger")
    return _page(problem, 403)


@blueprint.app_errorhandler(RateLimitExceeded)
def _locked(_error: RateLimitExceeded) -> Response:
    limit = limiter.current_limit
    seconds = max(1, int(limit.reset_at - time.time())) if limit else 300  # the limiter has a clock of its own
    left = f"{seconds} seconds" if seconds <= 60 else f"{math.ceil(seconds / 60)} minutes"
    what = "passwords" if request.endpoint == "login.enter" else "links"
    answer = make_response(_page(f"Too many wrong {what}. Try again in {left}.", 429))
    answer.headers["Retry-After"] = str(seconds)
    return answer


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    note("logout")
    end_session()
    return redirect(url_for("login.form"))


def _password_fits(password: str) -> bool:
    """Without a password set nothing fits."""
    return bool(services().password_hash) and fits(services().password_hash, password)


def _let_in(way: str, name: str = "") -> ResponseReturnValue:
    begin_session(name)
    log.info("login=done way=%s address=%s", way, request.remote_addr)
    note(f"login by {way}", name or OWNER)
    answer = redirect(here(local_path(request.values.get("next"))))
    if name:
        answer.set_cookie(KNOWN, _signing().dumps(name.lower()), max_age=YEAR, path=request.script_root or "/",
                          secure=request.is_secure, httponly=True, samesite="Strict")  # fmt: skip
    return answer


def begin_session(user: str = "", wall: str = "") -> None:
    """A new one each time: nothing that was known before the login is worth anything after it."""
    end_session()
    session[SESSION] = services().access.sessions.open(
        services().clock(), user, wall=wall, address=request.remote_addr or "", agent=request.user_agent.string
    )
    session.permanent = True


def end_session() -> None:
    if key := session_key():
        services().access.sessions.close(key)
    session.clear()


def here(path: str) -> str:
    """A path of ours as the browser asks for it: a proxy may have us below a prefix."""
    return f"{request.script_root}{path}"


def _page(problem: str, status: int = 200) -> tuple[str, int]:
    nameless = bool(services().password_hash)
    has_password = nameless or bool(services().access.users.all())
    page = LoginPage(problem, has_password, nameless, local_path(request.values.get("next")))
    return render_template("login.html", page=page), status
