"""The host itself, read from /proc and /sys: names, labels and types are node_exporter's.

Source: https://github.com/prometheus/node_exporter
"""

from collections.abc import Iterable

from collectors.host import (
    clock,
    cpu,
    diskstats,
    filesystem,
    kernel,
    loadavg,
    meminfo,
    netdev,
    pressure,
    processes,
    uname,
)
from collectors.host.config import Host
from collectors.inventory import Inventory
from collectors.model import Collector, Part, Proposal


def discover(_inventory: Inventory) -> Iterable[Proposal]:
    return [Proposal("this host", Host())]


COLLECTOR = Collector(
    "host",
    "node",
    Host,
    parts=(
        Part("cpu", cpu.FAMILIES, cpu.read, cpu.parse),
        Part("meminfo", meminfo.FAMILIES, meminfo.read, meminfo.parse),
        Part("loadavg", loadavg.FAMILIES, loadavg.read, loadavg.parse),
        Part("stat", kernel.FAMILIES, kernel.read, kernel.parse),
        Part("filesystem", filesystem.FAMILIES, filesystem.read, filesystem.parse),
        Part("diskstats", diskstats.FAMILIES, diskstats.read, diskstats.parse),
        Part("netdev", netdev.FAMILIES, netdev.read, netdev.parse),
        Part("pressure", pressure.FAMILIES, pressure.read, pressure.parse),
        Part("uname", uname.FAMILIES, uname.read, uname.parse),
        Part("time", clock.FAMILIES, clock.read, clock.parse),
        Part("processes", processes.FAMILIES, processes.read, processes.parse),
    ),
    instance=lambda _config, host: host,
    discover=discover,
)
