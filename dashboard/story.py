"""What happened in an incident, in the order of time: changes, alerts, what moved, who was told, what people did."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alerts import outbox
from alerts.desk import Desk
from alerts.incidents.model import Incident
from alerts.notices import fingerprint
from alerts.path.store import Decision
from alerts.silences import Silence
from dashboard.incident_cards import without_host
from dashboard.marks import state_of

MOST = 60


@dataclass(frozen=True)
class Moment:
    t: float  # Unix seconds
    look: str
    """crit, warn, info, ok or none."""
    kind: str
    words: str


@dataclass(frozen=True)
class Receiver:
    """One channel: whether it was told of the incident, and what it answered."""

    name: str
    state: str
    since: float | None  # Unix seconds; None: not told
    words: str


def story(incident: Incident, decisions: Iterable[Decision], silences: Iterable[Silence]) -> tuple[Moment, ...]:
    """The oldest first; of a long one the newest."""
    found = [
        *_of_alerts(incident),
        *(Moment(change.at, "info", "change", change.title) for change in incident.changes),
        *(
            Moment(each.moved_at, "none", "moved", f"{without_host(each.title, incident)} left its usual course")
            for each in incident.movers
        ),
        *(Moment(note.at, "info", "note", f"{note.by}: {note.text}") for note in incident.notes),
        *_of_decisions(decisions),
        *(Moment(each.starts, "info", "people", _first_upper(each.source)) for each in _once(silences)),
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda moment: moment.t)[-MOST:])


def _of_alerts(incident: Incident) -> Iterator[Moment]:
    for member in incident.alerts:
        yield Moment(member.since, state_of(member.severity), "alert", f"{member.name}: {member.words}")
        if member.until is not None:
            yield Moment(member.until, "ok", "over", f"{member.name} is over")
    if incident.ended is not None:
        yield Moment(incident.ended, "ok", "over", "The incident is over")


def _of_decisions(decisions: Iterable[Decision]) -> Iterator[Moment]:
    for each in decisions:
        if each.decision == "told":
            yield Moment(each.at, "info", "told", f"{each.receiver} was told: {each.reason}")
        else:
            yield Moment(each.at, "none", each.decision, f"{each.receiver} was not told: {each.reason}")


def _once(silences: Iterable[Silence]) -> list[Silence]:
    """Of several that were made together for several alerts, the first."""
    return list({(each.starts, each.source): each for each in silences}.values())


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def of_incident(desk: Desk | None, incident: Incident, now: float) -> tuple[tuple[Moment, ...], tuple[Receiver, ...]]:
    """The story, and who was told."""
    if desk is None:
        return story(incident, (), ()), ()
    keys = {fingerprint(member.labels) for member in incident.alerts}
    decisions = [each for key in sorted(keys) for each in desk.decisions(key) if each.at >= incident.began]
    ended = incident.ended or now
    silences = [
        each for each in desk.silences(incident.began)
        if each.starts <= ended and (each.fingerprint in keys or _was_for(each, incident))
    ]  # fmt: skip
    return story(incident, decisions, silences), receivers(desk, keys)


def _was_for(silence: Silence, incident: Incident) -> bool:
    return not silence.fingerprint and any(all(each(member.labels) for each in silence.matchers)
                                           for member in incident.alerts)  # fmt: skip


def receivers(desk: Desk, keys: Iterable[str]) -> tuple[Receiver, ...]:
    """Of what still fires, by channel."""
    wanted, channels = set(keys), outbox.standings(desk.engine)
    standings = [each for each in desk.standings() if each.fingerprint in wanted]
    names = dict.fromkeys(name for each in standings for name in (*each.receivers, *each.told))
    found = []
    for name in names:
        told = [each.told[name] for each in standings if name in each.told]
        held = [each.held_by for each in standings if each.held_by]
        error = channels[name].last_error if name in channels else ""
        if not told:
            why = f": {held[0]}" if held else " yet"
            found.append(Receiver(name, "none", None, f"not told{why}"))
        elif any(name in each.undelivered for each in standings):
            words = f"has not taken the message: {error}" if error else "was sent the message, no answer yet"
            found.append(Receiver(name, "crit" if error else "none", min(told), words))
        else:
            found.append(Receiver(name, "ok", min(told), "took the message"))
    return tuple(found)


def missing_route(found: Sequence[Receiver], incident: Incident) -> bool:
    return not found and incident.ended is None
