"""Listening sockets of this host, connecting to one, and how many clients wait at one.

Source: https://docs.kernel.org/networking/proc_net_tcp.html
"""

import errno
import ipaddress
import os
import re
import socket
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from collectors.errors import Denied, Unreachable
from collectors.inventory import Listener, Process
from collectors.sources.netlink import tcp_sockets, unix_sockets
from collectors.sources.processes import account

PROC = Path("/proc")
TCP_LISTEN = "0A"
TCP_CONNECTED = ("01", "02")
"""Established, or just being opened."""
UDP_OPEN = "07"
"""Not connected to anybody."""
UNIX_ACCEPTS = 0x10000

# Where the kernel does not tell us whose a socket is (we are no root), Debian's ports and names do.
WEB = "nginx|apache2|httpd"
KNOWN_PORTS = {
    80: WEB,
    443: WEB,
    3306: "mariadbd|mysqld",
    5432: "postgres",
    6379: "redis-server",
    11211: "memcached",
}
KNOWN_PATHS = {
    r"php.*\.sock$": r"php-fpm.*",
    r"mysqld\.sock$": "mariadbd|mysqld",
    r"\.s\.PGSQL\.\d+$": "postgres",
    r"redis.*\.sock$": "redis-server",
}
SHOW_PORT = ("redis-server", "redis-sentinel", "valkey-server", "valkey-sentinel")


class NoAnswer(Unreachable):
    """Something listens there, but did not answer in time: it is full, or it hangs."""


class Queue(NamedTuple):
    """The kernel's view of a listening socket."""

    waiting: int
    """Connections that nobody has accepted yet."""
    limit: int
    """How many may wait (the backlog)."""
    served: int
    """Connections that were accepted and are still open."""


class Connection(NamedTuple):
    """One that this host opened."""

    process: str
    """ "": whose it is cannot be seen."""
    pid: int
    user: str
    address: str
    """Of the other side, as `port`."""
    port: int
    local_port: int


def connect(address: str, timeout: float) -> socket.socket:
    """`unix:/path` or `host:port`. Unreachable: refused or no socket; NoAnswer: not in time; Denied: no right to it."""
    path = address.removeprefix("unix:")
    try:
        if path == address:
            return socket.create_connection(host_and_port(address), timeout)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout)
            connection.connect(path)
        except BaseException:
            connection.close()
            raise
        return connection
    except (TimeoutError, BlockingIOError) as error:  # a unix socket says "try again" when its queue is full
        raise NoAnswer(f"connect to {address}: no answer within {timeout:g} s, its queue is full") from error
    except PermissionError as error:
        raise Denied(f"connect to {address}: permission denied") from error
    except OSError as error:
        raise Unreachable(f"connect to {address}: {error.strerror or error}") from error


