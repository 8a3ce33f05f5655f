"""Disks, from /proc/diskstats; partitions, loop and RAM disks are left out as node_exporter does.

Source: https://docs.kernel.org/admin-guide/iostats.html
"""

import re
from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Counter, Family, Gauge, Sample
from collectors.sources.files import read_text

EXCLUDED = re.compile(r"(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+")
SECTOR = 512
"""Bytes, whatever the disk's own block size."""
DEVICE = ("device",)

# In the order of the line: family and factor. Kernels before 4.18 and 5.5 have fewer fields.
FIELDS: tuple[tuple[Family, float], ...] = (
    (Counter("node_disk_reads_completed_total", "Reads finished.", DEVICE), 1),
    (Counter("node_disk_reads_merged_total", "Reads merged with a neighbour.", DEVICE), 1),
    (Counter("node_disk_read_bytes_total", "Bytes read.", DEVICE), SECTOR),
    (Counter("node_disk_read_time_seconds_total", "Time that all reads took together.", DEVICE), 1e-3),
    (Counter("node_disk_writes_completed_total", "Writes finished.", DEVICE), 1),
    (Counter("node_disk_writes_merged_total", "Writes merged with a neighbour.", DEVICE), 1),
    (Counter("node_disk_written_bytes_total", "Bytes written.", DEVICE), SECTOR),
    (Counter("node_disk_write_time_seconds_total", "Time that all writes took together.", DEVICE), 1e-3),
    (Gauge("node_disk_io_now", "Requests in flight now.", DEVICE), 1),
    (Counter("node_disk_io_time_seconds_total", "Time with at least one request in flight.", DEVICE), 1e-3),
    (Counter("node_disk_io_time_weighted_seconds_total", "Time weighted by requests in flight.", DEVICE), 1e-3),
    (Counter("node_disk_discards_completed_total", "Discards finished.", DEVICE), 1),
    (Counter("node_disk_discards_merged_total", "Discards merged with a neighbour.", DEVICE), 1),
    (Counter("node_disk_discarded_sectors_total", "Sectors discarded.", DEVICE), 1),
    (Counter("node_disk_discard_time_seconds_total", "Time that all discards took together.", DEVICE), 1e-3),
    (Counter("node_disk_flush_requests_total", "Flushes finished.", DEVICE), 1),
    (Counter("node_disk_flush_requests_time_seconds_total", "Time that all flushes took together.", DEVICE), 1e-3),
)
FAMILIES = tuple(family for family, _ in FIELDS)


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/diskstats")


def parse(text: str) -> Iterable[Sample]:
    for line in text.splitlines():
        words = line.split()
        if len(words) < 14 or not all(word.isdecimal() for word in words[3:]):
            raise ParseError(
                f"expected a device and at least 11 numbers a line in /proc/diskstats, found {line[:100]!r}"
            )
        device = words[2]
        if EXCLUDED.fullmatch(device):
            continue
        for (family, factor), value in zip(FIELDS, words[3:], strict=False):
            yield family(int(value) / 1000 if factor == 1e-3 else int(value) * factor, device)
