"""Checks and heartbeats: does each address answer, at which height it does not, and which job is missed."""

from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard import check_rows, heartbeat_rows
from dashboard.added_checks import MOST_CHECKS, SHORTEST_SECONDS, written
from dashboard.asked import answer, remembering, view
from dashboard.check_rows import CheckRow
from dashboard.heartbeat_rows import HeartbeatRow
from dashboard.heights import Address
from dashboard.services import Services, services
from dashboard.shell import Shell, View, shell

blueprint = Blueprint("checks", __name__)


@dataclass(frozen=True)
class CheckFields:
    """What the form of a new check shows."""

    name: str = ""
    url: str = ""
    interval: str = "60"
    expect_status: str = ""
    pattern: str = ""


@dataclass(frozen=True)
class ChecksPage:
    """What checks.html may use, and what the page returns as JSON."""

    shell: Shell
    pages: tuple[Address, ...]
    """Those that are checked at several heights."""
    checks: tuple[CheckRow, ...]
    heartbeats: tuple[HeartbeatRow, ...]
    ping_url: str
    """What comes before a heartbeat's key; "" where this process takes no pings."""
    may_add: bool
    """This process runs what is added here."""
    added: int
    most: int
    shortest: float  # seconds between two checks
    new: CheckFields
    problem: str
    """Why what was sent is refused; "" where nothing was."""


def build(services: Services, asked: View, problem: str = "", sent: CheckFields | None = None) -> ChecksPage:
    source, statuses, added = services.source, services.watched.targets(), services.checks.all()
    at = asked.tick(services.interval) if asked.shown.live else asked.shown.end
    found = check_rows.rows(source, statuses, added, at)
    return ChecksPage(
        shell=shell(services, asked, "Checks"),
        pages=check_rows.pages(source, found, at),
        checks=found,
        heartbeats=heartbeat_rows.rows(source, statuses, at),
        ping_url=services.ping_url,
        may_add=services.look_again is not None,
        added=len(added),
        most=MOST_CHECKS,
        shortest=SHORTEST_SECONDS,
        new=sent or CheckFields(),
        problem=problem,
    )


@blueprint.get("/checks")
def page() -> Response:
    return answer("checks.html", build(remembering(), view()))


@blueprint.get("/checks.yml")
def download() -> Response:
    named = {"Content-Disposition": 'attachment; filename="checks.yml"'}
    return Response(written(services().checks.all()), mimetype="application/yaml", headers=named)
