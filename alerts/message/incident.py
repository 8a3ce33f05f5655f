"""An incident in words, for messages and the command line. Pure."""

from alerts.incidents.model import Cause, Incident, Mover
from alerts.message import units, words
from alerts.message.context import Context, Link

NO_CAUSE = "no clear cause"


def context(incident: Incident, external_url: str = "", token: str = "") -> Context:
    """What a message about some of its alerts says beyond them. `token`: of the page that acknowledges and silences."""
    links = [Link("Incident", f"{external_url}/incidents/{incident.id}")]
    if token and incident.ended is None:
        links.append(Link("Acknowledge or silence", f"{external_url}/a/{token}"))
    where = incident.site or incident.host
    return Context(
        symptom=incident.symptom,
        causes=tuple(cause_lines(incident)) if incident.causes else (),
        changes=tuple(changes(incident)),
        movers=tuple(movers(incident)),
        command=incident.command,
        links=tuple(links) if external_url else (),
        incident=incident.id,
        incident_title=f"Incident {incident.id} on {where}" if where else f"Incident {incident.id}",
    )


def cause_lines(incident: Incident) -> list[str]:
    """The ladder, the first mover first, each with its evidence."""
    return [_cause(cause) for cause in incident.causes] or [NO_CAUSE]


def _cause(cause: Cause) -> str:
    evidence = "; ".join(cause.evidence)
    return f"{cause.layer}: {cause.words}{f' ({evidence})' if evidence else ''}"


def changes(incident: Incident) -> list[str]:
    return [f"{words.moment(change.at)} {change.title}" for change in incident.changes]


def movers(incident: Incident) -> list[str]:
    return [mover_line(mover) for mover in incident.movers]


def mover_line(mover: Mover) -> str:
    before, now = (amount(value, mover.unit) for value in (mover.before, mover.now))
    return f"{mover.title}: {now}, before {before}, since {words.moment(mover.moved_at)}"


def amount(value: float, unit: units.Unit) -> str:
    return units.text(value, unit).replace(units.GAP, " ")
