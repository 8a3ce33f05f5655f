"""What is found in a container, as the host sees it: files below /proc/PID/root, ports at an address that we reach."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.inventory.model import Inventory, Listener, Pool, Process, Vhost

ANY = ("0.0.0.0", "::", "*", "")  # noqa: S104 - nothing is bound here
LOOPBACK = ("127.0.0.1", "::1", "localhost")
OPTION = re.compile(r"-(host-ip|host-port|container-ip|container-port) (\S+)")


@dataclass(frozen=True)
class Container:
    pid: int
    """Of a process in it."""
    name: str
    """`docker 3f4a1b2c9d8e`."""
    open: bool
    """We may look into it."""
    own_network: bool
    """False: it has the host's, where its listeners are seen among the host's own."""
    address: str = ""
    """Its own IP address."""

    @property
    def root(self) -> str:
        return f"/proc/{self.pid}/root"


Published = Mapping[tuple[str, int], tuple[str, int]]
"""(container's address, port) -> (host's address, port)."""


def published(processes: Iterable[Process]) -> dict[tuple[str, int], tuple[str, int]]:
    """From the command lines of docker-proxy, which stands before each published port."""
    found: dict[tuple[str, int], tuple[str, int]] = {}
    for process in processes:
        said = dict(OPTION.findall(process.title)) if process.name == "docker-proxy" else {}
        if said.get("container-port", "").isdecimal() and said.get("host-port", "").isdecimal():
            host = said.get("host-ip", "")
            inside = (said.get("container-ip", ""), int(said["container-port"]))
            found.setdefault(inside, ("127.0.0.1" if host in ANY else host, int(said["host-port"])))
    return found


def reached(container: Container, address: str, port: int, ports: Published) -> tuple[str, int] | None:
    """Where we reach what listens there; None when nothing outside does."""
    if not container.own_network:
        return ("127.0.0.1" if address in ANY else address), port
    if address in LOOPBACK or not container.address:
        return None
    return ports.get((container.address, port), (container.address, port))


def outside(container: Container, found: Inventory, listening: Sequence[Listener], ports: Published) -> Inventory:
    """The same as the host sees it; what cannot be reached is told in `blind`."""
    blind = list(found.blind)
    listeners = _listeners(container, listening, ports, blind) if container.own_network else []
    pools = [pool for each in found.pools if (pool := _pool(container, each, ports, blind))]
    return replace(
        found,
        processes=(),
        listeners=tuple(listeners),
        vhosts=tuple(_vhost(container, each, ports) for each in found.vhosts),
        pools=tuple(pools),
        sites=(),
        blind=tuple(blind),
    )


def _listeners(
    container: Container, listening: Sequence[Listener], ports: Published, blind: list[str]
) -> list[Listener]:
    """Of a server that has a port that we reach its sockets are left out: they are elsewhere after its next start."""
    by_tcp, by_path = [], []
    for at in listening:
        if at.path and container.open:
            by_path.append(replace(at, path=f"{container.root}{at.path}"))
        elif at.port and (place := reached(container, at.address, at.port, ports)):
            by_tcp.append(replace(at, address=place[0], port=place[1]))
    reachable = {at.pid for at in by_tcp}
    kept = [*by_tcp, *(at for at in by_path if at.pid not in reachable)]
    reached_ones = {at.pid for at in kept}
    blind += (
        f"{at.process} (pid {at.pid}, in a container, {container.name}) listens on {at.address}:{at.port} of a network "
        "of its own, where nothing reaches it: publish the port on 127.0.0.1"
        for at in listening
        if at.port and at.pid not in reached_ones
    )
    return kept


def _pool(container: Container, pool: Pool, ports: Published, blind: list[str]) -> Pool | None:
    listen = _address(container, pool.listen, ports)
    if not listen:
        blind.append(
            f"PHP-FPM pool {pool.name} ({container.root}{pool.file}, {container.name}) listens on {pool.listen} of a "
            "network of its own, where nothing reaches it: publish the port on 127.0.0.1"
        )
        return None
    return replace(
        pool, listen=listen, status_listen=_address(container, pool.status_listen, ports),
        file=f"{container.root}{pool.file}", main=f"{container.root}{pool.main}",
        access_log="", slowlog="", error_log="", php_error_log="",
    )  # fmt: skip


def _address(container: Container, address: str, ports: Published) -> str:
    """The inventory writes loopback for a pool that listens on any address, so that here it counts as such."""
    if address.startswith("unix:"):
        return f"unix:{container.root}{address[5:]}"
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return ""
    place = reached(container, "" if container.own_network and host in LOOPBACK else host.strip("[]"), int(port), ports)
    return f"{place[0]}:{place[1]}" if place else ""


def _vhost(container: Container, vhost: Vhost, ports: Published) -> Vhost:
    """For its status page. Logs are left out: those of images lead to the standard output."""
    listens = {}
    for listen in vhost.listens:
        host, _, port = listen.rpartition(":")
        if port.isdecimal() and (place := reached(container, "" if host == "*" else host, int(port), ports)):
            listens[listen] = f"{place[0]}:{place[1]}"
    return replace(
        vhost, root=f"{container.root}{vhost.root}" if vhost.root else "", listens=tuple(listens.values()),
        tls_listens=tuple(listens[each] for each in vhost.tls_listens if each in listens),
        logs=(), log_formats=(), fastcgi=(), file=f"{container.root}{vhost.file}", main=f"{container.root}{vhost.main}",
    )  # fmt: skip
