"""Processes by state, and CPU, memory and I/O of the services of a web host, by process name.

What is known of a server that tells nothing itself. One pass over /proc/*/stat; smaps would cost a hundred times more.
I/O is asked of the services only, and told where we may read it: as root. It is half the cost of a pass, and asked of a
process again only when that has used more CPU time, which it must to read or write: it may be late by what is done in
a hundredth of a second of CPU time.

Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import os
import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypedDict

from collectors.host.config import Host
from collectors.host.stats import stats
from collectors.model import Counter, Gauge, Sample
from collectors.sources.files import read_small

GROUP = ("group",)
COUNT = Gauge("host_process_group_processes", "Processes of the service.", GROUP)
CPU = Counter(
    "host_process_group_cpu_seconds_total", "CPU time of the service's processes, ended ones included.", GROUP
)
RESIDENT = Gauge(
    "host_process_group_resident_memory_bytes", "Resident memory of the service's processes, shared pages each time.",
    GROUP,
)  # fmt: skip
READ = Counter("host_process_group_read_bytes_total", "Bytes that the service's processes read from disks.", GROUP)
WRITTEN = Counter("host_process_group_written_bytes_total", "Bytes that the service's processes wrote to disks.", GROUP)
STATE = Gauge("node_processes_state", "Processes, by the kernel's letter for their state.", ("state",))
PIDS = Gauge("node_processes_pids", "Processes.")
THREADS = Gauge("node_processes_threads", "Threads of all processes.")
FAMILIES = (COUNT, CPU, RESIDENT, READ, WRITTEN, STATE, PIDS, THREADS)

GROUPS = (
    (re.compile(r"nginx|openresty"), "nginx"),
    (re.compile(r"apache2|httpd"), "apache"),
    (re.compile(r"php-fpm.*"), "php-fpm"),
    (re.compile(r"mysqld|mariadbd"), "mysql"),
    (re.compile(r"postgres|postmaster"), "postgres"),
    (re.compile(r"redis-server|valkey-server"), "redis"),
    (re.compile(r"memcached"), "memcached"),
    (re.compile(r"varnishd|cache-main"), "varnish"),
    (re.compile(r"java"), "java"),
    (re.compile(r"raingauge"), "raingauge"),
)
OTHER = "other"
STATES = "RSDZTI"
"""Letters that are told also when no process is in that state."""
IO = re.compile(r"^(read_bytes|write_bytes): (\d+)$", re.MULTILINE)
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Group(TypedDict):
    processes: int
    cpu_ticks: int
    resident_pages: int
    io_bytes: list[int] | None
    """Read, written; None where we may not know."""


class Payload(TypedDict):
    groups: dict[str, Group]
    states: dict[str, int]
    threads: int


class Counts(NamedTuple):
    """What a process counts as long as it lives."""

    group: str
    ticks: int
    io: tuple[int, int] | None


Living = dict[tuple[int, int], Counts]
"""By pid and start time."""


class Ended:
    """What processes counted that have ended since the first read, so that a group's counters never go back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._living: Living = {}
        self._ended: dict[str, list[int]] = {}

    @property
    def living(self) -> Living:
        """Of the call before."""
        return self._living

    def fold(self, living: Living) -> dict[str, list[int]]:
        """Ticks, bytes read and written of the processes that were in an earlier call and are in this one no more."""
        with self._lock:
            for key in self._living.keys() - living.keys():
                group, ticks, io = self._living[key]
                sums = self._ended.setdefault(group, [0, 0, 0])
                for at, more in enumerate((ticks, *(io or (0, 0)))):
                    sums[at] += more
            self._living = living
            return {group: list(sums) for group, sums in self._ended.items()}


ENDED = Ended()


@lru_cache(maxsize=1000)
def group_of(name: str) -> str:
    return next((group for pattern, group in GROUPS if pattern.fullmatch(name)), OTHER)


def read(config: Host, ended: Ended = ENDED) -> Payload:
    payload = Payload(groups={}, states={}, threads=0)
    living: Living = {}
    before = ended.living
    for stat in stats(config.procfs):
        key, group = (stat.pid, stat.start), group_of(stat.name)
        counts = before.get(key)
        if counts is None or counts[:2] != (group, stat.ticks):
            counts = Counts(group, stat.ticks, _io(f"{config.procfs}/{stat.pid}/io") if group != OTHER else None)
        living[key] = counts
        _add(payload["groups"], counts, stat.pages)
        payload["states"][stat.state] = payload["states"].get(stat.state, 0) + 1
        payload["threads"] += stat.threads
    for group, (ticks, read_bytes, written) in ended.fold(living).items():
        sums = payload["groups"].setdefault(group, _none())
        sums["cpu_ticks"] += ticks
        if sums["io_bytes"] is not None:
            sums["io_bytes"] = [sums["io_bytes"][0] + read_bytes, sums["io_bytes"][1] + written]
    return payload


def _none() -> Group:
    return Group(processes=0, cpu_ticks=0, resident_pages=0, io_bytes=None)


def _add(groups: dict[str, Group], counts: Counts, pages: int) -> None:
    sums = groups.setdefault(counts.group, _none())
    sums["processes"] += 1
    sums["cpu_ticks"] += counts.ticks
    sums["resident_pages"] += pages
    if counts.io is not None:
        before = sums["io_bytes"] or [0, 0]
        sums["io_bytes"] = [before[0] + counts.io[0], before[1] + counts.io[1]]


def _io(path: str) -> tuple[int, int] | None:
    try:
        found = dict(IO.findall(read_small(path)))
        return int(found["read_bytes"]), int(found["write_bytes"])
    except (OSError, KeyError):  # another user's process, or it has ended
        return None


def parse(payload: Payload) -> Iterable[Sample]:
    for name, sums in sorted(payload["groups"].items()):
        yield COUNT(sums["processes"], name)
        yield CPU(sums["cpu_ticks"] / TICKS, name)
        yield RESIDENT(sums["resident_pages"] * PAGE_BYTES, name)
        if sums["io_bytes"] is not None:
            yield READ(sums["io_bytes"][0], name)
            yield WRITTEN(sums["io_bytes"][1], name)
    for state in sorted({*STATES, *payload["states"]}):
        yield STATE(payload["states"].get(state, 0), state)
    yield PIDS(sum(payload["states"].values()))
    yield THREADS(payload["threads"])
