"""Three hours of a web host, made up but of the collectors' real families: what the pages' tests look at.

The same arguments give the same samples. `trouble` seconds before the end the pool `shop` runs out of workers;
during `silence` (seconds before the end, from and to) nothing was measured at all.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent import outcomes
from collectors import mysql, nginx
from collectors.host import clock as host_clock
from collectors.host import cpu, diskstats, filesystem, kernel, loadavg, meminfo, netdev, pressure, processes, uname
from collectors.model import UP, Event, Family, Sample, Target
from collectors.mysql import status as mysql_status
from collectors.mysql import variables as mysql_variables
from collectors.phpfpm import pool, status
from collectors.probe import families as checks
from collectors.redis import info
from history.store import Store
from tests.dashboard import around, services

HOST = "web-01"
NODE = Target("node", HOST, HOST)
NGINX = Target("nginx", f"{HOST}:80", HOST)
WWW = Target("phpfpm", f"{HOST}:/run/php/www.sock", HOST)
SHOP = Target("phpfpm", f"{HOST}:/run/php/shop.sock", HOST)
MYSQL = Target("mysql", f"{HOST}:/run/mysqld/mysqld.sock", HOST)
REDIS = Target("redis", f"{HOST}:6379", HOST)
PROBE = Target("blackbox", "https://shop.example.org/", HOST, (("module", "http"), ("height", "local")))
OWN = Target("raingauge", HOST, HOST)
TARGETS = (NODE, NGINX, WWW, SHOP, MYSQL, REDIS, PROBE, OWN)

GIB = 2**30
REDIS_FAMILIES = {family.name: family for family in info.FAMILIES}
DISK = {family.name: family for family in diskstats.FAMILIES}
NET = {family.name: family for family in netdev.FAMILIES}
KERNEL = {family.name: family for family in kernel.FAMILIES}
PRESSURE = {family.name: family for family in pressure.FAMILIES}
STATUS = {family.name: family for family in status.FAMILIES}

Tick = tuple[Target, float, Sequence[Sample]]


@dataclass(frozen=True)
class Scene:
    end: float  # Unix seconds, the last tick
    hours: float = 3.0
    interval: float = 10.0
    trouble: float = 0.0
    silence: tuple[float, float] | None = None
    targets: tuple[Target, ...] = TARGETS

    def ticks(self) -> Iterator[Tick]:
        counters: dict[tuple[str, tuple[str, ...]], float] = {}
        dice = random.Random(7)
        drift = dict.fromkeys(("requests", "www", "shop", "cpu", "disk", "net"), 0.0)
        count = round(self.hours * 3600 / self.interval)
        for step in range(count + 1):
            before_end = (count - step) * self.interval
            drift = {name: value * 0.94 + dice.uniform(-1, 1) * 0.3 for name, value in drift.items()}
            if self.silence and self.silence[0] >= before_end > self.silence[1]:
                continue
            t = self.end - before_end
            moment = Moment(t, self.interval, step, self._strain(before_end), drift, counters)
            for target in self.targets:
                yield target, t, [*WRITERS[target](moment), UP(1)]

    def _strain(self, before_end: float) -> float:
        """0 in peace, 1 a minute and a half into the trouble."""
        return min(1.0, max(0.0, self.trouble - before_end) / 90)

    def fill(self, store: Store, after: float = 0.0) -> None:
        """Those later than `after`."""
        store.append_many(tick for tick in self.ticks() if tick[1] > after)


@dataclass(frozen=True)
class Moment:
    t: float
    interval: float
    step: int
    strain: float
    drift: dict[str, float]
    counters: dict[tuple[str, tuple[str, ...]], float]

    def grown(self, family: Family, per_second: float, *labels: str, start: float = 1000.0) -> Sample:
        key = (family.name, labels)
        self.counters[key] = self.counters.get(key, start) + max(0.0, per_second) * self.interval
        return family(self.counters[key], *labels)

    @property
    def requests(self) -> float:
        wave = 42 + 8 * math.sin(self.step / 210)
        return wave + 5 * self.drift["requests"] - 16 * self.strain


def _node(m: Moment) -> Iterator[Sample]:
    busy = 0.16 + 0.05 * math.sin(m.step / 150) + 0.04 * m.drift["cpu"] + 0.5 * m.strain
    shares = {"user": busy * 0.7, "nice": 0.002, "system": busy * 0.22, "iowait": 0.02 + 0.03 * m.strain, "irq": 0.0,
              "softirq": 0.004, "steal": 0.003}  # fmt: skip
    for core in range(8):
        for mode, share in {**shares, "idle": 1 - sum(shares.values())}.items():
            yield m.grown(cpu.SECONDS, share, str(core), mode)
    used = (6.1 + 0.3 * math.sin(m.step / 400) + 2.6 * m.strain) * GIB
    for name, value in {"MemTotal": 16 * GIB, "MemAvailable": 16 * GIB - used, "MemFree": 2.2 * GIB,
                        "Buffers": 0.3 * GIB, "Cached": 5.2 * GIB, "SReclaimable": 0.4 * GIB, "SwapTotal": 2 * GIB,
                        "SwapFree": 1.8 * GIB}.items():  # fmt: skip
        yield meminfo.MEMORY.named(f"{name}_bytes")(value)
    load = busy * 8
    yield from (family(load * factor) for family, factor in zip(loadavg.FAMILIES, (1.1, 1.0, 0.9), strict=True))
    yield KERNEL["node_boot_time_seconds"](m.t - m.step * m.interval - 41 * 86400)
    yield KERNEL["node_procs_running"](round(load) + 1)
    yield KERNEL["node_procs_blocked"](round(3 * m.strain))
    yield m.grown(KERNEL["node_context_switches_total"], 5200 + 9000 * m.strain)
    yield m.grown(KERNEL["node_forks_total"], 6)
    yield from _storage(m)
    for device, factor in (("eth0", 1.0), ("lo", 0.6)):
        yield m.grown(NET["node_network_receive_bytes_total"], m.requests * 2_400 * factor, device)
        yield m.grown(NET["node_network_transmit_bytes_total"], m.requests * 31_000 * factor, device)
        yield m.grown(NET["node_network_receive_errs_total"], 0, device)
        yield m.grown(NET["node_network_transmit_errs_total"], 0, device)
        yield m.grown(NET["node_network_receive_drop_total"], 0, device)
        yield m.grown(NET["node_network_transmit_drop_total"], 0, device)
    for name, share in (("cpu_waiting", 0.03 + 0.3 * m.strain), ("io_waiting", 0.02 + 0.1 * m.strain),
                        ("io_stalled", 0.01), ("memory_waiting", 0.0), ("memory_stalled", 0.0)):  # fmt: skip
        yield m.grown(PRESSURE[f"node_pressure_{name}_seconds_total"], share)
    yield uname.INFO(1, "Linux", "6.1.0-31-amd64", "#1 SMP Debian 6.1.128-1", "x86_64", HOST, "(none)")
    yield host_clock.NOW(m.t)
    yield host_clock.ZONE(3600, "CET")
    for group, count, cores, gib in (("nginx", 9, 0.1, 0.12), ("php-fpm", 34, 0.7 + 3 * m.strain, 2.9),
                                     ("mysql", 1, 0.4 + 1.2 * m.strain, 2.2), ("redis", 1, 0.06, 0.3),
                                     ("raingauge", 1, 0.01, 0.07), ("other", 112, 0.12, 0.9)):  # fmt: skip
        yield processes.COUNT(count, group)
        yield m.grown(processes.CPU, cores, group)
        yield processes.RESIDENT(gib * GIB, group)


def _storage(m: Moment) -> Iterator[Sample]:
    mounts = (("/", "/dev/sda1", 80, 21 - m.step / 4000), ("/var/lib/mysql", "/dev/sdb1", 200, 121),
              ("/srv", "/dev/sdc1", 500, 380))  # fmt: skip
    for mount, device, size, left in mounts:
        labels = (device, mount, "ext4", "")
        yield filesystem.SIZE(size * GIB, *labels)
        yield filesystem.FREE((left + size / 20) * GIB, *labels)
        yield filesystem.AVAIL(left * GIB, *labels)
        yield filesystem.FILES(5_000_000, *labels)
        yield filesystem.FILES_FREE(4_100_000, *labels)
        yield filesystem.READONLY(0, *labels)
    for disk, factor in (("sda", 1.0), ("sdb", 2.5 + 6 * m.strain)):
        noise = 1 + 0.4 * m.drift["disk"]
        yield m.grown(DISK["node_disk_read_bytes_total"], 90_000 * factor * noise, disk)
        yield m.grown(DISK["node_disk_written_bytes_total"], 410_000 * factor * noise, disk)
        yield m.grown(DISK["node_disk_reads_completed_total"], 9 * factor, disk)
        yield m.grown(DISK["node_disk_writes_completed_total"], 31 * factor, disk)
        yield m.grown(DISK["node_disk_io_time_seconds_total"], 0.04 * factor, disk)


def _nginx(m: Moment) -> Iterator[Sample]:
    yield nginx.ACTIVE(round(96 + 14 * m.drift["requests"] + 90 * m.strain))
    yield m.grown(nginx.ACCEPTED, m.requests * 0.4)
    yield m.grown(nginx.HANDLED, m.requests * 0.4)
    yield m.grown(nginx.REQUESTS, m.requests, start=8e6)
    yield nginx.READING(0)
    yield nginx.WRITING(round(11 + 60 * m.strain))
    yield nginx.WAITING(round(85 + 14 * m.drift["requests"]))
    yield nginx.UP(1)


def _pool(name: str, limit: int, busy: float, strain: float) -> "Iterator[tuple[Family, float]]":
    active = min(limit, max(1, round(busy)))
    total = max(active + 3, 12) if active < limit else limit
    yield from ((status.UP, 1), (status.ACTIVE, active), (status.IDLE, min(limit, total) - active),
                (status.TOTAL, min(limit, total)), (status.LISTEN_QUEUE, round(6 * strain)),
                (status.LISTEN_QUEUE_LENGTH, 511))  # fmt: skip
    yield from ((pool.MAX_CHILDREN, limit), (pool.WORKERS, min(limit, total)), (pool.BUSY, active),
                (pool.MEMORY, total * 84e6), (pool.LARGEST, 131e6), (pool.WAITING, round(6 * strain)),
                (pool.LIMIT, 511), (pool.FULL, float(active >= limit)))  # fmt: skip


def _phpfpm(name: str, limit: int, share: float) -> Callable[[Moment], Iterator[Sample]]:
    def write(m: Moment) -> Iterator[Sample]:
        strain = m.strain if name == "shop" else 0.0
        uri = f"unix:///run/php/{name}.sock;/fpm-status"
        busy = m.requests * share + 2.5 * m.drift[name] + limit * strain
        for family, value in _pool(name, limit, busy, strain):
            yield family(value, name, uri) if "scrape_uri" in family.labels else family(value, name)
        yield m.grown(STATUS["phpfpm_accepted_connections"], m.requests * share * 1.7, name, uri)
        yield from services.slow_php(m, name)
        yield around.waiting(m, name)
        yield m.grown(STATUS["phpfpm_slow_requests"], 0.4 * strain, name, uri, start=3)
        yield m.grown(STATUS["phpfpm_max_children_reached"], 0.05 * strain, name, uri, start=2)

    return write


def _mysql(m: Moment) -> Iterator[Sample]:
    for name, rate in (("queries", m.requests * 9), ("questions", m.requests * 8.5),
                       ("slow_queries", 0.02 + 1.2 * m.strain), ("bytes_received", m.requests * 900),
                       ("bytes_sent", m.requests * 6200), ("aborted_connects", 0.0)):  # fmt: skip
        yield m.grown(mysql_status.STATUS.named(name), rate)
    yield mysql_status.STATUS.named("threads_connected")(round(14 + 2 * m.drift["www"] + 38 * m.strain))
    yield mysql_status.STATUS.named("threads_running")(round(2 + 22 * m.strain))
    for name, value in (("innodb_buffer_pool_bytes_data", 1.4 * GIB), ("uptime", 3e6 + m.step * m.interval)):
        yield mysql_status.STATUS.named(name)(value)
    yield mysql_variables.VARIABLE.named("max_connections")(151)
    yield mysql_variables.VARIABLE.named("innodb_buffer_pool_size")(2 * GIB)
    yield mysql_variables.VERSION(1, "10.11.14-MariaDB", "Debian 12", "10.11.14")
    yield mysql.UP(1)
    yield from services.digests(m)


def _redis(m: Moment) -> Iterator[Sample]:
    def named(name: str) -> Family:
        return REDIS_FAMILIES[f"redis_{name}"]

    lookups = m.requests * 22
    yield m.grown(named("keyspace_hits_total"), lookups * (0.96 + 0.01 * math.sin(m.step / 90)))
    yield m.grown(named("keyspace_misses_total"), lookups * 0.035)
    yield m.grown(named("commands_processed_total"), lookups * 1.3)
    yield m.grown(named("evicted_keys_total"), 0.0)
    yield m.grown(named("expired_keys_total"), 0.4)
    yield named("memory_used_bytes")((182 + 6 * math.sin(m.step / 300)) * 2**20)
    yield named("memory_max_bytes")(256 * 2**20)
    yield named("connected_clients")(17)
    yield named("blocked_clients")(0)
    yield REDIS_FAMILIES["redis_uptime_in_seconds"](2e6 + m.step * m.interval)


def _probe(m: Moment) -> Iterator[Sample]:
    seconds = 0.08 + 0.012 * m.drift["shop"] + 3.1 * m.strain
    yield checks.SUCCESS(1)
    yield checks.DURATION(seconds)
    yield checks.STATUS(200)
    for phase, share in (("resolve", 0.02), ("connect", 0.06), ("tls", 0.2), ("processing", 0.66), ("transfer", 0.06)):
        yield checks.PHASES(seconds * share, phase)
    yield checks.SSL(1)
    yield checks.CERTIFICATE_END(m.t - m.step * m.interval + 61 * 86400)


def _own(m: Moment) -> Iterator[Sample]:
    yield outcomes.BUILD(1, "0.1.0")
    yield m.grown(outcomes.CPU, 0.006)
    yield outcomes.RESIDENT(61e6)
    for target in TARGETS[:-1]:
        yield outcomes.TARGET_UP(1, target.job, target.instance)


WRITERS: dict[Target, Callable[[Moment], Iterator[Sample]]] = {
    NODE: _node, NGINX: _nginx, WWW: _phpfpm("www", 40, 0.18), SHOP: _phpfpm("shop", 40, 0.14), MYSQL: _mysql,
    REDIS: _redis, PROBE: _probe, OWN: _own, **services.WRITERS, **around.WRITERS,
}  # fmt: skip


def happened(end: float) -> list[Event]:
    """What else was going on: a restart before the trouble, and the alert."""

    def event(kind: str, severity: str, ago: float, title: str) -> Event:
        t = end - ago
        return Event(f"{kind}:{t:.0f}", kind, severity, HOST, "", t, t, 1, title, source="scene")  # type: ignore[arg-type]

    return [
        event("alert", "critical", 540, "FpmPoolExhausted firing: all workers of pool shop are busy"),
        event("restart", "info", 1380, "PHP-FPM pool shop was restarted"),
        event("cron", "info", 2400, "Drupal cron finished in 41 s"),
    ]
