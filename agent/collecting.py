"""Collecting on one host: the runner, the exporter, and discovery that is repeated. Needs neither numpy nor Flask."""

import logging
import threading
from collections.abc import Callable, Sequence

from agent.configuration import Configuration
from agent.discovery import Discovery, discover, merge
from agent.exporter import Authorised, Exporter
from agent.runner import Runner
from agent.ticking import Watch
from collectors import registry
from collectors.model import Finding, Sample, TargetStatus
from history.model import Sink

log = logging.getLogger("raingauge.collecting")

AGAIN_SECONDS = 60.0


class Collecting:
    """What the host's targets are and how their reads go: dashboard.services.Watched."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        version: str,
        sink: Sink | None = None,
        authorised: Authorised | None = None,
        own: Callable[[], Sequence[Sample]] = tuple,
    ) -> None:
        """Binds the exporter's address: OSError if it is taken."""
        self._configuration = configuration
        self._runner = Runner(configuration.host, sink, version=version, own=own)
        host, port = configuration.exporter.address
        self.exporter = Exporter(host, port, self._runner.pages, authorised)
        self._found = Discovery((), (), ())
        self.discovered = threading.Event()
        """Set once the first discovery has ended."""
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._thread = threading.Thread(target=self._discover, name="discovery", daemon=True)

    def start(self) -> None:
        """The host itself at once; the rest when discovery has found it, a second later."""
        host = registry.collector("host")
        if self._configuration.discovery and "host" not in self._configuration.targets:
            self._found = Discovery((Watch(host, host.config(), "this host"),), (), ())
            self._runner.set_targets(self._found.watches)
        self._runner.start()
        self.exporter.start()
        self._thread.start()

    def reload(self, configuration: Configuration) -> None:
        """Other targets from now on. Addresses and the host's name stay until a restart."""
        self._configuration = configuration
        self._found = Discovery((), (), ())
        self._again.set()

    def stop(self) -> None:
        self._stopping.set()
        self._again.set()
        self.exporter.stop()
        self._runner.stop()

    def _discover(self) -> None:
        while not self._stopping.is_set():
            self._again.clear()
            configuration, before = self._configuration, self._found
            found = merge(before, discover(configuration, self._runner.host))
            if configuration is self._configuration and not self._stopping.is_set():
                self._found = found
                self._runner.set_targets(found.watches)
                self.discovered.set()
            self._again.wait(AGAIN_SECONDS)

    def targets(self) -> Sequence[TargetStatus]:
        return self._runner.statuses()

    def findings(self) -> Sequence[Finding]:
        return self._found.findings

    def blind(self) -> Sequence[str]:
        return self._found.blind
