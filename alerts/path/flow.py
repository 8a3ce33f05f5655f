"""What the stages pass on. Each is a pure function from a flow to a flow; everything that it may know is in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from alerts.model import Alert, Labels
from alerts.notices import Told
from alerts.path.plan import Plan, Route
from alerts.silences import Silence

FIRST = "first firing"
"""The reason of the first word of a group."""
ESCALATED = "escalated: nobody acknowledged it"
"""That of the first word to whom it is escalated."""


class Address(NamedTuple):
    """One group at one receiver."""

    receiver: str
    group_key: str


@dataclass(frozen=True)
class Heard:
    """One alert that a receiver was told is firing, in one group."""

    at: float  # Unix seconds
    """When it was told first, or first after it was suppressed: escalation counts from then."""
    held: bool = False
    """It was suppressed since."""
    flap: float = 0.0
    """Since when it flaps, Unix seconds, if the receiver was told so."""
    ended: Alert | None = None
    """As it ended, until that is told."""


@dataclass(frozen=True)
class Memory:
    """What is remembered of a group while any of its alerts fires, or its end is to be told."""

    labels: Labels
    route: str
    due: float  # Unix seconds of its next tick
    heard: Mapping[str, Heard] = field(default_factory=dict)
    noted: str = ""
    """What was recorded last, so that each tick does not record it again."""
    members: tuple[str, ...] = ()
    """What fires in it, told or not."""


@dataclass(frozen=True)
class Flap:
    """The last changes of an alert between firing and resolved."""

    changes: tuple[float, ...]  # Unix seconds
    since: float = 0.0
    """Unix seconds since which it flaps; 0 if it does not."""
    hold: float = 0.0
    """Seconds that it has to be steady; kept for a while, as the next hold is longer."""
    over: float = 0.0
    """Unix seconds at which it was steady again."""
    alert: Alert | None = None
    """While it flaps: as it last ended."""


@dataclass(frozen=True)
class Receiver:
    """What the path needs to know of a channel."""

    send_resolved: bool = True
    hears: Callable[[Alert], bool] = lambda _alert: True


@dataclass(frozen=True)
class Known:
    """Everything that was known when the stages began."""

    now: float  # Unix seconds
    plan: Plan
    receivers: Mapping[str, Receiver]
    silences: tuple[Silence, ...] = ()
    """Those that have not ended."""
    flaps: Mapping[str, Flap] = field(default_factory=dict)
    memories: Mapping[Address, Memory] = field(default_factory=dict)
    told: Mapping[Address, Told] = field(default_factory=dict)
    lately: Mapping[str, int] = field(default_factory=dict)
    """Groups that were told first within the last minute, by receiver."""


@dataclass(frozen=True)
class Mark:
    """Why an alert is told to nobody now."""

    silenced_by: tuple[Silence, ...] = ()
    inhibited_by: tuple[Alert, ...] = ()

    @property
    def text(self) -> str:
        sources = [silence.source for silence in self.silenced_by]
        return "; ".join([*sources, *(f"inhibited by {alert.name}" for alert in self.inhibited_by)])


@dataclass(frozen=True)
class Batch:
    """One group at one receiver, and what becomes of it."""

    address: Address
    labels: Labels
    route: Route
    members: tuple[str, ...] = ()
    """Fingerprints."""
    before: Memory | None = None
    after: Memory | None = None
    due: bool = False
    alerts: tuple[Alert, ...] = ()
    """Of the message; empty for silence."""
    reason: str = ""
    """Why it is told, or why not; "" when it was not its time."""

    @property
    def heard(self) -> Mapping[str, Heard]:
        return self.before.heard if self.before else {}


@dataclass(frozen=True)
class Flow:
    known: Known
    alerts: Mapping[str, Alert]
    """By fingerprint; of those with equal labels the one that fires."""
    flaps: Mapping[str, Flap] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """Of suppressed alerts only."""
    batches: tuple[Batch, ...] = ()

    def firing(self, key: str) -> bool:
        return key in self.alerts and self.alerts[key].state == "firing"


Stage = Callable[[Flow], Flow]
