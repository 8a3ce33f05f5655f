"""An incident: alerts that belong together, what explains them, and what people wrote about it.

Times are Unix seconds.
"""

from dataclasses import dataclass

from alerts.message.units import Unit
from alerts.model import Labels


@dataclass(frozen=True)
class Member:
    """One alert of an incident. One that ends and fires again soon is still the same member."""

    name: str
    labels: Labels
    severity: str
    since: float
    until: float | None
    """None while it fires."""
    words: str
    """Its summary, redacted."""


@dataclass(frozen=True)
class Cause:
    layer: str
    words: str
    evidence: tuple[str, ...]
    since: float
    alert: str
    """Name of the alert or of the signature behind it; "" for a change."""


@dataclass(frozen=True)
class Mover:
    """One series that left its usual course."""

    title: str
    expr: str
    """Of its candidate; the title, which has the labels filled in, tells which of its series it is."""
    layer: str
    before: float
    """Median of the window before."""
    now: float
    """Median since it moved."""
    unit: Unit
    moved_at: float
    score: float
    """How many times its usual spread it moved."""


@dataclass(frozen=True)
class Change:
    at: float
    kind: str
    title: str
    site: str = ""
    """ "" for what is of the whole host."""


@dataclass(frozen=True)
class Note:
    at: float
    by: str
    text: str


@dataclass(frozen=True)
class Incident:
    id: int
    """0 until it is stored."""
    host: str
    site: str
    """ "" when it is about several, or about the whole host."""
    severity: str
    """The worst that any of its alerts had."""
    symptom: str
    """What users notice, else what the worst alert says."""
    opened: float
    """When the alert that opened it became true."""
    ended: float | None
    alerts: tuple[Member, ...]
    """In the order in which they began."""
    causes: tuple[Cause, ...] = ()
    """The likeliest first; none: no clear cause."""
    movers: tuple[Mover, ...] = ()
    changes: tuple[Change, ...] = ()
    """The newest first."""
    command: str = ""
    """To run next; "" if no runbook says."""
    notes: tuple[Note, ...] = ()

    @property
    def began(self) -> float:
        """When the first of its alerts became true; what is only good to know may have been true before."""
        return min(member.since for member in self.alerts if member.severity != "info")
