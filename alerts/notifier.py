"""What a notifier is: a name, its settings, and a pure function from a notice to a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from alerts.notices import Notice
from collectors.config import Config


@dataclass(frozen=True)
class Request:
    """One POST of JSON. Its repr tells neither address, token nor content."""

    url: str = field(repr=False)
    json: Mapping[str, Any] = field(repr=False)
    bearer: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Notifier:
    name: str
    """Its word in the configuration."""
    config: type[Config]
    render: Callable[[Notice, Any], Request]


class Settings(Protocol):
    """What delivery needs to know of every notifier's settings."""

    @property
    def send_resolved(self) -> bool: ...
    @property
    def timeout(self) -> float: ...


@dataclass(frozen=True)
class Channel:
    """One receiver: a notifier with its settings. The name is the operator's; messages and the outbox carry it."""

    name: str
    notifier: Notifier
    settings: Settings
