"""What each service of the host uses, from the control groups that systemd makes; absent without them.

Source: https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

import re
from collections.abc import Iterable
from pathlib import Path

from collectors.errors import Absent
from collectors.host.config import Host
from collectors.model import Counter, Family, Gauge, Sample
from collectors.sources.files import attribute

SERVICE = ("service",)


def _counter(name: str, text: str) -> Family:
    return Counter(f"host_service_{name}", text, SERVICE, bounds={"service": 150})


def _gauge(name: str, text: str) -> Family:
    return Gauge(f"host_service_{name}", text, SERVICE, bounds={"service": 150})


CPU = _counter("cpu_seconds_total", "CPU time of the service.")
THROTTLED = _counter("cpu_throttled_seconds_total", "Time in which the service was held back by its CPU quota.")
MEMORY = _gauge("memory_bytes", "Memory of the service, its page cache included.")
MEMORY_LIMIT = _gauge("memory_limit_bytes", "Memory that the service may have; absent without a limit.")
KILLED = _counter("oom_kills_total", "Processes of the service that were killed for want of memory.")
READ = _counter("disk_read_bytes_total", "Bytes that the service read from disks.")
WRITTEN = _counter("disk_written_bytes_total", "Bytes that the service wrote to disks.")
TASKS = _gauge("tasks", "Processes and threads of the service.")
TASKS_LIMIT = _gauge("tasks_limit", "Processes and threads that the service may have; absent without a limit.")
FAMILIES = (CPU, THROTTLED, MEMORY, MEMORY_LIMIT, KILLED, READ, WRITTEN, TASKS, TASKS_LIMIT)

FILES = ("cpu.stat", "memory.current", "memory.max", "memory.events", "io.stat", "pids.current", "pids.max")


def read(config: Host) -> dict[str, dict[str, str]]:
    """Service -> its files' texts. Instances of one template and services of its slices are each their own."""
    services = {}
    top = Path(config.sysfs, "fs/cgroup/system.slice")
    for folder in sorted([*top.glob("*.service"), *top.glob("*.slice/*.service")]):
        texts = {name: text for name in FILES if (text := attribute(folder / name)) is not None}
        if texts:
            services[folder.name.removesuffix(".service")] = texts
    if not services:
        raise Absent("no control groups of services (cgroup v2, systemd) here")
    return services


def parse(services: dict[str, dict[str, str]]) -> Iterable[Sample]:
    for service, texts in services.items():
        yield from _cpu(service, _pairs(texts.get("cpu.stat", "")))
        killed = _pairs(texts.get("memory.events", "")).get("oom_kill")
        if killed is not None:
            yield KILLED(killed, service)
        if "io.stat" in texts:
            for family, key in ((READ, "rbytes"), (WRITTEN, "wbytes")):
                yield family(sum(map(int, re.findall(rf"\b{key}=(\d+)", texts["io.stat"]))), service)
        plain = (
            (MEMORY, "memory.current"), (MEMORY_LIMIT, "memory.max"),
            (TASKS, "pids.current"), (TASKS_LIMIT, "pids.max"),
        )  # fmt: skip
        for family, file in plain:
            if texts.get(file, "").isdecimal():  # "max": no limit
                yield family(int(texts[file]), service)


def _cpu(service: str, pairs: dict[str, int]) -> Iterable[Sample]:
    for family, key in ((CPU, "usage_usec"), (THROTTLED, "throttled_usec")):
        if key in pairs:
            yield family(pairs[key] / 1e6, service)


def _pairs(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}
