"""What is on this host now, as an inventory: processes, listening sockets, and the configuration files they name."""

import getpass
import glob
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from collectors.errors import Absent, Denied
from collectors.inventory import Inventory, Listener, Process, build, wanted
from collectors.inventory.containers import Container, Published, outside, published
from collectors.sources.containers import containers, paths_inside, read_inside
from collectors.sources.files import read_text
from collectors.sources.processes import processes
from collectors.sources.sockets import listeners

CLIENT_FILES = ("~/.my.cnf", "/etc/mysql/debian.cnf")
SLOW_LOGS = ("/var/log/mysql/mariadb-slow.log", "/var/log/mysql/mysql-slow.log", "/var/log/mysql/slow.log")


def look(host: str) -> Inventory:
    running = processes()
    inside = containers(running)
    elsewhere = {process.pid for servers in inside.values() for process in servers}
    ours = tuple(process for process in running if process.pid not in elsewhere)
    listening = listeners(running)
    texts, blind = configuration_texts(ours)
    found = build(host, ours, listening, texts, [*blind, *_unseen(listening)])
    for container, servers in inside.items():
        found = _joined(found, look_into(container, servers, published(running)))
    files = map(os.path.expanduser, CLIENT_FILES)
    logs = {path for pool in found.pools for path in (pool.slowlog, pool.error_log, pool.php_error_log) if path}
    return replace(
        found,
        client_files=tuple(file for file in files if os.access(file, os.R_OK)),
        shut_logs=tuple(path for path in sorted(logs) if is_shut(path)),
        slow_logs=tuple(path for path in SLOW_LOGS if os.access(path, os.R_OK)),
    )


def look_into(container: Container, servers: Sequence[Process], ports: Published) -> Inventory:
    listening = listeners(servers, net=Path(f"/proc/{container.pid}/net")) if container.own_network else ()
    owned = [at for at in listening if at.pid]
    if not container.open:
        some = ", ".join(dict.fromkeys(f"{process.name} (pid {process.pid})" for process in servers))
        said = f"{some}: in a container, {container.name}, whose files root alone may read; its ports are tried"
        return outside(container, Inventory("", blind=(said,)), owned, ports)
    root = Path(container.root)
    texts, blind = configuration_texts(servers, lambda path: read_inside(root, path), partial(paths_inside, root))
    found = build("", servers, (), texts, [f"{each} (in {container.root})" for each in blind])
    return outside(container, found, owned, ports)


def _joined(host: Inventory, container: Inventory) -> Inventory:
    return replace(
        host,
        listeners=(*host.listeners, *container.listeners),
        vhosts=(*host.vhosts, *container.vhosts),
        pools=(*host.pools, *container.pools),
        blind=(*host.blind, *container.blind),
    )


def is_shut(path: str) -> bool:
    """It may be there, and is not for us."""
    try:
        os.stat(path)  # noqa: PTH116 # its errors tell
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return not os.access(path, os.R_OK)


def _on_this_host(pattern: str) -> Iterable[str]:
    return [path for path in sorted(glob.glob(pattern)) or [pattern] if not Path(path).is_dir()]  # noqa: PTH207 # absolute


def configuration_texts(
    running: Iterable[Process],
    read: Callable[[str], str] = read_text,
    paths: Callable[[str], Iterable[str]] = _on_this_host,
) -> tuple[dict[str, str], list[str]]:
    """Path -> text of every file of a server's configuration, and a sentence for each that is shut to us.

    `paths`: those that a glob pattern stands for.
    """
    running = tuple(running)
    texts: dict[str, str] = {}
    shut: dict[str, str] = {}
    asked: set[str] = set()
    while patterns := wanted(texts, running) - asked:
        asked |= patterns
        for pattern in sorted(patterns):
            for path in paths(pattern):
                try:
                    texts[path] = read(path)
                except Absent:
                    continue
                except (Denied, OSError) as error:
                    shut[path] = f"cannot read {path}: {getattr(error, 'strerror', None) or 'permission denied'}"
    return texts, list(shut.values())


def _unseen(listening: Iterable[Listener]) -> list[str]:
    """What an ordinary user misses."""
    places = [at.path or f"port {at.port}" for at in listening if not at.process]
    if not places or os.geteuid() == 0:
        return []
    some = ", ".join(sorted(set(places), key=lambda place: (len(place), place))[:5])
    return [f"{getpass.getuser()} is not root, so the kernel does not say which program listens on {some}"]
