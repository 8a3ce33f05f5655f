"""Traffic of the network interfaces and whether they are up; lo is included, as in node_exporter.

Source: https://docs.kernel.org/networking/statistics.html
"""

import os
from collections.abc import Iterable
from typing import TypedDict

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Counter, Family, Gauge, Sample
from collectors.sources.files import attribute, read_text

DEVICE = ("device",)


def counter(direction: str, field: str, text: str) -> Family:
    return Counter(f"node_network_{direction}_{field}_total", text, DEVICE)


# In the order of the line.
RECEIVED = (
    counter("receive", "bytes", "Bytes received."),
    counter("receive", "packets", "Packets received."),
    counter("receive", "errs", "Packets received with an error."),
    counter("receive", "drop", "Received packets that were dropped."),
    counter("receive", "fifo", "Received packets lost to a full device buffer."),
    counter("receive", "frame", "Packets received with a framing error."),
    counter("receive", "compressed", "Compressed packets received."),
    counter("receive", "multicast", "Multicast packets received."),
)
SENT = (
    counter("transmit", "bytes", "Bytes sent."),
    counter("transmit", "packets", "Packets sent."),
    counter("transmit", "errs", "Packets that failed to be sent."),
    counter("transmit", "drop", "Packets dropped before they were sent."),
    counter("transmit", "fifo", "Packets to send lost to a full device buffer."),
    counter("transmit", "colls", "Collisions while sending."),
    counter("transmit", "carrier", "Packets lost for want of a carrier."),
    counter("transmit", "compressed", "Compressed packets sent."),
)
UP = Gauge("node_network_up", "1 if the interface's operational state is up.", DEVICE)
CARRIER = Gauge("node_network_carrier", "1 if the physical link is up.", DEVICE)
FAMILIES = (*RECEIVED, *SENT, UP, CARRIER)

ATTRIBUTES = ("operstate", "carrier")


class Payload(TypedDict):
    dev: str
    devices: dict[str, dict[str, str]]


def read(config: Host) -> Payload:
    return {"dev": read_text(f"{config.procfs}/net/dev"), "devices": attributes(config, ATTRIBUTES)}


def attributes(config: Host, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """By device; what an interface does not have, or does not tell while it is down, is left out."""
    devices: dict[str, dict[str, str]] = {}
    folder = f"{config.sysfs}/class/net"
    for device in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():  # noqa: PTH112, PTH208 # pathlib: slow
        told = {name: attribute(f"{folder}/{device}/{name}") for name in names}
        if found := {name: text for name, text in told.items() if text is not None}:  # none: bonding_masters, a file
            devices[device] = found
    return devices


def parse(payload: Payload) -> Iterable[Sample]:
    rows = [line.partition(":") for line in payload["dev"].splitlines()[2:]]
    for name, colon, text in rows:
        fields = text.split()
        if not colon or len(fields) < 16 or not all(field.isdecimal() for field in fields):
            raise ParseError(f"expected 'name: 16 counters' in /proc/net/dev, found {name + colon + text!r}")
        for family, value in zip((*RECEIVED, *SENT), fields, strict=False):
            yield family(int(value), name.strip())
    for device, facts in payload["devices"].items():
        yield UP(facts.get("operstate") == "up", device)
        if facts.get("carrier", "").isdecimal():
            yield CARRIER(int(facts["carrier"]), device)
