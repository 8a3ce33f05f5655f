"""Where a wall's link leads: a session that looks at pages and does nothing else, until the link is revoked."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from dashboard.caller import caller, note
from dashboard.login import NotAllowed, begin_session, limiter
from dashboard.rights import STRANGER
from dashboard.services import services

GUESSES = "20 per 5 minutes"

blueprint = Blueprint("wall", __name__)


@blueprint.get("/wall/<token>")
@limiter.limit(GUESSES, deduct_when=lambda answer: answer.status_code == 403)
def enter(token: str) -> ResponseReturnValue:
    """Who has logged in stays who they are."""
    name = services().access.walls.of(token, services().clock())
    if name is None:
        raise NotAllowed("This link is revoked or too old. Settings, Tokens makes a new one.")
    if caller() == STRANGER or caller().way == "wall":
        begin_session(wall=name)
        note("wall opened", f"wall {name}")
    return redirect(url_for("overview.overview"))
