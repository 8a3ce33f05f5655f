"""Settings, Audit: who did what, and who was refused."""

from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard.asked import answer, remembering, view
from dashboard.caller import caller
from dashboard.moments import span
from dashboard.rights import Caller
from dashboard.sections import Section, sections
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from history.audit import KEPT_SECONDS, MOST, Entry

SHOWN = 500

blueprint = Blueprint("trail", __name__)


@dataclass(frozen=True)
class TrailPage:
    """What trail.html may use."""

    shell: Shell
    parts: tuple[Section, ...]
    entries: tuple[Entry, ...]
    """The newest first."""
    kept: str
    most: int
    shown: int
    """At most."""


def build(services: Services, asked: View, who: Caller) -> TrailPage:
    entries = tuple(services.access.audit.newest(SHOWN))
    return TrailPage(
        shell(services, asked, "Settings"), sections(who, "Audit"), entries, span(KEPT_SECONDS), MOST, SHOWN
    )


@blueprint.get("/settings/audit")
def trail() -> Response:
    return answer("trail.html", build(remembering(), view(), caller()))
