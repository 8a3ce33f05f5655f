"""Interrupts by source and CPU, from /proc/interrupts; left out on machines with too many of both.

Source: https://docs.kernel.org/filesystems/proc.html
"""

from collections.abc import Iterable

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Counter, Sample
from collectors.sources.files import read_text

INTERRUPTS = Counter(
    "node_interrupts_total", "Interrupts, by source and CPU.", ("cpu", "type", "info", "devices"),
    bounds={"type": 300, "info": 300, "devices": 300},
)  # fmt: skip
FAMILIES = (INTERRUPTS,)
MOST_SERIES = 600


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/interrupts")


def parse(text: str) -> Iterable[Sample]:
    head, *lines = text.splitlines() or [""]
    cpus = head.split()
    if not cpus or not all(cpu.startswith("CPU") for cpu in cpus):
        raise ParseError(f"expected a line of CPUs in /proc/interrupts, found {head[:60]!r}")
    if len(cpus) * len(lines) > MOST_SERIES:
        raise Absent(f"{len(cpus)} CPUs and {len(lines)} sources would be more than {MOST_SERIES} series")
    for line in lines:
        name, _, rest = line.partition(":")
        fields = rest.split()
        counts = fields[: len(cpus)]
        if len(counts) < len(cpus) or not all(count.isdecimal() for count in counts):
            continue  # ERR and MIS are of no CPU
        after = fields[len(cpus) :]
        numbered = name.strip().isdecimal()
        info, devices = (after[0] if after else "", " ".join(after[1:])) if numbered else (" ".join(after), "")
        for cpu, count in zip(cpus, counts, strict=True):
            yield INTERRUPTS(int(count), cpu.removeprefix("CPU"), name.strip(), info, devices)
