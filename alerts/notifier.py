"""What a notifier is: a name, its settings, and a pure function from a notice to a request (or, for mail, `send`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from alerts.model import Alert
from alerts.notices import Notice
from collectors.config import Config, Secret, Timeout, reveal

Verdict = Literal["done", "retry", "permanent"]
NOTIFY_FAILING = "NotifyFailing"
"""The shipped alert about a channel; its label `channel` says which."""


@dataclass(frozen=True)
class Request:
    """One POST of JSON, or a PUT of a picture. Its repr tells neither address, token nor content."""

    url: str = field(repr=False)
    json: Any = field(repr=False)
    bearer: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    picture: bytes = field(default=b"", repr=False)
    """PNG, instead of `json`; the text is in the headers."""
    plain: "Request | None" = field(default=None, repr=False)
    """What is sent at once where this one is not taken: the same without its picture."""


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str = ""
    """The header as it came."""
    text: str = ""
    """The first line of what it said."""
    protocol: str = "HTTP"
    meaning: Verdict | None = None
    """None: by the status of HTTP."""

    @property
    def verdict(self) -> Verdict:
        return self.meaning or verdict(self.status)

    def __str__(self) -> str:
        return f"{self.protocol} {self.status}" + (f": {self.text}" if self.text else "")


def verdict(status: int) -> Verdict:
    if 200 <= status < 300:
        return "done"
    return "retry" if status in (408, 429) or status >= 500 else "permanent"


class ChannelSettings(Config):
    send_resolved: bool = True
    """Also tell when an alert is over."""
    timeout: Timeout = 10.0
    """How long to wait for the connection, and for the answer."""


class Settings(Protocol):
    """What delivery needs to know of every notifier's settings."""

    @property
    def send_resolved(self) -> bool: ...
    @property
    def timeout(self) -> float: ...


@dataclass(frozen=True)
class Notifier:
    """One of `render` and `send` is given. `send` raises OSError, or tells what the receiver answered."""

    name: str
    """Its word in the configuration."""
    config: type[ChannelSettings]
    about: str
    """Whom it tells, for the reference."""
    render: Callable[[Notice, Any], Request] | None = None
    send: Callable[[Notice, Any], Answer] | None = None
    resend: Callable[[Any], float] | None = None
    """Seconds between two messages of the whole state, for a receiver that forgets what it is not told again."""


@dataclass(frozen=True)
class Channel:
    """One receiver: a notifier with its settings. The name is the operator's; messages and the outbox carry it."""

    name: str
    notifier: Notifier
    settings: Settings

    @property
    def resend(self) -> float | None:
        return None if self.notifier.resend is None else self.notifier.resend(self.settings)

    def hears(self, alert: Alert) -> bool:
        """That a channel fails is told by the others."""
        return alert.name != NOTIFY_FAILING or alert.labels.get("channel") != self.name


def _web_address(url: Secret) -> Secret:
    try:
        at = urlsplit(url.reveal())
        good = at.scheme in ("http", "https") and at.hostname and at.port != 0
    except ValueError:  # its words may repeat the address
        good = False
    if not good:
        raise ValueError("expected an http:// or https:// address")
    return url


SecretUrl = Annotated[Secret, AfterValidator(_web_address)]
"""Many such addresses are the key themselves."""


def one_of(secret: object, file: object, name: str) -> None:
    """ValueError unless exactly one of a secret and its file is set."""
    if (secret is None) == (file is None):
        raise ValueError(f"expected either {name} or {name}_file, found {'none' if secret is None else 'both'} of them")


class IncomingWebhook(ChannelSettings):
    """Of a chat: whoever knows the address may write there."""

    url: SecretUrl | None = None
    """The webhook's address, which is its key."""
    url_file: Path | None = None
    """File with the address, instead of `url`; read at each message."""

    @model_validator(mode="after")
    def _an_address(self) -> Self:
        one_of(self.url, self.url_file, "url")
        return self

    def address(self) -> str:
        """OSError when `url_file` cannot be read."""
        return reveal(self.url, self.url_file) or ""
