"""One pass over /proc/*/stat, by far the dearest read of a host; who needs little of it takes the last one.

Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import time
from collections.abc import Collection, Mapping
from typing import NamedTuple

from collectors.sources.processes import stat_texts


class Stat(NamedTuple):
    pid: int
    name: str
    state: str
    """The kernel's letter."""
    parent: int
    ticks: int
    """Of CPU time, user and system."""
    threads: int
    start: int
    """Ticks after the boot; with the pid it tells a process from all others."""
    pages: int
    """Resident."""


class Pass(NamedTuple):
    at: float  # Unix seconds
    known: Mapping[bytes, Stat]
    """By its text: that of a process which sleeps is the same again, and not taken apart anew."""


LAST: dict[str, Pass] = {}
"""By procfs."""


def stats(procfs: str) -> Collection[Stat]:
    """Every process, kernel threads too; one that ends meanwhile is left out."""
    at, before = time.time(), LAST[procfs].known if procfs in LAST else {}
    known = {text: before.get(text) or _stat(text) for text in stat_texts(procfs)}
    LAST[procfs] = Pass(at, known)
    return known.values()


def last_pass(procfs: str, seconds: float) -> tuple[float, Collection[Stat]]:
    """When it was, and what it found; not older than so many seconds: if need be it is made."""
    there = LAST.get(procfs)
    if there is None or not 0 <= time.time() - there.at <= seconds:
        stats(procfs)
    return LAST[procfs].at, LAST[procfs].known.values()


def _stat(text: bytes) -> Stat:
    pid, _, rest = text.decode(errors="replace").partition(" (")
    name, _, numbers = rest.rpartition(")")  # a name may have brackets, too
    fields = numbers.split(None, 22)
    return Stat(
        int(pid), name, fields[0], int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[17]),
        int(fields[19]), int(fields[21]),
    )  # fmt: skip
