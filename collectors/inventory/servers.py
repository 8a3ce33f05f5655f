"""Which of a server's listeners stands for it: by that one its target is read, and named."""

from collections.abc import Iterable, Mapping

from collectors.inventory.model import Listener

PROGRAMS: Mapping[str, frozenset[str]] = {
    "mysql": frozenset(("mysqld", "mariadbd")),
    "postgres": frozenset(("postgres", "postmaster")),
    "redis": frozenset(("redis-server", "redis-sentinel", "valkey-server", "valkey-sentinel")),
    "memcached": frozenset(("memcached",)),
}
"""Job -> names of its processes."""
BY_SOCKET = ("mysql", "postgres")
"""Those that let a local account in by their unix socket; the others are asked over TCP first."""
ANY = ("0.0.0.0", "::", "*")  # noqa: S104 - nothing is bound here


def entrance(job: str, listeners: Iterable[Listener]) -> Listener:
    """Of one server's listeners. Last is what speaks another protocol: mysqlx.sock and port 33060."""

    def preference(at: Listener) -> tuple[bool, bool, str, bool, int, str]:
        other = job == "mysql" and (at.path.endswith("mysqlx.sock") or at.port > 33000)
        return other, bool(at.path) != (job in BY_SOCKET), at.path, ":" in at.address, at.port, at.address

    return min(listeners, key=preference)


def reachable(address: str) -> str:
    """Where a server that listens on it can be asked from this host."""
    return "127.0.0.1" if address in ANY else address
