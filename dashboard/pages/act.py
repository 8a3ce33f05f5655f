"""Where a message's link leads: what the incident is, and buttons that acknowledge and silence. No login is needed.

Whoever holds the link may do this, and nothing else, until it is too old. A GET changes nothing: mail programs and
chats follow links by themselves.
"""

from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from alerts import silences
from alerts.incidents import store
from alerts.incidents.model import Incident
from alerts.matchers import Matcher
from alerts.message.links import verify
from alerts.model import Alert
from alerts.silences import Silence
from dashboard.acting import firing
from dashboard.caller import note
from dashboard.incident_cards import cause, plain
from dashboard.incident_cards import firing as firing_members
from dashboard.login import limiter
from dashboard.marks import state_of
from dashboard.services import Services, services

blueprint = Blueprint("act", __name__)

GUESSES = "20 per 5 minutes"
HOURS = (1, 4, 24)
AUTHOR = "a link in a message"
PREFIX = "/incidents/"
TOO_OLD = "This link is too old, or it is none of ours. Log in to see what fires."
OVER = "Nothing of this incident fires any more."


@dataclass(frozen=True)
class ActPage:
    """What act.html may use."""

    title: str
    look: str
    """crit, warn or info; none where nothing can be done."""
    why: str
    """Its likeliest cause; "" if that is not known."""
    alerts: tuple[str, ...]
    """Those that fire."""
    done: str
    """What was just done; "" before."""
    problem: str
    """Why nothing can be done; "" if it can."""
    path: str = ""
    """Where the rest of it is, for whoever is logged in."""
    hours: tuple[int, ...] = HOURS


def _wrong(answer: object) -> bool:
    return getattr(answer, "status_code", 200) == 403


@blueprint.get("/a/<token>")
@limiter.limit(GUESSES, deduct_when=_wrong)
def show(token: str) -> ResponseReturnValue:
    return _page(_incident(token), "")


@blueprint.post("/a/<token>")
@limiter.limit(GUESSES, deduct_when=_wrong)
def do(token: str) -> ResponseReturnValue:
    incident = _incident(token)
    if incident is None:
        return _page(None, "")
    what: Literal["ack", "silence"] = "silence" if request.form.get("what") == "silence" else "ack"
    asked = request.form.get("hours", "4")
    hours = next((known for known in HOURS if str(known) == asked), 4)
    desk = services().desk
    told = firing(desk, incident) if desk else ()
    for alert in told:
        _hold(services(), alert, what, hours)
        note(f"{what} {alert.name}", AUTHOR)
    word = "acknowledged: nobody is told again until it is over, or for" if what == "ack" else "silenced for"
    return _page(incident, f"{len(told)} {'alert is' if len(told) == 1 else 'alerts are'} {word} {hours} h.")


def _hold(serving: Services, alert: Alert, what: Literal["ack", "silence"], hours: int) -> None:
    assert serving.desk
    now = serving.clock()
    until = now + 3600 * hours
    if what == "ack":
        silences.acknowledge(serving.desk.engine, alert, AUTHOR, now=now, until=until)
    else:
        matchers = tuple(Matcher(name, "=", value) for name, value in sorted(alert.labels.items()))
        silences.post(serving.desk.engine, Silence(matchers, now, until, AUTHOR, "silenced from a message"), now)


def _incident(token: str) -> Incident | None:
    serving = services()
    path = verify(token, serving.secret_key, serving.clock())
    number = (path or "").removeprefix(PREFIX)
    if serving.desk is None or not number.isdecimal():
        return None
    with serving.desk.engine.connect() as connection:
        return store.incident(connection, int(number))


def _page(incident: Incident | None, done: str) -> ResponseReturnValue:
    if incident is None:
        return render_template("act.html", page=ActPage("Acknowledge or silence", "none", "", (), "", TOO_OLD)), 403
    incident = plain(incident)
    alerts = tuple(member.words for member in firing_members(incident))
    shown = ActPage(
        incident.symptom, state_of(incident.severity), cause(incident), alerts, done, "" if alerts else OVER,
        f"{PREFIX}{incident.id}",
    )  # fmt: skip
    return render_template("act.html", page=shown)
