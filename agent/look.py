"""What is on this host now, as an inventory: processes, listening sockets, and the configuration files they name."""

import getpass
import glob
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from collectors.errors import Absent, Denied
from collectors.inventory import Inventory, Listener, Process, build, wanted
from collectors.sources.files import read_text
from collectors.sources.processes import processes
from collectors.sources.sockets import listeners

CLIENT_FILES = ("~/.my.cnf", "/etc/mysql/debian.cnf")
SLOW_LOGS = ("/var/log/mysql/mariadb-slow.log", "/var/log/mysql/mysql-slow.log", "/var/log/mysql/slow.log")


def look(host: str) -> Inventory:
    running = processes()
    listening = listeners(running)
    texts, blind = configuration_texts(running)
    found = build(host, running, listening, texts, [*blind, *_unseen(listening)])
    files = map(os.path.expanduser, CLIENT_FILES)
    logs = {path for pool in found.pools for path in (pool.slowlog, pool.error_log, pool.php_error_log) if path}
    return replace(
        found,
        client_files=tuple(file for file in files if os.access(file, os.R_OK)),
        shut_logs=tuple(path for path in sorted(logs) if is_shut(path)),
        slow_logs=tuple(path for path in SLOW_LOGS if os.access(path, os.R_OK)),
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


def configuration_texts(running: Iterable[Process]) -> tuple[dict[str, str], list[str]]:
    """Path -> text of every file of a server's configuration, and a sentence for each that is shut to us."""
    running = tuple(running)
    texts: dict[str, str] = {}
    shut: dict[str, str] = {}
    asked: set[str] = set()
    while patterns := wanted(texts, running) - asked:
        asked |= patterns
        for pattern in sorted(patterns):
            for path in sorted(glob.glob(pattern)) or [pattern]:  # noqa: PTH207 # absolute
                try:
                    if Path(path).is_dir():
                        continue
                    texts[path] = read_text(path)
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
