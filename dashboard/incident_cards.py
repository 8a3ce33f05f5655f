"""Incidents in a line or two each: what is wrong, where, since when, the likeliest cause, whether someone has it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from alerts.desk import Desk
from alerts.incidents import store
from alerts.incidents.model import Incident, Member
from alerts.matchers import matches
from alerts.notices import fingerprint
from alerts.silences import Silence
from dashboard import trouble
from dashboard.alert_cards import without_place
from dashboard.marks import state_of

MOST = 50
UNIT = re.compile(r"(\d) %")


@dataclass(frozen=True)
class IncidentCard:
    id: int
    path: str
    look: str
    """crit, warn or info by severity; ok once it is over."""
    symptom: str
    where: str
    since: float  # Unix seconds
    ended: float | None  # Unix seconds
    cause: str
    """The first of its ladder, and what came then; "" if there is no clear one."""
    held: str
    """By whom all that fires is acknowledged or silenced; "" if something is not."""
    alerts: tuple[str, ...]
    """What fires, in words; of one that is over, what fired."""


def read(desk: Desk | None, *, open_only: bool = False, limit: int = MOST) -> tuple[Incident, ...]:
    """Open ones first, then the newest."""
    if desk is None:
        return ()
    with desk.engine.connect() as connection:
        return store.incidents(connection, open_only=open_only, limit=limit)


def cards(desk: Desk | None, incidents: Iterable[Incident], now: float) -> tuple[IncidentCard, ...]:
    held = [each for each in desk.silences(now) if each.state(now) == "active"] if desk else []
    return tuple(card(plain(incident), held) for incident in incidents)


def by_alert(incidents: Iterable[Incident]) -> Mapping[str, str]:
    """Fingerprint of what fires -> path of its incident."""
    return {fingerprint(member.labels): f"/incidents/{each.id}" for each in incidents for member in firing(each)}


def card(incident: Incident, silences: Sequence[Silence]) -> IncidentCard:
    """`silences`: those that are active."""
    shown = firing(incident) or incident.alerts
    return IncidentCard(
        incident.id,
        f"/incidents/{incident.id}",
        "ok" if incident.ended is not None else state_of(incident.severity),
        incident.symptom or shown[0].words,
        " on ".join(dict.fromkeys(filter(None, (incident.site, incident.host)))),
        incident.began,
        incident.ended,
        cause(incident),
        held_by(incident, silences),
        tuple(member.words for member in shown),
    )


def plain(incident: Incident) -> Incident:
    """Its words without the instance that they may begin with: beside them stands where it is. A cause has it short."""

    def bare(words: str) -> str:
        for member in incident.alerts:
            if (found := without_place(words, member.labels)) not in (words, words[:1].upper() + words[1:]):
                return found
        return words

    def short(words: str) -> str:
        return without_host(bare(words), incident)

    def named(words: str) -> str:
        place = re.compile(rf"\b{re.escape(incident.host)}:\S+")
        return place.sub(lambda found: trouble.instance(found[0], incident.host), bare(words))

    return replace(
        incident,
        symptom=UNIT.sub("\\1\u00a0%", short(incident.symptom)),
        alerts=tuple(replace(member, words=short(member.words)) for member in incident.alerts),
        causes=tuple(
            replace(
                each, words=named(each.words), evidence=tuple(without_host(line, incident) for line in each.evidence)
            )
            for each in incident.causes
        ),
    )


def without_host(words: str, incident: Incident) -> str:
    """`/run/php/www.sock` instead of `web-01:/run/php/www.sock`."""
    return words.replace(f"{incident.host}:/", "/") if incident.host else words


def cause(incident: Incident) -> str:
    first = [each.words for each in incident.causes[:2]]
    return ", then: ".join(dict.fromkeys(first))


def firing(incident: Incident) -> tuple[Member, ...]:
    return tuple(member for member in incident.alerts if member.until is None)


def held_by(incident: Incident, silences: Sequence[Silence]) -> str:
    """In words: by whom, and what they said; "" while something fires that nobody has taken."""
    found = [next((each for each in silences if _covers(each, member)), None) for member in firing(incident)]
    if not found or None in found:
        return ""
    return "; ".join(dict.fromkeys(each.source for each in found if each))


def _covers(silence: Silence, member: Member) -> bool:
    if silence.fingerprint:
        return silence.fingerprint == fingerprint(member.labels)
    return matches(silence.matchers, member.labels)