def host_and_port(address: str) -> tuple[str, int]:
    """ValueError when it is not `host:port` or `[v6]:port`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"expected host:port or unix:/path, found {address!r}")
    return host.strip("[]"), int(port)


def accept_queue(address: str) -> tuple[int, int] | None:
    """(clients waiting now, most that may wait) of a listening socket; None when the kernel does not say."""
    found = queue(address)
    return (found.waiting, found.limit) if found else None


def queue(address: str) -> Queue | None:
    """None when nobody listens there in our network namespace, or the kernel cannot tell."""
    try:
        return _unix_queue(address[5:]) if address.startswith("unix:") else _tcp_queue(*host_and_port(address))
    except (OSError, ValueError):
        return None


def _unix_queue(path: str) -> Queue | None:
    # The server may have bound it under another spelling (/var/run is /run), and a replaced server may still
    # listen on a file that is gone: name and inode of the file tell.
    real = os.path.realpath(path)
    file = Path(real).stat().st_ino & 0xFFFFFFFF
    sockets = list(unix_sockets())
    for at in sockets:
        if at.listening and at.file == file and Path(at.name).name == Path(real).name:
            served = sum(not each.listening and each.name == at.name for each in sockets)
            return Queue(at.waiting, at.limit, served)  # the kernel lists here only those that were accepted
    return None


def _tcp_queue(host: str, port: int) -> Queue | None:
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    for family in (socket.AF_INET, socket.AF_INET6):
        sockets = [each for each in tcp_sockets(family) if each.name.endswith(f":{port}")]
        for at in sockets:
            bound = ipaddress.ip_address(at.name.rpartition(":")[0])
            if at.listening and (bound == address or bound.is_unspecified):
                connected = sum(not each.listening for each in sockets)  # here those that wait are listed, too
                return Queue(at.waiting, at.limit, max(0, connected - at.waiting))
    return None


def listeners(processes: Iterable[Process], proc: Path = PROC, net: Path | None = None) -> tuple[Listener, ...]:
    """TCP and unix sockets that listen, each with the topmost process that holds it; `net`: of another network.

    Without the right to look into others' processes the process is what port, path or titles tell, else "".
    """
    known = {process.pid: process for process in processes}
    net = net or proc / "net"
    found = dict(chain(_tcp(net, "tcp"), _tcp(net, "tcp6"), _unix(net)))
    owners = _owners(known, set(found), proc)
    return tuple(_with_process(at, owners.get(inode), known) for inode, at in found.items())


def udp_listeners(processes: Iterable[Process], proc: Path = PROC) -> tuple[Listener, ...]:
    """UDP sockets that take from anybody, without the ports that the kernel hands out for a question and its answer."""
    known = {process.pid: process for process in processes}
    first = _first_of_clients(proc)
    rows = chain(_tcp(proc / "net", "udp", UDP_OPEN), _tcp(proc / "net", "udp6", UDP_OPEN))
    found = {inode: at for inode, at in rows if at.port < first}
    owners = _owners(known, set(found), proc)
    return tuple(_with_process(at, owners.get(inode), known) for inode, at in found.items())


def outgoing(processes: Iterable[Process], users: Container[str], proc: Path = PROC) -> tuple[Connection, ...]:
    """TCP connections of these accounts, but those that came in to a port on which somebody listens."""
    known = {process.pid: process for process in processes}
    rows = [row for table in ("tcp", "tcp6") for row in _lines(proc / "net" / table)]
    listening = {row[1].rpartition(":")[2] for row in rows if row[3] == TCP_LISTEN}
    names: dict[int, str] = {}
    wanted = [
        row for row in rows
        if row[3] in TCP_CONNECTED and row[1].rpartition(":")[2] not in listening
        and account(int(row[7]), names) in users
    ]  # fmt: skip
    owners = _owners(known, {row[9] for row in wanted}, proc)
    return tuple(_connection(row, owners.get(row[9]), names[int(row[7])]) for row in wanted)


def _connection(row: Sequence[str], owner: Process | None, user: str) -> Connection:
    address, _, port = row[2].partition(":")
    local_port = int(row[1].rpartition(":")[2], 16)
    return Connection(
        owner.name if owner else "", owner.pid if owner else 0, user, _address(address), int(port, 16), local_port
    )


def _first_of_clients(proc: Path) -> int:
    try:
        return int((proc / "sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32768


def _with_process(at: Listener, owner: Process | None, known: Mapping[int, Process]) -> Listener:
    if owner := owner or _likely(at, known):
        return Listener(owner.name, owner.pid, at.address, at.port, at.path)
    return at


def _likely(at: Listener, known: Mapping[int, Process]) -> Process | None:
    """By what the title says (Redis shows its port there), else by Debian's ports and paths."""
    names = KNOWN_PORTS.get(at.port) or next(
        (name for path, name in KNOWN_PATHS.items() if re.search(path, at.path)), ""
    )
    for process in known.values():
        if at.port and process.name in SHOW_PORT and re.search(rf":{at.port}\b", process.title):
            return process
        above = known.get(process.parent)
        if re.fullmatch(names, process.name) and (above is None or above.name != process.name):
            return process
    return None


def _lines(file: Path) -> Iterator[list[str]]:
    """The table without its head; nothing when the kernel has no such protocol."""
    try:
        yield from (line.split() for line in file.read_text(errors="replace").splitlines()[1:])
    except FileNotFoundError:
        return


def _tcp(net: Path, table: str, state: str = TCP_LISTEN) -> Iterator[tuple[str, Listener]]:
    for row in _lines(net / table):
        if row[3] == state:
            address, _, port = row[1].partition(":")
            yield row[9], Listener("", 0, _address(address), int(port, 16))


def _address(text: str) -> str:
    """The kernel prints each 32-bit word in the machine's byte order."""
    words = (bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    return str(ipaddress.ip_address(b"".join(words)))


def _unix(net: Path) -> Iterator[tuple[str, Listener]]:
    for row in _lines(net / "unix"):
        if len(row) == 8 and int(row[3], 16) & UNIX_ACCEPTS and row[7].startswith("/"):
            yield row[6], Listener("", path=row[7])


def _owners(known: Mapping[int, Process], inodes: set[str], proc: Path) -> dict[str, Process]:
    """Inode -> the process above all others that hold it; init only when it holds it alone (socket activation)."""
    owners: dict[str, Process] = {}
    if not inodes:
        return owners
    for process in sorted(known.values(), key=lambda each: (each.pid == 1, each.pid)):
        for inode in _sockets_of(process.pid, proc) & inodes:
            held = owners.get(inode)
            if held is None or (held.parent == process.pid and process.pid != 1):
                owners[inode] = process
    return owners


def _sockets_of(pid: int, proc: Path) -> set[str]:
    """None of another user's process."""
    with suppress(Denied):
        return {str(inode) for inode in sockets_of(pid, proc)}
    return set()


def sockets_of(pid: int, proc: Path = PROC) -> set[int]:
    """Inodes of the sockets that a process holds; none when it has ended. Denied for another user's process."""
    found = set()
    path = f"{proc}/{pid}/fd"
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in os.listdir(folder):  # noqa: PTH208 # it takes no descriptor
                with suppress(FileNotFoundError):  # closed meanwhile
                    target = os.readlink(name, dir_fd=folder)
                    if target.startswith("socket:["):
                        found.add(int(target[8:-1]))
        finally:
            os.close(folder)
    except PermissionError as error:
        raise Denied(f"list {path}: permission denied") from error
    except OSError as error:  # it has ended
        if error.errno not in (errno.ENOENT, errno.ESRCH):
            raise
    return found
