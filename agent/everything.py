"""Collecting, history, rules, delivery and dashboard in one process: `raingauge run`, and `raingauge dashboard`.

The second is for other hosts: discovery is off, so that it reads nothing of its own, and it copies the events of each
Raingauge that it scrapes.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent import alerting, asking, dead_man
from agent.collecting import Collecting
from agent.configuration import Configuration, split_address
from agent.elsewhere import Elsewhere, Fleet
from agent.exporter import Receiving
from agent.ingest.pulling import Pulling
from agent.ingest.receive import Receiver
from agent.ingest.scraping import Scraping
from agent.ingest.send import Forwarding, Sender
from agent.running import PAGES_FILE, VERSION
from agent.serving import Dashboard, password_hash, refuse_open, secret_key
from agent.shipping import Shipping
from agent.tokens import scrape_access, write_access
from agent.upkeep import Upkeep
from agent.written import written
from collectors.model import Sample
from dashboard.added_checks import AddedChecks
from dashboard.boards import Boards
from dashboard.services import Services, Watched
from history.access import Access
from history.database import open_database
from history.events import Events
from history.local import Local
from history.model import Source
from history.store import Store

log = logging.getLogger("raingauge.everything")

FIRST_TICK_SECONDS = 3.0
"""How long `start` waits for the first tick, so that the pages have something to show when their link is printed."""


class Everything:
    """Binds both addresses at once: OSError if one is taken, ConfigurationError if the dashboard would stand open."""

    def __init__(self, configuration: Configuration, state_dir: Path, *, central: bool = False) -> None:
        password = refuse_open(configuration)
        self._state_dir = state_dir
        self._engine = engine = open_database(state_dir, configuration.history.database_url(), check=True)
        self._access = Access(engine)
        store = Store(engine, configuration.history.keep, configuration.history.cache)
        events = Events(engine)
        self._upkeep = Upkeep(store, events, configuration.history)
        source = asking.source(configuration, store)
        self._senders = [Sender(each, state_dir) for each in configuration.remote_write]
        sink = Forwarding(Local(store, events), self._senders)
        self._scraping = Scraping(configuration.scrape_configs, sink)
        agents = self._scraping.agents if central else tuple
        self._pulling = Pulling(configuration.agents, configuration.host, engine, agents)
        self._receiver = Receiver(store)
        self._rules = alerting.Rules(configuration, source, engine, sink, time.time, link_key=secret_key(state_dir))
        self._shipping = Shipping(configuration.ship, engine)
        self._dead_man = dead_man.Watch(configuration.dead_man, self._progress, time.time)
        checks = AddedChecks(engine)
        self.collecting = Collecting(
            configuration,
            engine,
            version=VERSION,
            sink=sink,
            authorised=scrape_access(self._access, configuration.exporter.listen),
            own=self._own,
            receiving=Receiving(self._receiver.take, write_access(self._access)),
            of_people=lambda: [check.probe for check in checks.all()],
        )
        watched: Watched = self.collecting
        if central or configuration.scrape_configs or configuration.agents:
            watched = Fleet(self.collecting, self._scraping, self._pulling, Elsewhere(source, configuration.host))
        self.dashboard = self._pages(
            configuration, source, watched, events=events, checks=checks, password=password, central=central
        )

    def _pages(
        self,
        configuration: Configuration,
        source: Source,
        watched: Watched,
        *,
        events: Events,
        checks: AddedChecks,
        password: str | None,
        central: bool,
    ) -> Dashboard:
        engine = self._engine
        return Dashboard(
            *split_address(configuration.dashboard.listen),
            Services(
                host=configuration.host,
                version=VERSION,
                source=source,
                alerting=self._rules.evaluator,
                watched=watched,
                central=central,
                events=events,
                access=self._access,
                secret_key=secret_key(self._state_dir),
                clock=time.time,
                started=time.time(),
                interval=configuration.interval,
                holding=self._upkeep.holding,
                password_hash=password_hash(password),
                desk=self._rules.desk,
                external_url=configuration.external_url,
                boards=Boards(engine),
                checks=checks,
                look_again=self.collecting.look_again,
                ping_url=f"{self.collecting.exporter.url}/ping/",
                channels=alerting.channels(configuration),
                written=written(configuration),
                proxies=configuration.dashboard.proxies,
                user_header=configuration.dashboard.user_header,
            ),
        )

    def _progress(self) -> Mapping[str, float]:
        return {"collecting": self.collecting.last_tick, **self._rules.progress()}

    def _own(self) -> Sequence[Sample]:
        sent = (sample for sender in self._senders for sample in sender.samples())
        return [
            *self._rules.samples(),
            *self._dead_man.samples(),
            *self._upkeep.samples(),
            *self._receiver.samples(),
            *self._pulling.samples(),
            *sent,
        ]

    def login_link(self) -> str:
        """A new link that logs in once."""
        return self.dashboard.login_link(self._access.create_login(time.time()))

    def start(self) -> None:
        self.collecting.start()
        self.dashboard.start()
        (self._state_dir / PAGES_FILE).write_text(f"{self.dashboard.url}\n")
        self._upkeep.start()
        for sender in self._senders:
            sender.start()
        self._scraping.start()
        self._pulling.start()
        self.collecting.wait_for_first_tick(FIRST_TICK_SECONDS)
        self._rules.start()
        self._dead_man.start()
        self._shipping.start()

    def reload(self, configuration: Configuration) -> None:
        self.collecting.reload(configuration)
        self._rules.reload(configuration)

    def stop(self) -> None:
        """Collecting ends first, so that the last tick is stored; then rules, then the pages."""
        self._dead_man.stop()
        self.collecting.stop()
        self._scraping.stop()
        self._pulling.stop()
        self._rules.stop()
        self._upkeep.stop()
        self._shipping.stop()
        for sender in self._senders:
            sender.stop()
        self.dashboard.stop()
