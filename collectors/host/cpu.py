"""CPU time by core and mode, from /proc/stat.

Source: https://docs.kernel.org/filesystems/proc.html#miscellaneous-kernel-statistics-in-proc-stat
"""

import os
from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Counter, Sample
from collectors.sources.files import read_text

MOST = {"cpu": 2048}
# The kernel lets idle and iowait slip back a little now and then.
SECONDS = Counter(
    "node_cpu_seconds_total", "CPU time spent in each mode.", ("cpu", "mode"), keep_highest=True, bounds=MOST
)
GUEST = Counter(
    "node_cpu_guest_seconds_total",
    "CPU time spent running virtual machines; part of user and nice.",
    ("cpu", "mode"),
    keep_highest=True,
    bounds=MOST,
)
FAMILIES = (SECONDS, GUEST)

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
TICKS = os.sysconf("SC_CLK_TCK")


def read(config: Host) -> str:
    text = read_text(f"{config.procfs}/stat")
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith("cpu"))


def parse(text: str) -> Iterable[Sample]:
    lines = [line.split() for line in text.splitlines() if line.startswith("cpu") and line[3:4].isdigit()]
    if not lines:
        raise ParseError(f"expected lines cpu0, cpu1 ... in /proc/stat, found {text[:60]!r}")
    for name, *fields in lines:
        if not all(field.isdecimal() for field in fields):
            raise ParseError(f"expected ticks after {name} in /proc/stat, found {' '.join(fields)[:60]!r}")
        cpu, ticks = name[3:], [int(field) / TICKS for field in fields]
        for mode, seconds in zip(MODES, ticks, strict=False):
            yield SECONDS(seconds, cpu, mode)
        for mode, seconds in zip(("user", "nice"), ticks[8:10], strict=False):
            yield GUEST(seconds, cpu, mode)
