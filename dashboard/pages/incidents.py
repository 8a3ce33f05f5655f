"""The incidents: open ones first, then the last ones."""

from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard import incident_cards
from dashboard.asked import answer, remembering, view
from dashboard.incident_cards import IncidentCard
from dashboard.services import Services
from dashboard.shell import Shell, View, shell

blueprint = Blueprint("incidents", __name__)


@dataclass(frozen=True)
class IncidentsPage:
    """What incidents.html may use, and what the page returns as JSON."""

    shell: Shell
    open: tuple[IncidentCard, ...]
    """The newest first."""
    over: tuple[IncidentCard, ...]


def build(services: Services, asked: View) -> IncidentsPage:
    found = incident_cards.cards(services.desk, incident_cards.read(services.desk), asked.now)
    return IncidentsPage(
        shell(services, asked, "Incidents"),
        tuple(card for card in found if card.ended is None),
        tuple(card for card in found if card.ended is not None),
    )


@blueprint.get("/incidents")
def incidents() -> Response:
    return answer("incidents.html", build(remembering(), view()))
