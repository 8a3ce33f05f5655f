"""The host itself, read from /proc and /sys: names, labels and types are node_exporter's.

Source: https://github.com/prometheus/node_exporter
"""

import platform
from collections.abc import Iterable
from types import ModuleType

from collectors.host import (
    arp,
    bonding,
    cgroups,
    changes,
    clock,
    cpu,
    cpufreq,
    diskstats,
    edac,
    filesystem,
    hwmon,
    interrupts,
    kernel,
    limits,
    loadavg,
    mdadm,
    meminfo,
    netclass,
    netdev,
    netstat,
    power,
    pressure,
    processes,
    schedstat,
    sockstat,
    softnet,
    systemd,
    tcpstat,
    textfile,
    thermal,
    timex,
    udp_queues,
    uname,
    vmstat,
)
from collectors.host.config import Host
from collectors.inventory import Inventory
from collectors.model import Collector, Gauge, Part, PartRead, Proposal, Sample

MINUTE = 60.0
SUCCESS = Gauge("node_scrape_collector_success", "1 if this part of the host was read.", ("collector",))
DURATION = Gauge("node_scrape_collector_duration_seconds", "Time that reading this part took.", ("collector",))
BUILD = Gauge(
    "node_exporter_build_info", "1; who answers in node_exporter's place.",
    ("branch", "goarch", "goos", "goversion", "revision", "version"),
)  # fmt: skip
GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


def discover(_inventory: Inventory) -> Iterable[Proposal]:
    return [Proposal("this host", Host())]


def of_read(_config: Host, read: PartRead) -> Iterable[Sample]:
    return [SUCCESS(read.succeeded, read.part), DURATION(read.seconds, read.part)]


def read_build(_config: Host) -> str:
    return platform.machine()


def parse_build(machine: str) -> Iterable[Sample]:
    return [BUILD(1, "", GO_NAMES.get(machine, machine), "linux", "", "", "raingauge")]


def part(name: str, module: ModuleType, interval: float = 10.0) -> Part:
    return Part(name, module.FAMILIES, module.read, module.parse, interval)


COLLECTOR = Collector(
    "host",
    "node",
    Host,
    parts=(
        part("cpu", cpu),
        part("meminfo", meminfo),
        part("loadavg", loadavg),
        part("stat", kernel),
        part("filesystem", filesystem),
        part("diskstats", diskstats),
        part("netdev", netdev),
        part("netclass", netclass, MINUTE),
        part("pressure", pressure),
        part("uname", uname, MINUTE),
        part("time", clock),
        part("processes", processes),
        part("cgroups", cgroups),
        part("vmstat", vmstat),
        part("netstat", netstat),
        part("sockstat", sockstat),
        part("softnet", softnet),
        part("schedstat", schedstat),
        part("tcpstat", tcpstat),
        part("udp_queues", udp_queues),
        part("arp", arp, MINUTE),
        part("limits", limits),
        part("timex", timex),
        part("cpufreq", cpufreq),
        part("hwmon", hwmon),
        part("thermal", thermal),
        part("mdadm", mdadm, MINUTE),
        part("edac", edac, MINUTE),
        part("bonding", bonding, MINUTE),
        part("power", power, MINUTE),
        part("systemd", systemd, MINUTE),
        part("textfile", textfile),
        part("interrupts", interrupts, MINUTE),
        Part("vmstat_rest", vmstat.FAMILIES, vmstat.read, vmstat.parse_rest, MINUTE),
        Part("netstat_rest", netstat.FAMILIES, netstat.read, netstat.parse_rest, MINUTE),
        Part("build", (BUILD,), read_build, parse_build, MINUTE),
    ),
    instance=lambda _config, host: host,
    discover=discover,
    followers=changes.FOLLOWERS,
    of_read=of_read,
    read_families=(SUCCESS, DURATION),
)
