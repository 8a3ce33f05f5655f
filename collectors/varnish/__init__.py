"""Varnish: the counters of `varnishstat`, which reads them from the server's shared memory.

Names and types are prometheus_varnish_exporter's.
Source: https://varnish-cache.org/docs/trunk/reference/varnish-counters.html
"""

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from collectors.config import Config, Timeout
from collectors.errors import CollectError, Denied, Unreachable
from collectors.inventory import Inventory, Process
from collectors.model import Collector, Gauge, Part, Proposal
from collectors.sources.programs import program, run
from collectors.varnish.counters import FAMILIES, parse


class Varnish(Config):
    directory: str = ""
    """The server's `-n`: a directory, or a name in `/var/lib/varnish`; empty where it is started without."""
    timeout: Timeout = 2.0
    """How long one read may take."""


UP = Gauge("varnish_up", "1 when varnishstat could read the server's counters.")
STATE = Path("/var/lib/varnish")


def read(config: Varnish) -> dict[str, str]:
    varnishstat = program("varnishstat")
    of_server = ("-n", config.directory) if config.directory else ()
    finished = run((varnishstat, "-j", "-t", "0", *of_server), config.timeout)
    if finished.code != 0:
        raise _failure(config.directory, (finished.errors or finished.output).strip()[:200])
    return {"counters": finished.output, "version": _version(varnishstat, Path(varnishstat).stat().st_mtime_ns)}


@lru_cache(maxsize=2)
def _version(varnishstat: str, _changed: int) -> str:
    finished = run((varnishstat, "-V"), 5)
    return (finished.errors or finished.output).partition("\n")[0]


def _failure(directory: str, said: str) -> CollectError:
    """It says the same whether there is no server or we may not read: the directory tells."""
    for place in _places(directory):
        memory = place / "_.vsm_mgt"
        try:
            shut = memory.exists() and not os.access(memory, os.R_OK | os.X_OK)
        except PermissionError:
            shut = True
        if shut and _runs(place / "_.pid"):
            return Denied(f"varnishstat: no right to read {memory}")
    return Unreachable(f"varnishstat{' -n ' if directory else ''}{directory}: {said}")


def _places(directory: str) -> tuple[Path, ...]:
    """Without a name it is `varnishd`, before Varnish 7 the host's name."""
    return tuple(STATE / name for name in ((directory,) if directory else ("varnishd", os.uname().nodename)))


def _runs(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (PermissionError, ValueError):  # another user's; a file that says nothing
        return True
    except (OSError, OverflowError):
        return False
    return True


def instance(config: Varnish, host: str) -> str:
    return f"{host}:{config.directory}" if config.directory else host


OPTION = re.compile(r"\s-n\s*(\S+)")
JOIN_GROUP = """\
usermod --append --groups varnish raingauge
(Debian's group for the counters; then start Raingauge anew)"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each server once. Its child, which serves, is no `varnishd` by name."""
    servers = {process.pid: process for process in inventory.processes if process.name == "varnishd"}
    for process in servers.values():
        if process.parent not in servers:
            config = Varnish(directory=_directory(process))
            of_server = f", {config.directory}" if config.directory else ""
            yield Proposal(f"varnishd (pid {process.pid}{of_server})", config, JOIN_GROUP)


def _directory(process: Process) -> str:
    found = OPTION.search(process.title)
    return found[1] if found else ""


COLLECTOR = Collector(
    "varnish",
    "varnish",
    Varnish,
    parts=(Part("counters", FAMILIES, read, parse),),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    grants="The program `varnishstat`, and the group of Varnish's shared memory: `varnish` in Debian.",
)
