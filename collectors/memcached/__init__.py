"""Memcached: `stats` over its text protocol, and the slab classes of the server from time to time.

Names and types are memcached_exporter's.
Source: https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

import re
from collections.abc import Iterable, Iterator

from collectors.config import Config, Port, Timeout
from collectors.inventory import Inventory, Process
from collectors.inventory.servers import entrance, reachable
from collectors.memcached.protocol import ask
from collectors.memcached.slabs import FAMILIES as SLAB_FAMILIES
from collectors.memcached.slabs import parse as parse_slabs
from collectors.memcached.stats import FAMILIES, parse
from collectors.model import Collector, Gauge, Part, Proposal, tcp_instance


class Memcached(Config):
    socket: str = ""
    """Path of the server's unix socket; empty: TCP."""
    address: str = "127.0.0.1"
    """Host name or IP address of the server."""
    port: Port = 11211
    """TCP port of the server."""
    timeout: Timeout = 2.0
    """How long one read may take."""


UP = Gauge("memcached_up", "1 when the server answered.")
SLABS_SECONDS = 60.0
"""Of the slab classes there are up to 63, each with every family."""


def read(config: Memcached) -> dict[str, str]:
    return ask(_place(config), ("stats", "stats settings"), config.timeout)


def read_slabs(config: Memcached) -> dict[str, str]:
    return ask(_place(config), ("stats items", "stats slabs"), config.timeout)


def _place(config: Memcached) -> str:
    if config.socket:
        return f"unix:{config.socket}"
    return f"[{config.address}]:{config.port}" if ":" in config.address else f"{config.address}:{config.port}"


def instance(config: Memcached, host: str) -> str:
    return f"{host}:{config.socket}" if config.socket else tcp_instance(host, config.address, config.port)


OPTION = re.compile(r"\s(?:-(?P<short>[slp])|--(?P<long>unix-socket|listen|port))[\s=]*(?P<value>\S+)")
SHORT = {"unix-socket": "s", "listen": "l", "port": "p"}
ANY = ("0.0.0.0", "::", "*", "")  # noqa: S104 - not bound here
JOIN_GROUP = """\
usermod --append --groups memcache raingauge
(and give memcached the option -a 0770, so that its group may open the socket; then start both anew)"""
WITHOUT_LOGIN = """\
Raingauge reads Memcached without a password: start it without -S and -Y, bound to 127.0.0.1 or to a unix socket"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each server once, by its command line; one that does not say where it is, by its listening sockets."""
    for process in inventory.processes:
        if process.name == "memcached":
            config = next(iter(_said(process)), None) or _seen(inventory, process) or Memcached()
            place = config.socket or f"{config.address}:{config.port}"
            found = f"memcached (pid {process.pid}) listens on {place}"
            yield Proposal(found, config, JOIN_GROUP if config.socket else WITHOUT_LOGIN)


def _said(process: Process) -> Iterator[Memcached]:
    options: dict[str, str] = {}
    for found in OPTION.finditer(process.title):
        options.setdefault(found["short"] or SHORT[found["long"]], found["value"])
    if options.get("s", "").startswith("/"):
        yield Memcached(socket=options["s"])
        return
    port = options.get("p", "")
    for each in options.get("l", "").split(",") if options.keys() & {"l", "p"} else ():
        host, own_port = _host_and_port(each)
        number = int(own_port or port or 11211)
        if 0 < number < 65536:
            yield Memcached(address="127.0.0.1" if host in ANY else host, port=number)


def _host_and_port(text: str) -> tuple[str, str]:
    """Of an address of -l: `127.0.0.1`, `127.0.0.1:11212`, `[::1]:11212`; the port "" when it has none."""
    if found := re.fullmatch(r"\[([^]]*)\](?::(\d{1,5}))?|([^:]*):(\d{1,5})", text, re.ASCII):
        return found[1] or found[3] or "", found[2] or found[4] or ""
    return text, ""


def _seen(inventory: Inventory, process: Process) -> Memcached | None:
    at = [each for each in inventory.listeners if each.pid == process.pid]
    if not at:
        return None
    listener = entrance("memcached", at)
    where = reachable(listener.address)
    return Memcached(socket=listener.path) if listener.path else Memcached(address=where, port=listener.port)


COLLECTOR = Collector(
    "memcached",
    "memcached",
    Memcached,
    parts=(
        Part("stats", FAMILIES, read, parse),
        Part("slabs", SLAB_FAMILIES, read_slabs, parse_slabs, interval=SLABS_SECONDS),
    ),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    grants="To connect: an open port of this host, or the group of its unix socket; no password.",
)
