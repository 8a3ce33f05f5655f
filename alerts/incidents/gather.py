"""What the history knows of an incident: asked once when it is explained. What cannot be asked is left out."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from alerts.asked import points
from alerts.incidents.catalogue import (
    Candidate,
    Condition,
    Signature,
    Symptom,
    candidates,
    filled,
    signatures,
    symptoms,
)
from alerts.incidents.grouping import JOIN_SECONDS
from alerts.incidents.model import Change, Incident, Mover
from alerts.incidents.movers import mover, top
from alerts.message.units import GAP, Unit
from alerts.message.units import text as amount
from alerts.model import Labels
from collectors.model import Event
from history.events import Events
from history.model import Line, Point, QueryError, Source

log = logging.getLogger("raingauge.alerts.incidents")

LEAD_SECONDS = 300.0
"""Looked at before the first alert: most say `for` a minute or more."""
SHORTEST, LONGEST = 600.0, 3600.0
"""Seconds of the window that is compared."""
TIMES_BEFORE = 4
STEPS = 200
CHANGES_SECONDS = 3600.0
NO_CHANGES = ("alert", "drupal.error", "php.error", "security", "history.", "clock_jump")
"""Kinds of events that begin so are not what somebody changed."""
MOST_CHANGES = 8
HELD_SECONDS = 1800.0
"""Looked back at the least; always far enough to tell what was so long before it began."""
HELD_STEP = 30.0


@dataclass(frozen=True)
class Sign:
    """A signature that holds."""

    signature: Signature
    labels: Labels
    evidence: tuple[str, ...]
    since: float  # Unix seconds


@dataclass(frozen=True)
class Findings:
    symptom: str = ""
    """ "" if none of those that users notice was found."""
    signs: tuple[Sign, ...] = ()
    movers: tuple[Mover, ...] = ()
    changes: tuple[Change, ...] = ()
    """The newest first."""


@dataclass(frozen=True)
class Window:
    """`start`..`split` is what was before, `split`..`end` what is compared with it; Unix seconds."""

    start: float
    split: float
    end: float
    step: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", max(5.0, (self.end - self.start) / STEPS))


def window(began: float, now: float) -> Window:
    span = min(LONGEST, max(SHORTEST, now - began + LEAD_SECONDS))
    return Window(now - (1 + TIMES_BEFORE) * span, now - span, now)


def gather(incident: Incident, source: Source, events: Events, now: float) -> Findings:
    asked = _Asked(incident, source, now)
    looked = window(incident.began, now)
    moved = [one for candidate in candidates() for one in asked.moved(candidate, looked)]
    found = (asked.sign(signature) for signature in signatures())
    return Findings(
        next((words for one in symptoms() if (words := asked.symptom(one, looked))), ""),
        tuple(sign for sign in found if sign),
        top(moved),
        _changes(incident, events.events(incident.began - CHANGES_SECONDS, now)),
    )


def _changes(incident: Incident, found: Iterable[Event]) -> tuple[Change, ...]:
    changes = [
        Change(event.first, event.kind, event.title, event.site)
        for event in found
        if not event.kind.startswith(NO_CHANGES) and is_here(incident, {"host": event.host, "site": event.site})
    ]
    before = [change for change in changes if change.at <= incident.began][:MOST_CHANGES]
    after = [change for change in changes if change.at > incident.began]
    return (*after[: MOST_CHANGES - len(before)], *before)


class _Asked:
    """The history at one place and time."""

    def __init__(self, incident: Incident, source: Source, now: float) -> None:
        self._incident = incident
        self._source = source
        self._now = now

    def moved(self, candidate: Candidate, looked: Window) -> list[Mover]:
        lines = self._range(candidate.expr, looked.start, looked.end, looked.step)
        found = (
            mover(candidate, line.labels, line.times.tolist(), line.values.tolist(), looked.split) for line in lines
        )
        return [one for one in found if one]

    def symptom(self, symptom: Symptom, looked: Window) -> str:
        found = [point for point in self._points(symptom.expr) if point.value > symptom.least]
        if not found:
            return ""
        worst = max(found, key=lambda point: point.value)
        lines = self._range(symptom.expr, looked.start, looked.split, looked.step)
        usual = [line.values.tolist() for line in lines if line.labels == worst.labels]
        now = _amount(worst.value, symptom.unit)
        if not usual or not usual[0]:
            return filled(symptom.words.rpartition(" against")[0], worst.labels, now=now)
        before = median(usual[0])
        if worst.value < symptom.times * before:
            return ""
        return filled(symptom.words, worst.labels, now=now, before=_amount(before, symptom.unit))

    def sign(self, signature: Signature) -> Sign | None:
        held: list[tuple[Condition, Point]] = []
        for condition in signature.when:
            found = self._points(condition.expr)
            if not found:
                return None
            held.append((condition, max(found, key=lambda point: point.value)))
        evidence = tuple(
            filled(condition.words, point.labels, value=_amount(point.value, condition.unit))
            for condition, point in held
        )
        condition, point = held[0]
        return Sign(signature, point.labels, evidence, self._since(condition.expr, point.labels))

    def _since(self, expr: str, labels: Labels) -> float:
        """Since when it holds without a gap, as far as is looked."""
        since = self._now
        start = min(since - HELD_SECONDS, self._incident.began - JOIN_SECONDS - 2 * HELD_STEP)
        for line in self._range(expr, start, self._now, HELD_STEP):
            for t in reversed(line.times.tolist()) if line.labels == labels else ():
                if since - t > 1.5 * HELD_STEP:
                    break
                since = t
        return since

    def _points(self, expr: str) -> Sequence[Point]:
        try:
            return [
                point for point in points(self._source.query(expr, self._now)) if is_here(self._incident, point.labels)
            ]
        except (QueryError, ValueError) as error:
            log.debug("incident=%d not asked: %s", self._incident.id, error)
            return ()

    def _range(self, expr: str, start: float, end: float, step: float) -> Sequence[Line]:
        try:
            lines = self._source.query_range(expr, start, end, step).lines
        except QueryError as error:
            log.debug("incident=%d not asked: %s", self._incident.id, error)
            return ()
        return [line for line in lines if is_here(self._incident, line.labels)]


def is_here(incident: Incident, labels: Labels) -> bool:
    """At the incident's host, and at its site if it is about one; what names neither is everywhere."""
    host, site = labels.get("host", ""), labels.get("site", "")
    return host in ("", incident.host) and (not incident.site or site in ("", incident.site))


def _amount(value: float, unit: Unit) -> str:
    return amount(value, unit).replace(GAP, " ")
