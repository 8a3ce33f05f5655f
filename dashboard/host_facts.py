"""The host in a few numbers: bars for what can run out, and what kind of machine it is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import units
from dashboard.moments import span
from history.model import Point, QueryError, Source, Vector

REAL = 'fstype!~"tmpfs|overlay|squashfs|fuse.*|nfs.*"'
IDLE = 'sum(rate(node_cpu_seconds_total{mode="idle"}[1m])) / sum(rate(node_cpu_seconds_total[1m]))'
MEMORY = "1 - max(node_memory_MemAvailable_bytes) / max(node_memory_MemTotal_bytes)"
NEARLY_FULL, FULL = 0.9, 0.97


@dataclass(frozen=True)
class Bar:
    name: str
    text: str
    share: float
    """0 to 1."""
    state: str
    """crit, warn or ok."""


@dataclass(frozen=True)
class FileSystem:
    mountpoint: str
    device: str
    kind: str
    size: str
    free: str
    share: float
    """0 to 1, of what ordinary users can use."""
    state: str
    inodes: str
    """Share of the inodes that is used; "" where there is no fixed number of them."""


@dataclass(frozen=True)
class ProcessGroup:
    name: str
    processes: str
    cores: str
    memory: str


def bars(source: Source, now: float) -> tuple[Bar, ...]:
    """Processor, memory, waiting, the fullest file system, network; those that are not known are left out."""
    found = [_share(source, "Processor", f"1 - {IDLE}", now), _share(source, "Memory", MEMORY, now)]
    for name, resource in (("Waits for a core", "cpu"), ("Waits for disks", "io"), ("Waits for memory", "memory")):
        expr = f"max(rate(node_pressure_{resource}_waiting_seconds_total[1m]))"
        found.append(_share(source, name, expr, now))
    mounts = file_systems(source, now)
    if mounts:
        worst = mounts[0]
        text = f"{units.text(worst.share, 'ratio')} used"
        found.append(Bar(f"Disk {worst.mountpoint}", text, worst.share, worst.state))
    return tuple(bar for bar in found if bar is not None)


def _share(source: Source, name: str, expr: str, now: float) -> Bar | None:
    """Busy is no trouble by itself: alerts say when it is."""
    value = number(source, expr, now)
    return None if value is None else Bar(name, units.text(value, "ratio"), value, "ok")


def file_systems(source: Source, now: float) -> tuple[FileSystem, ...]:
    """The fullest first; of several hosts with the host's name."""
    by_place: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for point in points(
        source, f'{{__name__=~"node_filesystem_(size_bytes|avail_bytes|files|files_free)",{REAL}}}', now
    ):
        labels = point.labels
        names = ("host", "mountpoint", "device", "fstype")
        host, mountpoint, device, kind = (labels.get(name, "") for name in names)
        place = (host, mountpoint, device, kind)
        by_place.setdefault(place, {})[labels["__name__"].removeprefix("node_filesystem_")] = point.value
    several = len({place[0] for place in by_place}) > 1
    found = [
        _file_system((f"{mountpoint} on {host}" if several else mountpoint, device, kind), of)
        for (host, mountpoint, device, kind), of in by_place.items()
        if of.get("size_bytes") and "avail_bytes" in of
    ]
    return tuple(sorted(found, key=lambda each: -each.share))


def _file_system(place: tuple[str, str, str], of: Mapping[str, float]) -> FileSystem:
    share = 1 - of["avail_bytes"] / of["size_bytes"]
    state = "crit" if share >= FULL else "warn" if share >= NEARLY_FULL else "ok"
    inodes = units.text(1 - of.get("files_free", 0) / of["files"], "ratio") if of.get("files") else ""
    size, free = units.text(of["size_bytes"], "bytes"), units.text(of["avail_bytes"], "bytes")
    return FileSystem(*place, size, free, share, state, inodes)


def process_groups(source: Source, now: float) -> tuple[ProcessGroup, ...]:
    """Those that use most memory first."""
    counts = _by_group(source, "sum by (group) (host_process_group_processes)", now)
    cores = _by_group(source, "sum by (group) (rate(host_process_group_cpu_seconds_total[1m]))", now)
    memory = _by_group(source, "sum by (group) (host_process_group_resident_memory_bytes)", now)
    return tuple(
        ProcessGroup(
            group, units.text(counts.get(group), "count"), units.text(cores.get(group), "cores"),
            units.text(memory.get(group), "bytes"),
        )
        for group in sorted(memory, key=lambda group: -memory[group])
    )  # fmt: skip


def facts(source: Source, now: float) -> tuple[tuple[str, str], ...]:
    """What kind of machine it is; what is not known is left out."""
    found: list[tuple[str, str]] = []
    for point in points(source, "node_uname_info", now)[:1]:
        labels = point.labels
        found += [("Kernel", f"{labels.get('sysname', '')} {labels.get('release', '')}".strip()),
                  ("Machine", labels.get("machine", ""))]  # fmt: skip
    cores = number(source, "count(count by (cpu) (node_cpu_seconds_total))", now)
    memory = number(source, "max(node_memory_MemTotal_bytes)", now)
    boot = number(source, "max(node_boot_time_seconds)", now)
    found += [("Cores", units.text(cores, "count"))] if cores else []
    found += [("Memory", units.text(memory, "bytes"))] if memory else []
    found += [("Running for", span(now - boot))] if boot else []
    return tuple((name, text) for name, text in found if text)


def _by_group(source: Source, expr: str, now: float) -> dict[str, float]:
    return {point.labels.get("group", ""): point.value for point in points(source, expr, now)}


def number(source: Source, expr: str, now: float) -> float | None:
    """None for what is not there or is no number."""
    found = points(source, expr, now)
    return found[0].value if found and math.isfinite(found[0].value) else None


def points(source: Source, expr: str, now: float) -> tuple[Point, ...]:
    """Of an expression whose failure means no more than that its part of the page is missing."""
    try:
        found = source.query(expr, now)
    except QueryError:
        return ()
    return found.points if isinstance(found, Vector) else ()
