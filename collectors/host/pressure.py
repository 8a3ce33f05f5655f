"""Pressure stall information, from /proc/pressure; absent on kernels without it.

Source: https://docs.kernel.org/accounting/psi.html
"""

import re
from collections.abc import Iterable

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Counter, Sample
from collectors.sources.files import read_text

FAMILIES_BY_LINE = {
    ("cpu", "some"): Counter("node_pressure_cpu_waiting_seconds_total", "Time in which some task waited for a CPU."),
    ("io", "some"): Counter("node_pressure_io_waiting_seconds_total", "Time in which some task waited for a disk."),
    ("io", "full"): Counter("node_pressure_io_stalled_seconds_total", "Time in which all tasks waited for a disk."),
    ("memory", "some"): Counter("node_pressure_memory_waiting_seconds_total", "Time in which some waited for memory."),
    ("memory", "full"): Counter("node_pressure_memory_stalled_seconds_total", "Time in which all waited for memory."),
    ("irq", "full"): Counter("node_pressure_irq_stalled_seconds_total", "Time in which tasks waited for interrupts."),
}  # fmt: skip
FAMILIES = tuple(FAMILIES_BY_LINE.values())


def read(config: Host) -> dict[str, str]:
    """Resource -> its file's text; Absent when the kernel has none of them."""
    texts = {}
    for resource in ("cpu", "io", "memory", "irq"):
        try:
            texts[resource] = read_text(f"{config.procfs}/pressure/{resource}")
        except (Absent, OSError):  # the kernel was built or booted without this one
            continue
    if not texts:
        raise Absent("this kernel has no /proc/pressure")
    return texts


def parse(texts: dict[str, str]) -> Iterable[Sample]:
    for resource, text in texts.items():
        found = re.findall(r"^(some|full) .*total=(\d+)$", text, re.MULTILINE)
        if not found:
            raise ParseError(f"expected 'some ... total=N' in /proc/pressure/{resource}, found {text[:60]!r}")
        for line, microseconds in found:
            if family := FAMILIES_BY_LINE.get((resource, line)):
                yield family(int(microseconds) / 1e6)
