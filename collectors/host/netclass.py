"""What hardly changes of the network interfaces, from /sys/class/net.

Source: https://docs.kernel.org/ABI/testing/sysfs-class-net
"""

from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.host.netdev import DEVICE, attributes, counter
from collectors.model import Gauge, Sample

SPEED = Gauge("node_network_speed_bytes", "Link speed in bytes a second; absent when the device does not say.", DEVICE)
MTU = Gauge("node_network_mtu_bytes", "Largest packet of the interface.", DEVICE)
NO_HANDLER = counter("receive", "nohandler", "Packets received that no protocol here takes.")
INFO = Gauge(
    "node_network_info",
    "1; facts of the interface are its labels.",
    ("device", "address", "broadcast", "duplex", "operstate", "adminstate", "ifalias"),
)
FAMILIES = (SPEED, MTU, NO_HANDLER, INFO)

ATTRIBUTES = (
    "address",
    "broadcast",
    "duplex",
    "operstate",
    "ifalias",
    "flags",
    "speed",
    "mtu",
    "statistics/rx_nohandler",
)
NUMBERS = ((MTU, "mtu", 1), (SPEED, "speed", 125_000), (NO_HANDLER, "statistics/rx_nohandler", 1))
IFF_UP = 1


def read(config: Host) -> dict[str, dict[str, str]]:
    return attributes(config, ATTRIBUTES)


def parse(devices: dict[str, dict[str, str]]) -> Iterable[Sample]:
    for device, facts in devices.items():
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
