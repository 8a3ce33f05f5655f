"""CPU and memory of the services of a web host, by process name: what is known of a server that tells nothing itself.

One pass over /proc/*/stat; smaps would cost a hundred times more.

Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from collectors.host.config import Host
from collectors.model import Counter, Gauge, Sample

GROUP = ("group",)
COUNT = Gauge("host_process_group_processes", "Processes of the service.", GROUP)
CPU = Counter(
    "host_process_group_cpu_seconds_total", "CPU time of the service's processes, ended ones included.", GROUP
)
RESIDENT = Gauge(
    "host_process_group_resident_memory_bytes", "Resident memory of the service's processes, shared pages each time.",
    GROUP,
)  # fmt: skip
FAMILIES = (COUNT, CPU, RESIDENT)

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
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Group(TypedDict):
    processes: int
    cpu_ticks: int
    resident_pages: int


class Ended:
    """CPU time of processes that have ended since the first read, so that a group's counter never goes back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ticks: dict[tuple[int, int], tuple[str, int]] = {}  # (pid, start time) -> group, ticks
        self._ended: dict[str, int] = {}

    def fold(self, living: dict[tuple[int, int], tuple[str, int]]) -> dict[str, int]:
        """Ticks of the processes that were in an earlier call and are in this one no more, by group."""
        with self._lock:
            for key in self._ticks.keys() - living.keys():
                group, ticks = self._ticks[key]
                self._ended[group] = self._ended.get(group, 0) + ticks
            self._ticks = living
            return dict(self._ended)


ENDED = Ended()


def group_of(name: str) -> str:
    return next((group for pattern, group in GROUPS if pattern.fullmatch(name)), OTHER)


def read(config: Host, ended: Ended = ENDED) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    living: dict[tuple[int, int], tuple[str, int]] = {}
    names: dict[str, str] = {}
    for pid in filter(str.isdecimal, os.listdir(config.procfs)):  # noqa: PTH208 # no stat of each entry
        try:
            text = Path(f"{config.procfs}/{pid}/stat").read_text(errors="replace")
        except OSError:  # ended meanwhile
            continue
        name, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        group = names.setdefault(name, group_of(name))
        ticks = int(fields[11]) + int(fields[12])
        living[int(pid), int(fields[19])] = (group, ticks)
        sums = groups.setdefault(group, Group(processes=0, cpu_ticks=0, resident_pages=0))
        sums["processes"] += 1
        sums["cpu_ticks"] += ticks
        sums["resident_pages"] += int(fields[21])
    for group, ticks in ended.fold(living).items():
        groups.setdefault(group, Group(processes=0, cpu_ticks=0, resident_pages=0))["cpu_ticks"] += ticks
    return groups


def parse(groups: dict[str, Group]) -> Iterable[Sample]:
    for name, sums in sorted(groups.items()):
        yield COUNT(sums["processes"], name)
        yield CPU(sums["cpu_ticks"] / TICKS, name)
        yield RESIDENT(sums["resident_pages"] * PAGE_BYTES, name)
