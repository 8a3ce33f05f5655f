"""What the questions are asked about, and the shape of an answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alerts.incidents.model import Cause, Incident
from alerts.model import Alert
from collectors.model import Event, Finding, TargetStatus
from dashboard import host_facts, units
from dashboard.costs import Span, quoted
from dashboard.marks import STATES
from dashboard.units import Unit
from history.model import Point, Source

BEFORE_SECONDS = 1800.0
"""How long before it began what is usual is looked up."""


@dataclass(frozen=True)
class Answer:
    anchor: str
    question: str
    state: str
    """crit, warn, none (not known) or ok."""
    text: str
    lines: tuple[str, ...] = ()
    path: str = ""
    """Where more of it is; "" for nowhere."""
    more: str = ""
    """What is there."""


@dataclass(frozen=True)
class Scope:
    """One incident at one time."""

    source: Source
    incident: Incident
    site: str
    """The site that suffers; "" where that is not known."""
    now: float  # Unix seconds; of an incident that is over, its end
    targets: Sequence[TargetStatus]
    findings: Sequence[Finding]
    alerts: Sequence[Alert]
    events: Sequence[Event]
    """Of the last day, the newest first."""
    blind: Sequence[str]
    """What cannot be seen, each a sentence."""
    held: str
    """Who has it; "" for nobody."""
    window: str
    """The time around it, as the query of a link."""

    @property
    def before(self) -> float:
        return self.incident.began - BEFORE_SECONDS

    @property
    def causes(self) -> Sequence[Cause]:
        """Of the incident, the likeliest first, without what is only good to know."""
        context = {member.name for member in self.incident.alerts if member.severity == "info"}
        return [cause for cause in self.incident.causes if cause.alert not in context]

    @property
    def span(self) -> Span:
        """From its beginning on."""
        return Span(self.now, max(300.0, self.now - self.incident.began))

    def matchers(self, *more: str) -> str:
        """In braces: of the site, where it is known, and `more`."""
        return f"{{{','.join((*([f'site={quoted(self.site)}'] if self.site else []), *more))}}}"

    @property
    def attacks(self) -> Sequence[Event]:
        """Events of security of the last day that need a look, the newest first."""
        return [each for each in self.events if each.kind.startswith("security.") and each.severity in STATES]

    def uses(self, job: str, instance: str) -> bool:
        """Whether the site needs that server; true where it is not known what it needs."""
        needed = self.points(f"web_site_uses{self.matchers()}") if self.site else ()
        return not needed or any(
            (point.labels.get("target_job"), point.labels.get("target_instance")) == (job, instance) for point in needed
        )

    def points(self, expr: str) -> Sequence[Point]:
        found = host_facts.points(self.source, expr, self.now)
        return [point for point in found if math.isfinite(point.value)]

    def number(self, expr: str) -> float | None:
        return host_facts.number(self.source, expr, self.now)

    def usual(self, expr: str) -> float | None:
        return host_facts.number(self.source, expr, self.before)

    def compared(self, expr: str, unit: Unit) -> str:
        """`24, usually 2`; "" where it is not known."""
        value, usual = self.number(expr), self.usual(expr)
        if value is None:
            return ""
        said = units.text(value, unit)
        return said if usual is None else f"{said}, usually {units.text(usual, unit)}"
