"""Settings, Appearance: how this browser shows the pages."""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, request
from flask.typing import ResponseReturnValue

from dashboard.appearance import SITE, YEAR, Look, look
from dashboard.asked import answer, remembering, view
from dashboard.caller import OWNER, caller
from dashboard.rights import Caller
from dashboard.sections import Section, sections, told
from dashboard.services import Services
from dashboard.shell import Shell, View, shell

blueprint = Blueprint("appearance", __name__)


@dataclass(frozen=True)
class AppearancePage:
    """What appearance.html may use."""

    shell: Shell
    parts: tuple[Section, ...]
    look: Look
    name: str
    """"" for who came by a login link."""
    role: str


def build(services: Services, asked: View, who: Caller, chosen: Look) -> AppearancePage:
    name = "" if who.name == OWNER else who.name
    return AppearancePage(shell(services, asked, "Settings"), sections(who, "Appearance"), chosen, name, who.right)


@blueprint.get("/settings")
def page() -> Response:
    return answer("appearance.html", build(remembering(), view(), caller(), look(request.cookies)))


@blueprint.post("/settings/appearance")
def change() -> ResponseReturnValue:
    """A browser's own; without JavaScript it cannot say its zone, and the site's stays."""
    theme, zone = request.form.get("theme", ""), request.form.get("zone", SITE)
    if zone == "browser":
        zone = request.form.get("browser", SITE)
    chosen = look({"theme": theme, "zone": zone, "keys": "on" if request.form.get("keys") else "off"})
    reply = make_response(told("This browser shows it so from now on.", "appearance.page"))
    values = {"theme": chosen.theme, "zone": "" if chosen.zone == SITE else chosen.zone,
              "keys": "" if chosen.keys else "off"}  # fmt: skip
    for name, value in values.items():
        reply.set_cookie(name, value, max_age=YEAR if value else 0, path="/", samesite="Lax", secure=request.is_secure)
    return reply
