"""Raingauge as a running process: which rooms are joined, in which order they start and stop, and what signals do."""

import fcntl
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from agent.collecting import Collecting
from agent.configuration import Configuration, ConfigurationError
from agent.shipping import Shipping
from agent.tokens import scrape_access
from history.access import Access
from history.database import open_database

log = logging.getLogger("raingauge.running")

VERSION = version("raingauge")
PAGES_FILE = "pages"
"""In the state directory: the address of the running process's pages, for `raingauge token login`."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class BusyError(Exception):
    """The state directory belongs to another running process."""


class Process(Protocol):
    """What `raingauge run`, `agent` and `dashboard` have in common."""

    def start(self) -> None: ...
    def reload(self, configuration: Configuration) -> None: ...
    def stop(self) -> None: ...


class Agent:
    """Collect and export; keeps no samples and evaluates no rule."""

    def __init__(self, configuration: Configuration, state_dir: Path) -> None:
        engine = open_database(state_dir, configuration.history.database_url(), check=True)
        authorised = scrape_access(Access(engine), configuration.exporter.listen)
        self.collecting = Collecting(configuration, engine, version=VERSION, authorised=authorised)
        self._shipping = Shipping(configuration.ship, engine)

    def start(self) -> None:
        self.collecting.start()
        self._shipping.start()

    def reload(self, configuration: Configuration) -> None:
        self.collecting.reload(configuration)

    def stop(self) -> None:
        self.collecting.stop()
        self._shipping.stop()


def alone(state_dir: Path) -> None:
    """Hold the state directory for this process until it ends. BusyError if another one has it."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(state_dir / "pid", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(file, 20).decode().strip()
        raise BusyError(f"another Raingauge (pid {owner}) uses the state directory {state_dir}") from error
    os.truncate(file, 0)
    os.write(file, f"{os.getpid()}\n".encode())


@contextmanager
def signals_held() -> Iterator[None]:
    """Around what imports and makes the process: its threads are born with the signals blocked.

    One thread without that is enough, and a signal that comes while `until_stopped` is busy ends the process at once.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise


def until_stopped(process: Process, configuration: Callable[[], Configuration], started: Callable[[], None]) -> None:
    """Start it, tell `started`, and go on until SIGTERM or SIGINT; SIGHUP reads the configuration again.

    Call it after `signals_held`: the signals are waited for here, and no handler interrupts anything.
    """
    process.start()
    started()
    while signal.sigwait(SIGNALS) == signal.SIGHUP:
        try:
            process.reload(configuration())
        except ConfigurationError as error:  # what runs goes on as it was
            log.error("reload=refused error=%r", str(error))
        else:
            log.info("reloaded")
    process.stop()
