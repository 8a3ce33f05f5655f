"""Boot time, forks, context switches, interrupts and runnable tasks, from /proc/stat.

Source: https://docs.kernel.org/filesystems/proc.html#miscellaneous-kernel-statistics-in-proc-stat
"""

from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Counter, Gauge, Sample
from collectors.sources.files import read_text

FIELDS = {
    "intr": Counter("node_intr_total", "Interrupts serviced."),
    "ctxt": Counter("node_context_switches_total", "Context switches."),
    "btime": Gauge("node_boot_time_seconds", "When the host booted, in Unix time."),
    "processes": Counter("node_forks_total", "Processes and threads begun."),
    "procs_running": Gauge("node_procs_running", "Tasks that run or could run now."),
    "procs_blocked": Gauge("node_procs_blocked", "Tasks that wait for a disk now."),
}
FAMILIES = tuple(FIELDS.values())


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/stat")


def parse(text: str) -> Iterable[Sample]:
    rows = [line.split(maxsplit=2) for line in text.splitlines()]
    found = [FIELDS[row[0]](int(row[1])) for row in rows if len(row) > 1 and row[0] in FIELDS and row[1].isdecimal()]
    if not found:
        raise ParseError(f"expected lines such as 'ctxt 1' in /proc/stat, found {text[:60]!r}")
    return found
