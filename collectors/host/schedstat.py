"""Time that tasks ran on, and waited for, each CPU, from /proc/schedstat; absent on kernels built without it.

Source: https://docs.kernel.org/scheduler/sched-stats.html
"""

import re
from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Counter, Sample
from collectors.sources.files import read_text

CPU = ("cpu",)
RUNNING = Counter("node_schedstat_running_seconds_total", "Time that tasks ran on the CPU.", CPU)
WAITING = Counter("node_schedstat_waiting_seconds_total", "Time that tasks waited for the CPU.", CPU)
SLICES = Counter("node_schedstat_timeslices_total", "Time slices that the CPU executed.", CPU)
FAMILIES = (RUNNING, WAITING, SLICES)


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/schedstat")


def parse(text: str) -> Iterable[Sample]:
    found = re.findall(r"^cpu(\d+)(?: \d+){6} (\d+) (\d+) (\d+)", text, re.MULTILINE | re.ASCII)
    if not found:
        raise ParseError(f"expected lines such as 'cpu0' and nine numbers in /proc/schedstat, found {text[:60]!r}")
    for cpu, running, waiting, slices in found:
        yield RUNNING(int(running) / 1e9, cpu)
        yield WAITING(int(waiting) / 1e9, cpu)
        yield SLICES(int(slices), cpu)
