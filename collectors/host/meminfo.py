"""Memory, from /proc/meminfo: each line is one gauge.

Source: https://docs.kernel.org/filesystems/proc.html#meminfo
"""

import re
from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

MEMORY = Gauge("node_memory_*", "The line * of /proc/meminfo; in bytes where the kernel gives a size.")
FAMILIES = (MEMORY,)


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/meminfo")


def parse(text: str) -> Iterable[Sample]:
    found = re.findall(r"^([\w()]+):\s+(\d+)( kB)?$", text, re.MULTILINE | re.ASCII)
    if not found:
        raise ParseError(f"expected lines such as 'MemTotal: 1 kB' in /proc/meminfo, found {text[:60]!r}")
    for name, value, kilobytes in found:
        field = re.sub(r"\((.*)\)", r"_\1", name)  # Active(anon)
        yield MEMORY.named(f"{field}_bytes")(int(value) * 1024) if kilobytes else MEMORY.named(field)(int(value))
