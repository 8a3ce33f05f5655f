"""The processes of this host, from one cheap pass over /proc."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from collectors.inventory import Process

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")


def processes(proc: Path = PROC, named: str = "") -> tuple[Process, ...]:
    """Every process that has a command line; kernel threads are left out. One that ends meanwhile is left out.

    `named` keeps those whose name starts so, at about a third of the cost.
    """
    users: dict[int, str] = {}
    return tuple(_all(proc, named, users))


def _all(proc: Path, named: str, users: dict[int, str]) -> Iterator[Process]:
    for directory in proc.iterdir():
        if not directory.name.isdigit():
            continue
        try:
            stat = (directory / "stat").read_bytes().decode(errors="replace")
            name, _, rest = stat.partition("(")[2].rpartition(")")
            if not name.startswith(named):
                continue
            title = (directory / "cmdline").read_bytes().rstrip(b"\0 ").replace(b"\0", b" ").decode(errors="replace")
            uid = directory.stat().st_uid
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if title:
            yield Process(int(directory.name), name, title, _user(uid, users), int(rest.split()[1]))


def _user(uid: int, users: dict[int, str]) -> str:
    """The account's name, its number when it has none."""
    if uid not in users:
        try:
            users[uid] = pwd.getpwuid(uid).pw_name
        except KeyError:
            users[uid] = str(uid)
    return users[uid]


def resident_memory(pid: int, proc: Path = PROC) -> int | None:
    """Bytes, pages shared with others included; None when the process is gone."""
    try:
        return int((proc / str(pid) / "statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return None
