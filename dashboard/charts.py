"""The catalogue of charts: what each one asks, in which unit, for which targets. Data only.

`$__rate_interval` is the range that rates are taken over, as Grafana calls it: four ticks, or more where points are
further apart than that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dashboard.units import Unit

RATE_INTERVAL = "$__rate_interval"
MOST_LINES = 5


@dataclass(frozen=True)
class Curve:
    """One or more lines: each series of the result is one."""

    name: str
    """At the line's end; `{mountpoint}` stands for the series' label of that name."""
    expr: str
    dotted: bool = False
    tone: int = 0
    """1 to 5: colour of the series; 0: the next that is free."""


@dataclass(frozen=True)
class Limit:
    name: str
    expr: str


@dataclass(frozen=True)
class Chart:
    id: str
    title: str
    subtitle: str
    unit: Unit
    job: str
    """The job whose targets have it: without such a target the chart is not shown."""
    part: str
    """The part that reads it: where the part is absent (a kernel without pressure), so is the chart."""
    curves: tuple[Curve, ...]
    kind: Literal["lines", "area", "stack"] = "lines"
    """`area` fills below the first line; `stack` puts lines on each other."""
    limits: tuple[Limit, ...] = ()
    idle: str = ""
    """What is said when the part answers and there is still no value; "" shows no chart then."""
    each: tuple[str, ...] = ()
    """One chart for each set of values of these labels; () puts everything into one."""

    @property
    def expressions(self) -> Iterator[str]:
        yield from (curve.expr for curve in self.curves)
        yield from (limit.expr for limit in self.limits)


REQUESTS = Chart(
    "requests", "Requests", "per second", "per_second", "nginx", "status",
    (Curve("requests", "sum by (instance) (rate(nginx_http_requests_total[$__rate_interval]))"),),
    kind="area", each=("instance",),
)  # fmt: skip
WEB_CONNECTIONS = Chart(
    "web-connections", "Web connections", "open now", "count", "nginx", "status",
    (
        Curve("all", "sum by (instance) (nginx_connections_active)"),
        Curve("serving", "sum by (instance) (nginx_connections_writing)", tone=2),
    ),
    kind="area", each=("instance",),
)  # fmt: skip
# The status page knows more, and the kernel's view remains where a pool has no status page.
PHP_WORKERS = Chart(
    "php-workers", "PHP workers", "", "count", "phpfpm", "pool",
    (
        Curve(
            "busy",
            "max by (instance, pool) (phpfpm_active_processes) or max by (instance, pool) (php_fpm_pool_workers_busy)",
            tone=3,
        ),
        Curve("idle", "max by (instance, pool) (phpfpm_idle_processes)", tone=5),
        Curve(
            "queue",
            "max by (instance, pool) (phpfpm_listen_queue) or max by (instance, pool) (php_fpm_pool_accept_queue)",
            dotted=True, tone=4,
        ),
    ),
    kind="area", limits=(Limit("limit", "max by (instance, pool) (php_fpm_pool_max_children)"),),
    each=("instance", "pool"),
)  # fmt: skip
DATABASE_QUERIES = Chart(
    "database-queries", "Database queries", "per second", "per_second", "mysql", "status",
    (
        Curve("all", "sum by (instance) (rate(mysql_global_status_queries[$__rate_interval]))"),
        Curve("slow", "sum by (instance) (rate(mysql_global_status_slow_queries[$__rate_interval]))", dotted=True,
              tone=4),
    ),
    kind="area", each=("instance",),
)  # fmt: skip
DATABASE_CONNECTIONS = Chart(
    "database-connections", "Database connections", "open now", "count", "mysql", "status",
    (
        Curve("open", "max by (instance) (mysql_global_status_threads_connected)", tone=3),
        Curve("running", "max by (instance) (mysql_global_status_threads_running)", tone=2),
    ),
    kind="area", limits=(Limit("limit", "max by (instance) (mysql_global_variables_max_connections)"),),
    each=("instance",),
)  # fmt: skip
CACHE_HITS = Chart(
    "cache-hits", "Cache hit rate", "share of lookups", "ratio", "redis", "info",
    (
        Curve(
            "hits",
            "sum by (instance) (rate(redis_keyspace_hits_total[$__rate_interval]))"
            " / (sum by (instance) (rate(redis_keyspace_hits_total[$__rate_interval]))"
            " + sum by (instance) (rate(redis_keyspace_misses_total[$__rate_interval])))",
        ),
    ),
    idle="No lookups in this time.", each=("instance",),
)  # fmt: skip
CACHE_MEMORY = Chart(
    "cache-memory", "Cache memory", "", "bytes", "redis", "info",
    (Curve("used", "max by (instance) (redis_memory_used_bytes)"),),
    kind="area", limits=(Limit("limit", "max by (instance) (redis_memory_max_bytes) > 0"),),
    each=("instance",),
)  # fmt: skip
CHECKS = Chart(
    "checks", "Checks", "time to the whole answer", "seconds", "blackbox", "check",
    (Curve("{instance}", "max by (instance) (probe_duration_seconds)"),),
)  # fmt: skip

_ALL_CPU = "scalar(count(count by (cpu) (node_cpu_seconds_total)))"
CPU = Chart(
    "cpu", "Processor", "share of all cores", "ratio", "node", "cpu",
    tuple(
        Curve(name, f'sum(rate(node_cpu_seconds_total{{mode=~"{modes}"}}[$__rate_interval])) / {_ALL_CPU}', tone=tone)
        for name, modes, tone in (
            ("programs", "user|nice", 1), ("kernel", "system|irq|softirq", 5), ("disk wait", "iowait", 2),
            ("stolen", "steal", 4),
        )
    ),
    kind="stack",
)  # fmt: skip
MEMORY = Chart(
    "memory", "Memory", "", "bytes", "node", "meminfo",
    (
        Curve("in use", "max(node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes)", tone=1),
        Curve("caches", "max(node_memory_MemAvailable_bytes - node_memory_MemFree_bytes)", tone=3),
    ),
    kind="stack", limits=(Limit("installed", "max(node_memory_MemTotal_bytes)"),),
)  # fmt: skip
DISK = Chart(
    "disk", "Disks", "all together", "bytes_per_second", "node", "diskstats",
    (
        Curve("written", "sum(rate(node_disk_written_bytes_total[$__rate_interval]))", tone=2),
        Curve("read", "sum(rate(node_disk_read_bytes_total[$__rate_interval]))", tone=1),
    ),
)  # fmt: skip
NETWORK = Chart(
    "network", "Network", "all interfaces but lo", "bytes_per_second", "node", "netdev",
    (
        Curve("sent", 'sum(rate(node_network_transmit_bytes_total{device!="lo"}[$__rate_interval]))', tone=1),
        Curve("received", 'sum(rate(node_network_receive_bytes_total{device!="lo"}[$__rate_interval]))', tone=3),
    ),
    kind="area",
)  # fmt: skip

LOAD = Chart(
    "load", "Load", "tasks that run or wait", "count", "node", "loadavg",
    (
        Curve("1 min", "max(node_load1)", tone=1),
        Curve("15 min", "max(node_load15)", dotted=True, tone=4),
    ),
    limits=(Limit("cores", "count(count by (cpu) (node_cpu_seconds_total))"),),
)  # fmt: skip
PRESSURE = Chart(
    "pressure", "Waiting", "share of time in which some task waited for it", "ratio", "node", "pressure",
    (
        Curve("core", "max(rate(node_pressure_cpu_waiting_seconds_total[$__rate_interval]))", tone=1),
        Curve("disks", "max(rate(node_pressure_io_waiting_seconds_total[$__rate_interval]))", tone=2),
        Curve("memory", "max(rate(node_pressure_memory_waiting_seconds_total[$__rate_interval]))", tone=4),
    ),
)  # fmt: skip
SWAP = Chart(
    "swap", "Swap", "", "bytes", "node", "meminfo",
    (Curve("in use", "max(node_memory_SwapTotal_bytes > 0) - max(node_memory_SwapFree_bytes)", tone=4),),
    kind="area", limits=(Limit("size", "max(node_memory_SwapTotal_bytes)"),),
)  # fmt: skip
_REAL = 'fstype!~"tmpfs|overlay|squashfs|fuse.*|nfs.*"'
SPACE = Chart(
    "space", "Disk space used", "share of each file system", "ratio", "node", "filesystem",
    (
        Curve(
            "{mountpoint}",
            f"1 - max by (mountpoint) (node_filesystem_avail_bytes{{{_REAL}}} / node_filesystem_size_bytes{{{_REAL}}})",
        ),
    ),
)  # fmt: skip
DISK_BUSY = Chart(
    "disk-busy", "Disk busy", "share of time with a request in flight", "ratio", "node", "diskstats",
    (Curve("{device}", "max by (device) (rate(node_disk_io_time_seconds_total[$__rate_interval]))"),),
)  # fmt: skip
DISK_REQUESTS = Chart(
    "disk-requests", "Disk requests", "per second", "per_second", "node", "diskstats",
    (
        Curve("writes", "sum(rate(node_disk_writes_completed_total[$__rate_interval]))", tone=2),
        Curve("reads", "sum(rate(node_disk_reads_completed_total[$__rate_interval]))", tone=1),
    ),
)  # fmt: skip
NETWORK_FAULTS = Chart(
    "network-faults", "Network faults", "packets dropped or broken per second", "per_second", "node", "netdev",
    (
        Curve(
            "dropped",
            'sum(rate(node_network_receive_drop_total{device!="lo"}[$__rate_interval]))'
            ' + sum(rate(node_network_transmit_drop_total{device!="lo"}[$__rate_interval]))',
            tone=2,
        ),
        Curve(
            "broken",
            'sum(rate(node_network_receive_errs_total{device!="lo"}[$__rate_interval]))'
            ' + sum(rate(node_network_transmit_errs_total{device!="lo"}[$__rate_interval]))',
            tone=4,
        ),
    ),
)  # fmt: skip
GROUP_CPU = Chart(
    "group-cpu", "Processor by service", "cores in use", "cores", "node", "processes",
    (Curve("{group}", "sum by (group) (rate(host_process_group_cpu_seconds_total[$__rate_interval]))"),),
)  # fmt: skip
GROUP_MEMORY = Chart(
    "group-memory", "Memory by service", "resident, shared pages each time", "bytes", "node", "processes",
    (Curve("{group}", "sum by (group) (host_process_group_resident_memory_bytes)"),),
)  # fmt: skip
TASKS = Chart(
    "tasks", "Tasks", "running, and blocked by a disk", "count", "node", "stat",
    (
        Curve("running", "max(node_procs_running)", tone=1),
        Curve("blocked", "max(node_procs_blocked)", dotted=True, tone=2),
    ),
)  # fmt: skip
SWITCHES = Chart(
    "switches", "Context switches", "per second", "per_second", "node", "stat",
    (Curve("switches", "sum(rate(node_context_switches_total[$__rate_interval]))"),),
    kind="area",
)  # fmt: skip

OVERVIEW = (REQUESTS, WEB_CONNECTIONS, PHP_WORKERS, DATABASE_QUERIES, DATABASE_CONNECTIONS, CACHE_HITS, CACHE_MEMORY,
            CHECKS, CPU, MEMORY, DISK, NETWORK)  # fmt: skip
HOST: tuple[tuple[str, tuple[Chart, ...]], ...] = (
    ("Processor", (CPU, LOAD, GROUP_CPU, PRESSURE, TASKS, SWITCHES)),
    ("Memory", (MEMORY, SWAP, GROUP_MEMORY)),
    ("Disks", (SPACE, DISK, DISK_REQUESTS, DISK_BUSY)),
    ("Network", (NETWORK, NETWORK_FAULTS)),
)
CHARTS = tuple(dict.fromkeys([*OVERVIEW, *(chart for _, charts in HOST for chart in charts)]))
