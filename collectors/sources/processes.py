"""The processes of this host, from one cheap pass over /proc."""

import os
import pwd
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from collectors.errors import Denied
from collectors.inventory import Process

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
PRIVATE = re.compile(r"^Private_(?:Clean|Dirty|Hugetlb): +([0-9]+) kB$", re.MULTILINE)


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
            yield Process(int(directory.name), name, title, account(uid, users), int(rest.split()[1]))


def owner(pid: int, users: dict[int, str], proc: Path = PROC) -> str | None:
    """Its account; None when it is gone. `users`: those that are known already, by number."""
    try:
        return account((proc / str(pid)).stat().st_uid, users)
    except OSError:
        return None


def account(uid: int, users: dict[int, str]) -> str:
    """Its name, its number when it has none; `users`: those that are known already."""
    if uid not in users:
        try:
            users[uid] = pwd.getpwuid(uid).pw_name
        except KeyError:
            users[uid] = str(uid)
    return users[uid]


class Vitals(NamedTuple):
    state: str
    """The kernel's letter: R runs, S sleeps, D waits for a disk."""
    age: float  # seconds
    resident: int
    """Bytes, pages shared with others included."""


def vitals(pid: int, proc: Path = PROC) -> Vitals | None:
    """None when the process is gone, or hidden from us."""
    try:
        stat = (proc / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    fields = stat.rpartition(b")")[2].split()
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / TICKS
    return Vitals(fields[0].decode(), max(0.0, age), int(fields[21]) * PAGE)


def private_memory(pid: int, proc: Path = PROC) -> int | None:
    """Bytes that no other process shares; None when it is gone. Denied for another user's process.

    The kernel walks all its pages: about a millisecond for each 100 MB.
    """
    path = proc / str(pid) / "smaps_rollup"
    try:
        text = path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError as error:
        raise Denied(f"{path}: permission denied") from error
    return sum(int(amount) for amount in PRIVATE.findall(text)) * 1024
