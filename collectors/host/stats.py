"""One pass over /proc/*/stat, by far the dearest read of a host; who needs only names takes them from the last one.

Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import os
import time
from collections.abc import Iterator
from typing import NamedTuple

MOST_BYTES = 1024
"""The fields are numbers: they never come to so many."""


class Stat(NamedTuple):
    pid: int
    name: str
    fields: list[str]
    """Those after the name, from the state on."""


class Running(NamedTuple):
    pid: int
    name: str
    parent: int


class Pass(NamedTuple):
    at: float  # Unix seconds
    running: tuple[Running, ...]
    """Without zombies."""


LAST: dict[str, Pass] = {}
"""By procfs."""


def stats(procfs: str) -> list[Stat]:
    """Every process, kernel threads too; one that ends meanwhile is left out."""
    at, found = time.time(), list(_all(procfs))
    running = (Running(stat.pid, stat.name, int(stat.fields[1])) for stat in found if stat.fields[0] not in "ZX")
    LAST[procfs] = Pass(at, tuple(running))
    return found


def last_pass(procfs: str, seconds: float) -> Pass:
    """Not older than so many seconds; if there is none, it is made."""
    there = LAST.get(procfs)
    if there is None or not 0 <= time.time() - there.at <= seconds:
        stats(procfs)
    return LAST[procfs]


def _all(procfs: str) -> Iterator[Stat]:
    folder = os.open(procfs, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for pid in filter(str.isdecimal, os.listdir(folder)):  # noqa: PTH208 # it takes no descriptor
            try:
                file = os.open(f"{pid}/stat", os.O_RDONLY, dir_fd=folder)  # a quarter cheaper than the whole path
                try:
                    text = os.read(file, MOST_BYTES).decode(errors="replace")
                finally:
                    os.close(file)
            except OSError:  # ended meanwhile
                continue
            name, _, rest = text.partition("(")[2].rpartition(")")
            yield Stat(int(pid), name, rest.split(None, 22))
    finally:
        os.close(folder)
