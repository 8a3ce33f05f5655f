"""What explains an incident: its suspects in the order of a ladder, the first mover first. Pure.

A suspect that another explains comes after it. Of the others those come first that explain an outage by themselves;
then what began earlier; of what began at about one time, what lies deeper: a host before its database, that before PHP.
A change is judged by what would be first without it (changed.py).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from alerts import runbooks
from alerts.incidents import changed
from alerts.incidents.catalogue import LAYERS, filled
from alerts.incidents.gather import Findings, Sign
from alerts.incidents.graph import Graph
from alerts.incidents.grouping import AT_ONE_TIME, JOIN_SECONDS, rank
from alerts.incidents.model import Cause, Change, Incident, Member, Mover
from alerts.incidents.roles import IDLE, is_symptom, strength
from alerts.message.units import GAP
from alerts.message.units import text as amount
from alerts.message.words import duration
from alerts.model import Labels
from alerts.silences import is_security

WEAKEST = 2
MOST_CAUSES = 6
_COMMAND = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Suspect:
    labels: Labels
    """As an alert has them, for the graph."""
    layer: str
    words: str
    evidence: tuple[str, ...]
    since: float  # Unix seconds
    command: str
    strength: int
    """As roles.py has it."""

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


def explained(incident: Incident, findings: Findings, graph: Graph) -> Incident:
    found = _ladder(_suspects(incident, findings), graph)
    first = next((one for one in found if one.strength < WEAKEST), None)
    changes = _of_changes(incident, findings, first, graph)
    suspects = _ladder([*found, *changes], graph)[:MOST_CAUSES]
    return replace(
        incident,
        symptom=findings.symptom or _symptom(incident),
        causes=tuple(_cause(one, suspects, findings.movers, graph) for one in suspects),
        movers=findings.movers,
        changes=findings.changes,
        command=next((one.command for one in suspects if one.command), "") or _of_runbooks(incident.alerts),
    )


def _symptom(incident: Incident) -> str:
    """What a check from outside says, else the worst alert."""

    def order(member: Member) -> tuple[bool, bool, int, float]:
        return member.until is not None, not is_symptom(member.labels), rank(member.severity), member.since

    return min(incident.alerts, key=order).words


def _suspects(incident: Incident, findings: Findings) -> list[Suspect]:
    signs = [_of_sign(sign, incident) for sign in findings.signs]
    members = [_of_member(member) for member in incident.alerts if _may_explain(member)]
    alone = []
    for sign in signs:
        same = next((at for at, one in enumerate(members) if _says_the_same(one, sign)), None)
        if same is None:
            alone.append(sign)
        else:
            members[same] = _both(members[same], sign)
    return [*members, *alone]


def _says_the_same(member: Suspect, sign: Suspect) -> bool:
    """The alert of that name, about the same thing."""
    return all(member.labels.get(name, value) == value for name, value in sign.labels.items())


def _both(member: Suspect, sign: Suspect) -> Suspect:
    """An alert has the layer of its rules' file; the signature says in which the reason lies."""
    return replace(
        member, layer=sign.layer, evidence=(*member.evidence, *sign.evidence), since=min(member.since, sign.since),
        strength=min(member.strength, sign.strength),
    )  # fmt: skip


def _may_explain(member: Member) -> bool:
    return not is_symptom(member.labels) and member.labels.get("class") != "self"


def _of_member(member: Member) -> Suspect:
    layer = member.labels.get("layer", "")
    likely = strength(member.labels)
    if member.name in IDLE:
        likely = max(likely, 1)
    return Suspect(member.labels, layer, member.words, (), member.since, _of_runbook(member.name), likely)


def _of_sign(sign: Sign, incident: Incident) -> Suspect:
    """What was so long before is no news: it hardly explains what began now."""
    signature = sign.signature
    strength = WEAKEST if sign.since < incident.began - JOIN_SECONDS else 0 if signature.certain else 1
    labels = {**sign.labels, "alertname": signature.alert or signature.name}
    return Suspect(
        labels, signature.layer, filled(signature.words, sign.labels), sign.evidence, sign.since, signature.command,
        strength,
    )  # fmt: skip


def _of_changes(incident: Incident, findings: Findings, first: Suspect | None, graph: Graph) -> Iterable[Suspect]:
    """`first`: what is the first cause without them; None where only symptoms are known, which any may have made."""
    since, layer = incident.began, ""
    if first:  # a pool fills before it is full
        since = min([first.since, *(mover.moved_at for mover in findings.movers if mover.layer == first.layer)])
        layer = first.layer
    sites = frozenset[str]().union(*(graph.sites(member.labels) for member in incident.alerts))
    may = [
        change
        for change in findings.changes
        if changed.may_precede(change, since) and (not sites or change.site in ("", *sites))
    ]
    nearest = [change for change in may if change.site] or may  # the site's own, before those of the whole host
    for change in may:
        is_likely = change in nearest and changed.reaches(change, layer)
        yield _of_change(change, since, 1 if is_likely else WEAKEST)


def _of_change(change: Change, since: float, strength: int) -> Suspect:
    ago = since - change.at
    when = f"{duration(ago)} before it began" if ago >= 0 else "as it began"
    return Suspect({}, "change", change.title, (when,), change.at, "", strength)


def _ladder(suspects: Sequence[Suspect], graph: Graph) -> list[Suspect]:
    first = min((one.since for one in suspects), default=0.0)

    def order(one: Suspect) -> tuple[bool, int, int, int, float]:
        follows = any(graph.explains(other.labels, one.labels) for other in suspects if other is not one)
        return follows, one.strength, int((one.since - first) // AT_ONE_TIME), _depth(one), one.since

    return sorted(suspects, key=order)


def _depth(one: Suspect) -> int:
    """Steps of an intrusion lie in no layer: what came first comes first."""
    layer = "" if is_security(one.labels) else one.layer
    return next((at for at, known in enumerate(LAYERS) if known == layer), len(LAYERS))


def _cause(one: Suspect, suspects: Iterable[Suspect], movers: Iterable[Mover], graph: Graph) -> Cause:
    follows = [other.name for other in suspects if other is not one and graph.explains(other.labels, one.labels)]
    moved = [_moved(mover) for mover in movers if mover.layer == one.layer]
    evidence = (*one.evidence, *moved, *(f"follows from {name}" for name in follows))
    return Cause(one.layer, one.words, evidence, one.since, one.name)


def _moved(mover: Mover) -> str:
    before, now = (amount(value, mover.unit).replace(GAP, " ") for value in (mover.before, mover.now))
    return f"{mover.title}: {now}, before {before}"


def _of_runbooks(members: Iterable[Member]) -> str:
    worst = sorted(members, key=lambda member: (rank(member.severity), member.since))
    return next((command for member in worst if (command := _of_runbook(member.name))), "")


def _of_runbook(alert: str) -> str:
    """The first command of its first steps; "" if it has no page."""
    try:
        page = runbooks.page(alert)
    except KeyError:
        return ""
    found = _COMMAND.search(page.partition("## First steps")[2])
    return found[1] if found else ""
