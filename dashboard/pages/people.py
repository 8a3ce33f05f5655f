"""Settings, Users: who may log in and as what, and the sessions that are open."""

from dataclasses import dataclass
from typing import get_args

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from dashboard.asked import answer, remembering, view
from dashboard.caller import OWNER, caller, note, session_key
from dashboard.rights import Caller
from dashboard.sections import Section, sections, told
from dashboard.services import Services, services
from dashboard.shell import Shell, View, shell
from history.users import FEWEST_CHARACTERS, Role, User

ROLES: tuple[Role, ...] = get_args(Role)
PAGE = "people.people"

blueprint = Blueprint("people", __name__)


@dataclass(frozen=True)
class SessionRow:
    id: str
    who: str
    address: str
    agent: str
    created: float  # Unix seconds
    seen: float  # Unix seconds
    own: bool
    """Of who looks."""


@dataclass(frozen=True)
class PeoplePage:
    """What people.html may use."""

    shell: Shell
    parts: tuple[Section, ...]
    users: tuple[User, ...]
    sessions: tuple[SessionRow, ...]
    roles: tuple[Role, ...]
    shortest: int
    """Characters of a password."""


def build(services: Services, asked: View, who: Caller, own: str = "") -> PeoplePage:
    """`own`: the session of who looks."""
    return PeoplePage(
        shell=shell(services, asked, "Settings"),
        parts=sections(who, "Users"),
        users=tuple(services.access.users.all()),
        sessions=tuple(
            SessionRow(each.id, f"wall {each.wall}" if each.wall else each.user or OWNER, each.address,
                       each.agent, each.created, each.seen, each.id == own)
            for each in services.access.sessions.all(asked.now)
        ),
        roles=ROLES,
        shortest=FEWEST_CHARACTERS,
    )  # fmt: skip


@blueprint.get("/settings/users")
def people() -> Response:
    return answer("people.html", build(remembering(), view(), caller(), session_key()))


@blueprint.post("/settings/users")
def add() -> ResponseReturnValue:
    name, role = request.form.get("name", "").strip(), _role()
    try:
        services().access.users.add(name, request.form.get("password", ""), role, services().clock())
    except ValueError as error:
        return told(_sentence(error), PAGE, wrong=True)
    note(f"user {name} added, {role}")
    return told(f"{name} may log in as {role}.", PAGE)


@blueprint.post("/settings/users/<name>")
def change(name: str) -> ResponseReturnValue:
    """Another role, another password, or the end of it; the last two end the user's sessions."""
    access, what = services().access, request.form.get("what", "")
    keep = caller().name != OWNER  # who can log in again whoever else is admin
    if access.users.get(name) is None:
        abort(404)
    if what == "role":
        role = _role()
        if not access.users.set_role(name, role, keep_an_admin=keep):
            return _last_admin(name)
        said = f"{name} is {role} now"
    elif what == "remove":
        if not access.users.remove(name, keep_an_admin=keep):
            return _last_admin(name)
        access.sessions.close_all(user=name)
        said = f"{name} is removed"
    elif what == "password":
        try:
            access.users.set_password(name, request.form.get("password", ""))
        except ValueError as error:
            return told(_sentence(error), PAGE, wrong=True)
        access.sessions.close_all(user=name)
        said = f"{name} has another password"
    else:
        abort(400)
    note(f"user: {said}")
    return told(f"{said}.", PAGE)


@blueprint.post("/settings/sessions/<key>/end")
def end(key: str) -> ResponseReturnValue:
    if not services().access.sessions.close(key):
        abort(404)
    note(f"session {key[:8]} ended")
    return told("The session is ended.", PAGE)


def _role() -> Role:
    role = request.form.get("role", "")
    return role if role in ROLES else abort(400)


def _last_admin(name: str) -> ResponseReturnValue:
    return told(f"{name} is the last admin: make somebody else one first.", PAGE, wrong=True)


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
