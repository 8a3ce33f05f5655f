"""What a channel is told: the notice, how it is named, and what is remembered of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from alerts.message.context import Context
from alerts.model import Alert, Labels

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3


@dataclass(frozen=True)
class Notice:
    """What one channel is told about one group: its firing alerts, and those resolved since it was told last."""

    receiver: str
    group_labels: Labels
    alerts: tuple[Alert, ...]
    external_url: str = ""
    route: str = "{}"
    """Key of the route that led here."""
    reason: str = ""
    """Why it is told now."""
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
        return group_key(self.group_labels, self.route)


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
    return _hashed(tuple(sorted(labels.items())))


def one_each(alerts: Iterable[Alert]) -> dict[str, Alert]:
    """By fingerprint. Of equal labels, whatever two sources they are from, the one that fires counts."""
    found: dict[str, Alert] = {}
    for alert in alerts:
        key = fingerprint(alert.labels)
        if key not in found or (alert.state == "firing" and found[key].state != "firing"):
            found[key] = alert
    return found


@lru_cache(maxsize=16384)
def _hashed(pairs: tuple[tuple[str, str], ...]) -> str:
    """Kept, as each cycle asks for each alert's several times."""
    value = _FNV_OFFSET
    for name, text in pairs:
        for byte in (*name.encode(), 255, *text.encode(), 255):
            value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def group_key(labels: Labels, route: str = "{}") -> str:
    pairs = ", ".join(f'{name}="{_escaped(labels[name])}"' for name in sorted(labels))
    return route + ":{" + pairs + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
