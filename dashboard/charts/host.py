"""Charts of the host: processor, memory, disks, network."""

from dashboard.charts.model import Chart, Curve, Limit

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
