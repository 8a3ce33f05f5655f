"""From alerts to what a channel is told: group, decide, and the notice itself. Pure.

The decision is Alertmanager's: a first alert, a new one, one resolved, all resolved, or the repeat interval is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from alerts.message.context import Context
from alerts.model import Alert, Labels

GROUP_BY = ("alertname", "host")
REPEAT_SECONDS = 4 * 3600.0

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3


@dataclass(frozen=True)
class Notice:
    """What one channel is told about one group: its firing alerts, and those resolved since it was told last."""

    receiver: str
    group_labels: Labels
    alerts: tuple[Alert, ...]
    external_url: str = ""
    at: float = 0.0
    """Unix seconds at which it is sent; delivery sets it at each try."""
    id: str = ""
    """Names the message, the same at each try; delivery sets it."""
    context: Context | None = None
    """What is known beyond the alerts; delivery asks for it when it sends."""

    @property
    def status(self) -> Literal["firing", "resolved"]:
        return "firing" if any(alert.state == "firing" for alert in self.alerts) else "resolved"

    @property
    def group_key(self) -> str:
        return group_key(self.group_labels)


@dataclass(frozen=True)
class Told:
    """What a channel was told about a group, or is about to be: the outbox is as good as sent."""

    firing: frozenset[str]
    """Fingerprints."""
    at: float  # Unix seconds
    received: bool = False
    """It has accepted a message of this group."""
    waiting: bool = False
    """A message of this group is still in the outbox."""


def fingerprint(labels: Labels) -> str:
    """Alertmanager's: FNV-1a over names and values in the order of names, each followed by byte 255."""
    value = _FNV_OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), 255, *labels[name].encode(), 255):
            value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def group_key(labels: Labels) -> str:
    pairs = ", ".join(f'{name}="{_escaped(labels[name])}"' for name in sorted(labels))
    return "{}:{" + pairs + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def group(alerts: Iterable[Alert], by: Sequence[str] = GROUP_BY) -> dict[str, tuple[Labels, list[Alert]]]:
    """Group key -> its labels and alerts; a label that an alert lacks is left out. Pending alerts are not told."""
    groups: dict[str, tuple[Labels, list[Alert]]] = {}
    for alert in alerts:
        if alert.state != "pending":
            labels = {name: alert.labels[name] for name in by if name in alert.labels}
            groups.setdefault(group_key(labels), (labels, []))[1].append(alert)
    return groups


def decide(alerts: Sequence[Alert], told: Told | None, now: float, send_resolved: bool) -> tuple[Alert, ...]:
    """The alerts to speak of in a message now; empty for silence.

    A resolve goes only to who got the firing; one that has not left yet becomes one message with both.
    """
    # Where two rules give the same labels, the one that fires counts.
    prints = {fingerprint(alert.labels): alert for alert in sorted(alerts, key=lambda alert: alert.state == "firing")}
    firing = {key for key, alert in prints.items() if alert.state == "firing"}
    before = told.firing if told else frozenset()
    ended = {key for key in before - firing if key in prints}
    may_resolve = told is not None and (told.received or told.waiting)
    resolved = ended if send_resolved and may_resolve else set()
    repeat = told is not None and bool(firing) and now - told.at >= REPEAT_SECONDS
    if not (firing - before or resolved or repeat):
        return ()
    spoken_of = firing | resolved
    return tuple(
        sorted((prints[key] for key in spoken_of), key=lambda a: (a.state != "firing", sorted(a.labels.items())))
    )
