"""The processes of this host, from one cheap pass over /proc."""

import os
import pwd
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from collectors.errors import Denied
from collectors.inventory import Process

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
PRIVATE = re.compile(r"^Private_(?:Clean|Dirty|Hugetlb): +([0-9]+) kB$", re.MULTILINE)
MOST_STAT_BYTES = 1024
"""The fields are numbers: they never come to so many."""

KNOWN: dict[Path, Mapping[bytes, Process | None]] = {}
"""Of the last pass, by the text of its stat: that of a process which sleeps is the same again, and its title and its
account, most of what a pass costs, are not asked anew. Who takes another of either runs, and that changes the text."""


def processes(proc: Path = PROC, named: str = "") -> tuple[Process, ...]:
    """Every process that has a command line; kernel threads are left out. One that ends meanwhile is left out.

    `named` keeps those whose name starts so.
    """
    users: dict[int, str] = {}
    before = KNOWN.get(proc, {})
    known = {text: before[text] if text in before else _process(proc, text, users) for text in stat_texts(str(proc))}
    KNOWN[proc] = known
    return tuple(each for each in known.values() if each and each.name.startswith(named))


def stat_texts(procfs: str) -> Iterator[bytes]:
    """/proc/PID/stat of every process, kernel threads too; one that ends meanwhile is left out."""
    folder = os.open(procfs, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for pid in filter(str.isdecimal, os.listdir(folder)):  # noqa: PTH208 # it takes no descriptor
            try:
                file = os.open(f"{pid}/stat", os.O_RDONLY, dir_fd=folder)  # a quarter cheaper than the whole path
                try:
                    yield os.read(file, MOST_STAT_BYTES)
                finally:
                    os.close(file)
            except OSError:  # ended meanwhile
                continue
    finally:
        os.close(folder)


def _process(proc: Path, stat: bytes, users: dict[int, str]) -> Process | None:
    """None: it has no command line, has ended or is hidden from us."""
    pid, _, rest = stat.decode(errors="replace").partition(" (")
    name, _, fields = rest.rpartition(")")  # a name may have brackets, too
    directory = proc / pid
    try:
        title = (directory / "cmdline").read_bytes().rstrip(b"\0 ").replace(b"\0", b" ").decode(errors="replace")
        uid = directory.stat().st_uid
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return Process(int(pid), name, title, account(uid, users), int(fields.split(None, 2)[1])) if title else None


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
