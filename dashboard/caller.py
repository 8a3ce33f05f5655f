"""Who asks: by a token, by a session, or by the header of a proxy that is trusted to have asked for a password."""

from typing import cast

from flask import g, request, session

from dashboard.proxies import USER
from dashboard.rights import LEAST, STRANGER, Caller, may
from dashboard.services import services
from history.audit import Entry
from history.sessions import digest

SESSION = "sid"
OWNER = "the dashboard"
"""Who came by a login link or by the configuration's password: whoever runs Raingauge."""
MOST_NAME = 64


def caller() -> Caller:
    """Looked up once a request."""
    if "caller" not in g:
        g.caller = _caller()
    return cast("Caller", g.caller)


def note(what: str, who: str = "") -> None:
    """Into the audit log, with who asks and from where."""
    name = who or caller().name or "a stranger"
    services().access.audit.note(Entry(services().clock(), name, request.remote_addr or "", what))


def allowed(endpoint: str) -> bool:
    """Whether who looks at a page may do this: a page offers nothing else."""
    assert endpoint in LEAST
    return may(caller(), endpoint, "POST")


def session_key() -> str:
    """Under which the session that asks is kept; "" without one."""
    sid = session.get(SESSION)
    return digest(sid) if isinstance(sid, str) else ""


def on_wall() -> bool:
    return caller().way == "wall"


def _caller() -> Caller:
    if (token := bearer()) is not None:
        return _by_token(token)
    return _by_session() or _by_header() or STRANGER


def bearer() -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _by_token(token: str) -> Caller:
    scope = services().access.token_scope(token)
    if scope is None:
        return STRANGER
    return Caller("a token", "responder" if scope == "write" else "viewer", "token")


def _by_session() -> Caller | None:
    sid, access, now = session.get(SESSION), services().access, services().clock()
    found = access.sessions.find(sid, now) if isinstance(sid, str) else None
    if found is None:
        return None
    if found.wall:
        return Caller(f"wall {found.wall}", "wall", "wall") if access.walls.valid(found.wall, now) else None
    if not found.user:
        return Caller(OWNER, "admin", "session")
    user = access.users.get(found.user)
    return Caller(user.name, user.role, "session") if user else None


def _by_header() -> Caller | None:
    """Who has no role here looks only."""
    name = str(request.environ.get(USER, "")).strip()[:MOST_NAME]
    if not name:
        return None
    user = services().access.users.get(name)
    return Caller(name, user.role if user else "viewer", "header")
