"""An incident in words, for messages and the command line. Pure."""

from alerts.incidents.model import Incident, Mover
from alerts.message import units, words

NO_CAUSE = "no clear cause"


def cause_lines(incident: Incident) -> list[str]:
    """The ladder, the first mover first, each with its evidence."""
    return [
        f"{cause.layer}: {cause.words}{f' ({chr(59).join(cause.evidence)})' if cause.evidence else ''}"
        for cause in incident.causes
    ] or [NO_CAUSE]


def changes(incident: Incident) -> list[str]:
    return [f"{words.moment(change.at)} {change.title}" for change in incident.changes]


def movers(incident: Incident) -> list[str]:
    return [mover_line(mover) for mover in incident.movers]


def mover_line(mover: Mover) -> str:
    before, now = (amount(value, mover.unit) for value in (mover.before, mover.now))
    return f"{mover.title}: {now}, before {before}, since {words.moment(mover.moved_at)}"


def amount(value: float, unit: units.Unit) -> str:
    return units.text(value, unit).replace(units.GAP, " ")
