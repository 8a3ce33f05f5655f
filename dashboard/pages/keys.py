"""Settings, Tokens: what programs and walls come in with. A secret is shown once, on the answer that makes it."""

from dataclasses import dataclass
from typing import get_args

from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue

from dashboard.asked import answer, remembering, view
from dashboard.caller import caller, note
from dashboard.rights import Caller
from dashboard.sections import Section, sections, told
from dashboard.services import Services, services
from dashboard.shell import Shell, View, shell
from history.access import Scope, Token
from history.sessions import Wall

SCOPES: tuple[Scope, ...] = get_args(Scope)
DAYS = (1, 7, 30, 365)
MOST_NAME = 64
PAGE = "keys.keys"

blueprint = Blueprint("keys", __name__)


@dataclass(frozen=True)
class KeysPage:
    """What keys.html may use."""

    shell: Shell
    parts: tuple[Section, ...]
    tokens: tuple[Token, ...]
    walls: tuple[Wall, ...]
    scopes: tuple[Scope, ...]
    days: tuple[int, ...]
    """After which a wall's link may end."""
    made: str
    """The name of what was just made; "" else."""
    secret: str
    """Shown this once; "" else."""


def build(services: Services, asked: View, who: Caller, made: str = "", secret: str = "") -> KeysPage:
    return KeysPage(
        shell=shell(services, asked, "Settings"),
        parts=sections(who, "Tokens"),
        tokens=tuple(services.access.tokens()),
        walls=tuple(services.access.walls.all()),
        scopes=SCOPES,
        days=DAYS,
        made=made,
        secret=secret,
    )


@blueprint.get("/settings/tokens")
def keys() -> Response:
    return answer("keys.html", build(remembering(), view(), caller()))


@blueprint.post("/settings/tokens")
def create() -> ResponseReturnValue:
    """Answers with the page itself and not with a redirect, as the secret is kept nowhere."""
    access, now = services().access, services().clock()
    name, what = request.form.get("name", "").strip()[:MOST_NAME], request.form.get("what", "")
    try:
        if not name:
            raise ValueError("expected a name, found none")
        if what == "wall":
            secret = _url(access.walls.create(name, now, _expires(now)))
        elif what in SCOPES:
            secret = access.create_token(what, now, name)
        else:
            abort(400)
    except ValueError as error:
        text = str(error)
        return told(f"{text[:1].upper()}{text[1:]}.", PAGE, wrong=True)
    note(f"{'wall' if what == 'wall' else f'token of scope {what}'} {name} made")
    return answer("keys.html", build(remembering(), view(), caller(), name, secret))


@blueprint.post("/settings/tokens/revoke")
def revoke() -> ResponseReturnValue:
    access, name, what = services().access, request.form.get("name", ""), request.form.get("what", "")
    if what == "wall":
        found = access.walls.revoke(name)
        access.sessions.close_all(wall=name)
    else:
        found = access.revoke_token(name)
    if not found:
        abort(404)
    note(f"{'wall' if what == 'wall' else 'token'} {name} revoked")
    return told(f"{name} is revoked.", PAGE)


def _url(secret: str) -> str:
    base = services().external_url
    path = url_for("wall.enter", token=secret)
    return f"{base}{path.removeprefix(request.script_root)}" if base else f"{request.host_url.rstrip('/')}{path}"


def _expires(now: float) -> float | None:
    days = request.form.get("days", "")
    return now + 86400 * int(days) if days in map(str, DAYS) else None
