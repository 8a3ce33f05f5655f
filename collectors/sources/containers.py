"""Servers of this host that run in a container: which they are, their own addresses, and their files.

Source: https://man7.org/linux/man-pages/man7/namespaces.7.html https://man7.org/linux/man-pages/man7/cgroups.7.html
"""

import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from collectors.errors import Absent, Denied
from collectors.inventory import Process
from collectors.inventory.containers import Container

PROC = Path("/proc")
SERVERS = re.compile(
    r"nginx|apache2|httpd|php-fpm.*|mysqld|mariadbd|postgres|(redis|valkey)-(server|sentinel)|memcached|varnishd"
)
CGROUP = re.compile(
    r"/(docker|libpod|crio|cri-containerd|nerdctl|lxc)(?:-|/|\.payload\.)([\w.-]*?)(?:\.scope)?(?:/|$)", re.MULTILINE
)
LOCAL = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")
MOST_LINKS = 40
MOST_BYTES = 1_000_000


def containers(running: Iterable[Process], proc: Path = PROC) -> dict[Container, list[Process]]:
    """The servers in each; those of the host are in none."""
    servers = {process.pid: process for process in running if SERVERS.fullmatch(process.name)}
    found: dict[Container, list[Process]] = {}
    of_master: dict[int, Container | None] = {}
    of_place: dict[tuple[str, ...], Container] = {}
    for process in servers.values():
        master = process.pid
        while (parent := servers[master].parent) in servers:  # a worker may have a root of its own
            master = parent
        if master not in of_master:
            seen = _container(master, proc)
            of_master[master] = of_place.setdefault(seen[0], seen[1]) if seen else None
        if container := of_master[master]:
            found.setdefault(container, []).append(process)
    return found


def _container(pid: int, proc: Path) -> tuple[tuple[str, ...], Container] | None:
    """With what tells it from others; None: it is where we are."""
    name, place, ours = _named(str(pid), proc), _place(str(pid), proc), _place("self", proc)
    own_network = place[2] != ours[2] if place and ours else _routes(str(pid), proc) != _routes("self", proc)
    if place and ours:
        apart = own_network or (place[0] != ours[0] and place[1] != ours[1])
    else:
        apart = name != "" and name != _named("self", proc)
    made = Container(pid, name or "without a name", bool(place), own_network, _address(pid, proc))
    return (place or (name,), made) if apart else None


def _place(pid: str, proc: Path) -> tuple[str, ...]:
    """Root directory, mounts and network of a process; empty without the right to know. A service of systemd may have
    mounts of its own and the host's root, and one that was changed by chroot another root and the host's mounts."""
    try:
        root = (proc / pid / "root").stat()
        spaces = (os.readlink(proc / pid / "ns" / each) for each in ("mnt", "net"))  # noqa: PTH115 # they are no paths
        return (f"{root.st_dev}:{root.st_ino}", *spaces)
    except OSError:
        return ()


def _named(pid: str, proc: Path) -> str:
    """As its cgroup is called: `docker 3f4a1b2c9d8e`."""
    try:
        found = CGROUP.search((proc / pid / "cgroup").read_text())
    except OSError:
        return ""
    return f"{found[1]} {found[2][:12]}" if found else ""


def _address(pid: int, proc: Path) -> str:
    """Its first address that is not loopback; "" when it has none."""
    return next((each for each in LOCAL.findall(_routes(str(pid), proc)) if not each.startswith("127.")), "")


def _routes(pid: str, proc: Path) -> str:
    try:
        return (proc / pid / "net" / "fib_trie").read_text()
    except OSError:
        return ""


def read_inside(root: Path, path: str) -> str:
    """A file's text as a process with that root sees it. Absent, Denied.

    Symbolic links lead where they lead in there: a container cannot have us read the host's files.
    """
    try:
        descriptor = _opened(root, path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Absent(f"{root}{path}: no file")
            with Path(f"/proc/self/fd/{descriptor}").open("rb") as file:
                return file.read(MOST_BYTES).decode(errors="replace")
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Absent(f"{root}{path}: no such file") from error
    except PermissionError as error:
        raise Denied(f"{root}{path}: permission denied") from error


def _opened(root: Path, path: str) -> int:
    """A descriptor that only names the file. OSError."""
    above = [os.open(root, os.O_PATH | os.O_DIRECTORY)]
    waiting = _parts(path)
    links = 0
    try:
        while waiting:
            part = waiting.pop()
            if part == "..":
                if len(above) > 1:
                    os.close(above.pop())
                continue
            found = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=above[-1])
            if not stat.S_ISLNK(os.fstat(found).st_mode):
                above.append(found)
                continue
            links += 1
            target = os.readlink("", dir_fd=found)
            os.close(found)
            if links > MOST_LINKS:
                raise FileNotFoundError(f"{path}: too many symbolic links")
            while target.startswith("/") and len(above) > 1:
                os.close(above.pop())
            waiting += _parts(target)
        return os.dup(above[-1])
    finally:
        for descriptor in above:
            os.close(descriptor)


def _parts(path: str) -> list[str]:
    """The last first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def paths_inside(root: Path, pattern: str) -> Iterator[str]:
    """Paths in there that match a glob pattern, or the pattern itself."""
    found = sorted(glob.glob(pattern.lstrip("/"), root_dir=root))  # noqa: PTH207 # of names below it
    yield from (f"/{each}" for each in found) if found else (pattern,)
