"""Solr: cores, requests, caches and memory of the search server, over its HTTP API.

Source: https://solr.apache.org/guide/solr/9_6/deployment-guide/performance-statistics-reference.html
"""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from collectors.inventory import Inventory, Process
from collectors.model import Collector, Gauge, Part, Proposal, tcp_instance
from collectors.solr import metrics, state
from collectors.solr.config import Solr

UP = Gauge("solr_up", "1 when the server answered.")
PORT = 8983
START = re.compile(r"-Dsolr\.|\bsolr\S*/server\b")
JETTY_PORT = re.compile(r"-Djetty\.port=(\d+)")
REMEDY = """\
in security.json of Solr, an account with a role of its own, which is added to these permissions and no other:
    metrics-read, core-admin-read, config-read
and in raingauge.yml: targets: {solr: [{url: 'URL', user: raingauge, password_file: /etc/raingauge/solr}]}"""


def instance(config: Solr, host: str) -> str:
    at = urlsplit(config.url)
    return tcp_instance(host, at.hostname or "", at.port or (443 if at.scheme == "https" else 80))


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each port that a Java process of Solr has in its title, and Solr's own, if something listens there."""
    ports = {_port(process): process.pid for process in inventory.processes if is_solr(process)}
    seen: dict[int, str] = {}
    for at in inventory.listeners:
        if at.port in {PORT, *ports} and at.process in ("", "java"):
            seen.setdefault(at.port, _reachable(at.address))
    for port, address in seen.items():
        url = f"http://{address}:{port}/solr"
        found = f"Solr (pid {ports[port]})" if port in ports else "something on Solr's port"
        yield Proposal(f"{found} listens on {address}:{port}", Solr(url=url), REMEDY.replace("URL", url))


def is_solr(process: Process) -> bool:
    return process.name == "java" and "start.jar" in process.title and bool(START.search(process.title))


def _port(process: Process) -> int:
    found = JETTY_PORT.search(process.title)
    return int(found[1]) if found else PORT


def _reachable(address: str) -> str:
    """As it is written in a URL. Java has 127.0.0.1 as an IPv6 address with an IPv4 one in it."""
    at = ip_address(address)
    at = (at.ipv4_mapped if isinstance(at, IPv6Address) else None) or at
    if at.is_unspecified:
        return "127.0.0.1"
    return f"[{at}]" if isinstance(at, IPv6Address) else str(at)


COLLECTOR = Collector(
    "solr",
    "solr",
    Solr,
    parts=(
        Part("metrics", metrics.FAMILIES, metrics.read, metrics.parse),
        # It starts `uname` and `uptime` for each answer.
        Part("system", state.SYSTEM_FAMILIES, state.read_system, state.parse_system, interval=60),
        # It adds up the sizes of all files of all indexes.
        Part("cores", state.CORES_FAMILIES, state.read_cores, state.parse_cores, interval=60),
    ),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    grants="Where Solr asks for a password, an account with `metrics-read`, `core-admin-read` and `config-read`.",
)
