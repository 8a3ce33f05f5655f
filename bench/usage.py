"""What a process uses, as the kernel says."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

SCHED = 2
"""Of a process' clock, what its threads ran: CPUCLOCK_SCHED in the kernel's posix-timers.h."""


@dataclass(frozen=True)
class Memory:
    rss: float  # MiB
    pss: float
    """MiB; pages that several processes share are counted in parts."""
    private: float  # MiB


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads, also of those that ended; finer than the 10 ms of /proc/PID/stat."""
    return time.clock_gettime(~pid << 3 | SCHED)


def memory(pid: int) -> Memory:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = {name: int(kib) / 1024 for name, kib in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)}
    return Memory(sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def cpu_seconds_of_all(pid: int) -> float:
    """As the kernel counts a process with its threads, its living children and those that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return cpu_seconds(pid) + ended + sum(cpu_seconds_of_all(child) for child in _children(pid))


def resident_of_all(pid: int) -> float:
    """MiB of RSS of the process and its living children."""
    return memory(pid).rss + sum(resident_of_all(child) for child in _children(pid))


def _children(pid: int) -> list[int]:
    """Of any of its threads."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]
