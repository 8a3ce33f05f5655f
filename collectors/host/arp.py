"""Neighbours that the host knows on each network, from /proc/net/arp.

Source: https://man7.org/linux/man-pages/man7/arp.7.html
"""

from collections import Counter
from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

ENTRIES = Gauge("node_arp_entries", "Entries of the ARP table, by network card.", ("device",))
FAMILIES = (ENTRIES,)


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/net/arp")


def parse(text: str) -> Iterable[Sample]:
    if not text.startswith("IP address"):
        raise ParseError(f"expected a table that begins with 'IP address' in /proc/net/arp, found {text[:60]!r}")
    devices = Counter(line.split()[-1] for line in text.splitlines()[1:] if line.strip())
    return [ENTRIES(count, device) for device, count in sorted(devices.items())]
