"""What the dashboard is given. It reads no system, evaluates no rule and knows no runner: only these."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from flask import current_app

from alerts.desk import Desk
from alerts.model import Alert, Group, RuleHealth
from alerts.notifier import Channel
from alerts.rulefile import RuleFileError
from collectors.model import Event, Finding, TargetStatus
from dashboard.added_checks import AddedChecks
from dashboard.boards import Boards
from dashboard.proxies import Network
from history.access import Access
from history.inventory import Holding
from history.model import Source


class Alerting(Protocol):
    """The live state of alerts; a snapshot each call, any thread."""

    def alerts(self) -> Sequence[Alert]:
        """Pending, firing, and resolved within the last hour; firing first, worst first, newest first."""
        ...

    def groups(self) -> Sequence[Group]: ...
    def health(self) -> Sequence[RuleHealth]: ...
    def errors(self) -> Sequence[RuleFileError]:
        """Of rule files that are refused."""
        ...


class Watched(Protocol):
    """The live state of collecting; a snapshot each call, any thread."""

    def targets(self) -> Sequence[TargetStatus]: ...
    def findings(self) -> Sequence[Finding]: ...
    def blind(self) -> Sequence[str]:
        """What we cannot see for want of rights, each a sentence."""
        ...


class Events(Protocol):
    def events(self, start: float, end: float, *, kind: str | None = None) -> list[Event]:
        """Newest first."""
        ...


@dataclass(frozen=True)
class Written:
    """A key of the configuration file."""

    key: str
    """From the top, with dots."""
    value: str
    """Never a secret."""
    place: str
    """file:line"""


@dataclass(frozen=True)
class Services:
    host: str
    version: str
    source: Source
    alerting: Alerting
    watched: Watched
    events: Events
    access: Access
    """Tokens, one-time logins and sessions, in the local database."""
    boards: Boards
    checks: AddedChecks
    secret_key: str
    """Signs session cookies; kept in the state directory."""
    clock: Callable[[], float]
    started: float  # Unix seconds
    central: bool = False
    """It watches other hosts and nothing of the one that it runs on."""
    interval: float = 10.0  # seconds between ticks
    holding: Callable[[], Holding | None] = lambda: None
    """What of the history is kept; None where another server keeps it."""
    password_hash: str = ""
    """argon2; "" when no password is set and only login links work."""
    desk: Desk | None = None
    """Routes, silences, and what of the alerts is suppressed."""
    external_url: str = ""
    look_again: Callable[[], None] | None = None
    """Called when a check was added or removed; None where this process runs none."""
    ping_url: str = ""
    """What comes before a heartbeat's key; "" where this process takes no pings."""
    channels: Sequence[Channel] = ()
    """Those that a test message can be sent to."""
    written: Sequence[Written] = ()
    """What the configuration file sets."""
    proxies: Sequence[Network] = ()
    """Whose X-Forwarded headers count."""
    user_header: str = ""
    """In which such a proxy names the user; "" for none."""


def services() -> Services:
    """Those of the application that answers the request."""
    return cast("Services", current_app.extensions["raingauge"])
