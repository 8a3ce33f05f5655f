"""The services that the dashboard is given, over real stores in a temporary folder and a clock of the test's own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from alerts.desk import Desk
from alerts.model import Alert, Group, RuleHealth
from alerts.notifier import Channel
from alerts.path.flow import Receiver
from alerts.path.plan import Plan
from alerts.rulefile import RuleFileError
from collectors.model import Finding, TargetStatus
from dashboard.added_checks import AddedChecks
from dashboard.app import create_app
from dashboard.boards import Boards
from dashboard.caller import SESSION
from dashboard.proxies import Network
from dashboard.services import Services, Written
from history import inventory
from history.access import Access, Scope
from history.database import open_database
from history.embedded import Embedded
from history.events import Events
from history.retention import Retention
from history.store import Store

NOW = 1_790_000_000.0
"""2026-09-21 14:13:20 UTC."""


@dataclass
class Alerting:
    """What the test says that it is: dashboard.services.Alerting."""

    found: Sequence[Alert] = ()
    loaded: Sequence[Group] = ()
    states: Sequence[RuleHealth] = ()
    refused: Sequence[RuleFileError] = ()

    def alerts(self) -> Sequence[Alert]:
        return self.found

    def groups(self) -> Sequence[Group]:
        return self.loaded

    def health(self) -> Sequence[RuleHealth]:
        return self.states

    def errors(self) -> Sequence[RuleFileError]:
        return self.refused


@dataclass
class Watched:
    """What the test says that it is: dashboard.services.Watched."""

    statuses: Sequence[TargetStatus] = ()
    found: Sequence[Finding] = ()
    unseen: Sequence[str] = ()

    def targets(self) -> Sequence[TargetStatus]:
        return self.statuses

    def findings(self) -> Sequence[Finding]:
        return self.found

    def blind(self) -> Sequence[str]:
        return self.unseen


@dataclass
class World:
    folder: Path
    now: float = NOW
    password: str = ""
    alerting: Alerting = field(default_factory=Alerting)
    watched: Watched = field(default_factory=Watched)
    plan: Plan = field(default_factory=Plan)
    proxies: Sequence[Network] = ()
    user_header: str = ""
    channels: Sequence[Channel] = ()
    written: Sequence[Written] = ()

    def __post_init__(self) -> None:
        self.engine = open_database(self.folder)
        self.store = Store(self.engine)
        self.events = Events(self.engine)
        self.access = Access(self.engine)
        self.boards = Boards(self.engine)
        self.checks = AddedChecks(self.engine)
        self.looked: list[float] = []
        self.services = Services(
            host="web-01",
            version="1.2.3",
            source=Embedded(self.store),
            alerting=self.alerting,
            watched=self.watched,
            events=self.events,
            access=self.access,
            secret_key="a key that only this test knows",
            clock=lambda: self.now,
            started=self.now - 3600,
            holding=lambda: inventory.holding(self.store, Retention()),
            desk=Desk(self.engine, lambda: self.plan, {"ops": Receiver(), "boss": Receiver()}, lambda: self.now),
            boards=self.boards,
            checks=self.checks,
            look_again=lambda: self.looked.append(self.now),
            ping_url="http://127.0.0.1:9876/ping/",
            password_hash=PasswordHasher(1, 8, 1).hash(self.password) if self.password else "",
            channels=self.channels,
            written=self.written,
            proxies=self.proxies,
            user_header=self.user_header,
        )
        self.app: Flask = create_app(self.services)

    def stranger(self) -> FlaskClient:
        """A client that is not logged in."""
        return self.app.test_client()

    def as_user(self, name: str) -> FlaskClient:
        """A client of a user, without the time that a password takes."""
        client = self.stranger()
        secret = self.access.sessions.open(self.now, name)
        with client.session_transaction() as session:
            session[SESSION] = secret
        return client

    def client(self) -> FlaskClient:
        """A client that is logged in."""
        client = self.stranger()
        assert client.get("/login", query_string={"key": self.access.create_login(self.now)}).status_code == 302
        return client

    def token(self, scope: Scope = "read") -> str:
        return self.access.create_token(scope, self.now)
