"""Servers elsewhere on which a pool's workers wait: what their sockets are connected to, or try to be.

A request that calls an API holds its worker until that one answers. Databases and caches have ports of their own and
are left out, and so is this host. Names are those of /etc/hosts: nothing is looked up in the DNS.

Source: https://man7.org/linux/man-pages/man7/sock_diag.7.html
"""

import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from collectors.errors import Absent, CollectError, Denied
from collectors.model import Gauge, Sample
from collectors.phpfpm.config import POOL, Phpfpm
from collectors.phpfpm.pool import expect_listener
from collectors.phpfpm.workers import workers
from collectors.sources.files import read_text
from collectors.sources.netlink import Connection, tcp_connections
from collectors.sources.sockets import sockets_of

MOST_PEERS = 20
HOSTS = "/etc/hosts"
HERE = ("127.0.0.1", "::1")
STORES = {3306, 3307, 5432, 5433, 6379, 11211, 33060}
"""Ports of MySQL, PostgreSQL, Redis, Memcached."""
WORKERS = Gauge(
    "php_fpm_outbound_workers", "Workers that are connected to a server elsewhere, or try to be; no databases.", POOL
)
CONNECTIONS = Gauge(
    "php_fpm_outbound_connections",
    "Such connections by the other end: its name in /etc/hosts, else its address, and the port.",
    (*POOL, "peer"),
    bounds={"peer": 2 * MOST_PEERS},
)
FAMILIES = (WORKERS, CONNECTIONS)


def read(config: Phpfpm) -> dict[str, Any]:
    """Absent without workers that we know of, and without the right to look at their sockets."""
    expect_listener(config)
    found = workers(config) if config.pool else {}
    try:
        held = {inode: pid for pid in found for inode in sockets_of(pid)}
    except Denied as error:
        raise Absent(str(error)) from error
    if not found:
        raise Absent(f"pool {config.pool} has no worker on this host")
    peers = [
        [held[each.inode], each.peer, each.peer_port]
        for family in (socket.AF_INET, socket.AF_INET6)
        for each in tcp_connections(family)
        if each.inode in held and not _of_the_pool(each, config)
    ]
    return {"pool": config.pool, "peers": peers, "hosts": _hosts() if peers else {}}


def _of_the_pool(connection: Connection, config: Phpfpm) -> bool:
    """The web server's, to a pool that listens on TCP."""
    return not config.address.startswith("unix:") and config.address.endswith(f":{connection.port}")


def _hosts() -> Mapping[str, str]:
    try:
        return names(read_text(HOSTS))
    except (Absent, CollectError, OSError):
        return {}


def names(text: str) -> dict[str, str]:
    """Address -> its first name in /etc/hosts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        address, *those = line.partition("#")[0].split()[:2] or [""]
        if those:
            found.setdefault(address, those[0][:100])
    return found


def parse(payload: Mapping[str, Any]) -> Iterable[Sample]:
    pool, hosts = payload["pool"], payload["hosts"]
    outside = [each for each in payload["peers"] if each[1] not in HERE and each[2] not in STORES]
    yield WORKERS(len({pid for pid, _, _ in outside}), pool)
    peers = Counter(f"{_name(address, hosts)}:{port}" for _, address, port in outside)
    for peer, count in peers.most_common(MOST_PEERS):
        yield CONNECTIONS(count, pool, peer)
    if rest := sum(count for _, count in peers.most_common()[MOST_PEERS:]):
        yield CONNECTIONS(rest, pool, "other")


def _name(address: str, hosts: Mapping[str, str]) -> str:
    return hosts.get(address) or (f"[{address}]" if ":" in address else address)
