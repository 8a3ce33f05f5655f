"""`raingauge dashboard --read-only`: the pages over a history that another process writes, or that was copied here.

It reads only: it collects nothing, evaluates no rule and tells nobody, so that nothing happens twice.
"""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent import alerting, asking
from agent.configuration import Configuration, split_address
from agent.elsewhere import Elsewhere
from agent.rule_files import RuleFiles
from agent.running import VERSION
from agent.serving import Dashboard, password_hash, refuse_open, secret_key
from agent.written import written
from alerts import state
from alerts.model import Alert, Group, RuleHealth
from alerts.notices import one_each
from alerts.recording import in_order
from alerts.rulefile import RuleFileError
from dashboard.added_checks import AddedChecks
from dashboard.boards import Boards
from dashboard.services import Services
from history.access import Access
from history.database import open_database
from history.events import Events
from history.inventory import holding
from history.store import Store

log = logging.getLogger("raingauge.following")

REFRESH_SECONDS = 5.0


class StoredAlerts:
    """dashboard.services.Alerting from what the evaluating process saved."""

    def __init__(self, engine: Engine, groups: Sequence[Group], errors: Sequence[RuleFileError] = ()) -> None:
        self._engine = engine
        self._groups = groups
        self._errors = errors

    def alerts(self) -> Sequence[Alert]:
        return in_order(one_each(state.alerts(self._engine)).values())

    def groups(self) -> Sequence[Group]:
        return self._groups

    def health(self) -> Sequence[RuleHealth]:
        return [RuleHealth(group.name, rule, "unknown") for group in self._groups for rule in group.rules]

    def errors(self) -> Sequence[RuleFileError]:
        return self._errors


class Following:
    """Binds the address: OSError if it is taken, ConfigurationError if it would stand open."""

    def __init__(self, configuration: Configuration, state_dir: Path) -> None:
        password = refuse_open(configuration)
        engine = open_database(state_dir, configuration.history.database_url())
        self._access = Access(engine)
        self._store = Store(engine, cache=configuration.history.cache)
        source = asking.source(configuration, self._store)
        groups, errors = RuleFiles(configuration).load()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)
        self.dashboard = Dashboard(
            *split_address(configuration.dashboard.listen),
            Services(
                host=configuration.host,
                version=VERSION,
                source=source,
                alerting=StoredAlerts(engine, groups, errors),
                watched=Elsewhere(source, configuration.host),
                events=Events(engine),
                access=self._access,
                secret_key=secret_key(state_dir),
                clock=time.time,
                started=time.time(),
                interval=configuration.interval,
                holding=lambda: None if configuration.history.url else holding(self._store, configuration.history.keep),
                password_hash=password_hash(password),
                desk=alerting.desk(configuration, engine),
                external_url=configuration.external_url,
                boards=Boards(engine),
                checks=AddedChecks(engine),
                channels=alerting.channels(configuration),
                written=written(configuration),
                proxies=configuration.dashboard.proxies,
                user_header=configuration.dashboard.user_header,
            ),
        )

    def login_link(self) -> str:
        return self.dashboard.login_link(self._access.create_login(time.time()))

    def start(self) -> None:
        self._thread.start()
        self.dashboard.start()

    def reload(self, configuration: Configuration) -> None:
        """Nothing of the configuration changes what is shown before a restart."""

    def stop(self) -> None:
        self._stopping.set()
        self.dashboard.stop()

    def _follow(self) -> None:
        while not self._stopping.wait(REFRESH_SECONDS):
            try:
                self._store.refresh()
            except SQLAlchemyError:
                log.exception("refresh=failed")
