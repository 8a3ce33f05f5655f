"""Collecting on one host: the runner, the exporter, and discovery that is repeated. Needs neither numpy nor Flask."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent import added, feeding
from agent.configuration import Configuration, split_address
from agent.discovery import Discoverer, Discovery, configured, paced
from agent.exporter import Authorised, Doors, Exporter, Receiving
from agent.followers import Kept
from agent.heartbeats import Heartbeats
from agent.probing import Probing
from agent.remembered import Remembered
from agent.runner import Runner
from agent.ticking import Watch
from collectors import registry
from collectors.model import Finding, Sample, TargetStatus
from collectors.probe.config import Probe
from history.model import Sink

log = logging.getLogger("raingauge.collecting")

AGAIN_SECONDS = 60.0


class Collecting:
    """What the host's targets are and how their reads go: dashboard.services.Watched."""

    def __init__(
        self,
        configuration: Configuration,
        engine: Engine,
        *,
        version: str,
        sink: Sink | None = None,
        authorised: Authorised | None = None,
        own: Callable[[], Sequence[Sample]] = tuple,
        receiving: Receiving | None = None,
        of_people: Callable[[], Sequence[Probe]] = tuple,
    ) -> None:
        """Binds the exporter's address: OSError if it is taken. `of_people`: checks that people added on the pages."""
        self._asked_for = of_people
        self._configuration = configuration
        self._runner = Runner(configuration.host, sink, version=version, own=own, kept=Kept(engine))
        host, port = split_address(configuration.exporter.listen)
        self._probing = Probing(configuration.exporter.probe_targets)
        self._heartbeats = Heartbeats(engine, configuration.heartbeats)
        doors = Doors(self._probing.answer, self._heartbeats.ping, partial(feeding.answer, engine, configuration.host))
        self.exporter = Exporter(host, port, self._runner.pages, authorised, receiving=receiving, doors=doors)
        self._discoverer = Discoverer(Remembered(engine))
        self._found = Discovery()
        self.discovered = threading.Event()
        """Set once the first discovery has ended."""
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._thread = threading.Thread(target=self._discover, name="discovery", daemon=True)

    def start(self) -> None:
        """The host itself at once; the rest when discovery has found it, a second later."""
        self._runner.set_targets([*_first(self._configuration), *self._waited_for()])
        self._runner.start()
        self.exporter.start()
        self._thread.start()

    def wait_for_first_tick(self, seconds: float) -> None:
        """Return when the first discovery has ended and a tick has closed, or after so many seconds."""
        until = time.monotonic() + seconds
        self.discovered.wait(seconds)
        while not self._runner.pages.ready and time.monotonic() < until:
            self._stopping.wait(0.02)

    def reload(self, configuration: Configuration) -> None:
        """Other targets from now on, and what was refused is tried again. Addresses and the host's name stay."""
        self._configuration = configuration.model_copy(update={"host": self._runner.host})
        self._probing.targets = configuration.exporter.probe_targets
        self._heartbeats.set_jobs(configuration.heartbeats)
        self._discoverer.forget_refused()
        self._again.set()

    def _waited_for(self) -> list[Watch]:
        return [paced(watch, self._configuration.interval) for watch in self._heartbeats.watches()]

    def _of_people(self, others: Sequence[Watch]) -> list[Watch]:
        """Checks added on the pages, but those that the configuration has as well."""
        known = {watch.collector.target(watch.config, self._runner.host) for watch in others}
        try:
            found = added.watches(self._asked_for(), self._probing.lists)
        except SQLAlchemyError:
            log.exception("added_checks=unreadable")
            return []
        return [
            paced(watch, self._configuration.interval)
            for watch in found
            if watch.collector.target(watch.config, self._runner.host) not in known
        ]

    def look_again(self) -> None:
        """At once and not within a minute: something was added, perhaps."""
        self._again.set()

    def stop(self) -> None:
        self._stopping.set()
        self._again.set()
        self.exporter.stop()
        self._runner.stop()

    def _discover(self) -> None:
        while not self._stopping.is_set():
            self._again.clear()
            found = self._once()
            if found and not self._stopping.is_set():
                self._found = found
                self._runner.set_targets([*found.watches, *self._waited_for(), *self._of_people(found.watches)])
            if self.discovered.is_set() and not gc.get_freeze_count():
                _settle()
            self.discovered.set()
            self._again.wait(AGAIN_SECONDS)

    def _once(self) -> Discovery | None:
        """None: this time it failed, and what was found before stays."""
        try:
            return self._discoverer.discover(self._configuration)
        except (OSError, SQLAlchemyError):
            log.exception("discovery=failed")
            return None

    @property
    def last_tick(self) -> float:
        """When any target last published, Unix seconds."""
        return self._runner.last_tick

    def targets(self) -> Sequence[TargetStatus]:
        return self._runner.statuses()

    def findings(self) -> Sequence[Finding]:
        return self._found.findings

    def blind(self) -> Sequence[str]:
        return self._found.blind


def _settle() -> None:
    """After the first minute all is loaded and stays: no full collection of garbage looks through it again.

    It would be a tenth of what the ticks cost.
    """
    gc.collect()
    gc.freeze()


def _first(configuration: Configuration) -> list[Watch]:
    """What needs no discovery: the configuration's targets, and this host."""
    watches = list(configured(configuration))
    if configuration.discovery and not configuration.targets_of("host"):
        host = registry.collector("host")
        watches.append(Watch(host, host.config(), "this host"))
    return [paced(watch, configuration.interval) for watch in watches]
