"""Network interfaces, from /proc/net/dev and /sys/class/net; lo is included, as in node_exporter.

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


def _counter(direction: str, field: str, text: str) -> Family:
    return Counter(f"node_network_{direction}_{field}_total", text, DEVICE)


# In the order of the line.
RECEIVED = (
    _counter("receive", "bytes", "Bytes received."),
    _counter("receive", "packets", "Packets received."),
    _counter("receive", "errs", "Packets received with an error."),
    _counter("receive", "drop", "Received packets that were dropped."),
    _counter("receive", "fifo", "Received packets lost to a full device buffer."),
    _counter("receive", "frame", "Packets received with a framing error."),
    _counter("receive", "compressed", "Compressed packets received."),
    _counter("receive", "multicast", "Multicast packets received."),
)
SENT = (
    _counter("transmit", "bytes", "Bytes sent."),
    _counter("transmit", "packets", "Packets sent."),
    _counter("transmit", "errs", "Packets that failed to be sent."),
    _counter("transmit", "drop", "Packets dropped before they were sent."),
    _counter("transmit", "fifo", "Packets to send lost to a full device buffer."),
    _counter("transmit", "colls", "Collisions while sending."),
    _counter("transmit", "carrier", "Packets lost for want of a carrier."),
    _counter("transmit", "compressed", "Compressed packets sent."),
)
UP = Gauge("node_network_up", "1 if the interface's operational state is up.", DEVICE)
SPEED = Gauge("node_network_speed_bytes", "Link speed in bytes a second; absent when the device does not say.", DEVICE)
MTU = Gauge("node_network_mtu_bytes", "Largest packet of the interface.", DEVICE)
NO_HANDLER = _counter("receive", "nohandler", "Packets received that no protocol here takes.")
CARRIER = Gauge("node_network_carrier", "1 if the physical link is up.", DEVICE)
INFO = Gauge(
    "node_network_info",
    "1; facts of the interface are its labels.",
    ("device", "address", "broadcast", "duplex", "operstate", "adminstate", "ifalias"),
)
FAMILIES = (*RECEIVED, *SENT, NO_HANDLER, UP, SPEED, MTU, CARRIER, INFO)

ATTRIBUTES = (
    "address", "broadcast", "duplex", "operstate", "ifalias", "flags", "speed", "mtu", "carrier",
    "statistics/rx_nohandler",
)  # fmt: skip
IFF_UP = 1


NUMBERS = (
    (MTU, "mtu", 1), (CARRIER, "carrier", 1), (SPEED, "speed", 125_000), (NO_HANDLER, "statistics/rx_nohandler", 1),
)  # fmt: skip


class Payload(TypedDict):
    dev: str
    devices: dict[str, dict[str, str]]


def read(config: Host) -> Payload:
    """Attributes that an interface does not have, or does not tell while it is down, are left out."""
    devices: dict[str, dict[str, str]] = {}
    net = f"{config.sysfs}/class/net"
    for device in sorted(os.listdir(net)) if os.path.isdir(net) else ():  # noqa: PTH112, PTH208 # pathlib: thrice as long
        told = {name: attribute(f"{net}/{device}/{name}") for name in ATTRIBUTES}
        if told["mtu"] is not None:  # no interface: bonding_masters is a file
            devices[device] = {name: text for name, text in told.items() if text is not None}
    return {"dev": read_text(f"{config.procfs}/net/dev"), "devices": devices}


def parse(payload: Payload) -> Iterable[Sample]:
    rows = [line.partition(":") for line in payload["dev"].splitlines()[2:]]
    for name, colon, text in rows:
        fields = text.split()
        if not colon or len(fields) < 16 or not all(field.isdecimal() for field in fields):
            raise ParseError(f"expected 'name: 16 counters' in /proc/net/dev, found {name + colon + text!r}")
        for family, value in zip((*RECEIVED, *SENT), fields, strict=False):
            yield family(int(value), name.strip())
    for device, facts in payload["devices"].items():
        yield from _link(device, facts)


def _link(device: str, facts: dict[str, str]) -> Iterable[Sample]:
    yield UP(facts.get("operstate") == "up", device)
    for family, name, factor in NUMBERS:
        value = facts.get(name, "")
        if value.isdecimal():  # an unknown speed is -1
            yield family(int(value) * factor, device)
    try:
        admin = "up" if int(facts.get("flags", "0"), 16) & IFF_UP else "down"
    except ValueError as error:
        raise ParseError(f"expected a number in flags of {device}, found {facts['flags'][:60]!r}") from error
    plain = (facts.get(name, "") for name in ("address", "broadcast", "duplex", "operstate"))
    yield INFO(1, device, *plain, admin, facts.get("ifalias", ""))
