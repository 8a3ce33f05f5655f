"""The layers of a web host side by side: for each target its worst value, its state and its last hour.

A state comes from alerts and reads, never from a value that is missing: no data is never healthy.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alerts.model import Alert
from collectors.model import TargetStatus
from dashboard import trouble, units
from dashboard.marks import STATES
from dashboard.units import Unit
from history.model import Labels, QueryError, Source, Vector

KEY = ("job", "instance", "module", "height")
BY = "by (job, instance, module, height)"
ORDER = ("crit", "warn", "none", "ok")
SPARK_SECONDS, SPARK_STEP = 3600.0, 60.0
MOST_CELLS = 6

Key = tuple[str, ...]


@dataclass(frozen=True)
class Measure:
    words: str
    """`{}` is the value."""
    expr: str
    unit: Unit


@dataclass(frozen=True)
class LayerSpec:
    name: str
    job: str
    value: Measure
    notes: tuple[Measure, ...]
    """Those that have a value stand below it."""
    spark: str
    wrong: Measure | None = None
    """Has a value for what can be read and is not as it should be; said first, and at least degraded."""


# A share of all modes: in the first minutes a rate is low by what of its window is not measured yet.
_CPU = "node_cpu_seconds_total"
_IDLE = f'(sum {BY} (rate({_CPU}{{mode="idle"}}[2m])) / sum {BY} (rate({_CPU}[2m])))'
LAYERS = (
    LayerSpec(
        "Host", "node",
        # The second term answers in the first half minute, when the subquery has no point yet.
        Measure("{}", f"1 - min_over_time({_IDLE}[5m:30s]) or 1 - {_IDLE}", "ratio"),
        (Measure("load {}", f"max {BY} (max_over_time(node_load1[5m]))", "count"),),
        f"1 - {_IDLE}",
    ),
    LayerSpec(
        "Web", "nginx",
        Measure("{}", f"sum {BY} (rate(nginx_http_requests_total[1m]))", "per_second"),
        (Measure("{} open", f"max {BY} (max_over_time(nginx_connections_active[5m]))", "count"),),
        f"sum {BY} (rate(nginx_http_requests_total[2m]))",
    ),
    LayerSpec(
        "Web", "apache",
        Measure("{}", f"sum {BY} (rate(apache_accesses_total[1m]))", "per_second"),
        (Measure("{} busy", f'max {BY} (max_over_time(apache_workers{{state="busy"}}[5m]))', "count"),),
        f"sum {BY} (rate(apache_accesses_total[2m]))",
    ),
    LayerSpec(
        "PHP", "phpfpm",
        Measure("{}", f"max {BY} (max_over_time(phpfpm_active_processes[5m]))"
                f" or max {BY} (max_over_time(php_fpm_pool_workers_busy[5m]))", "count"),
        (
            Measure("of {} busy", f"max {BY} (php_fpm_pool_max_children)", "count"),
            Measure("{} waiting", f"max {BY} (max_over_time(php_fpm_pool_accept_queue[5m])) > 0", "count"),
        ),
        f"max {BY} (phpfpm_active_processes) or max {BY} (php_fpm_pool_workers_busy)",
    ),
    LayerSpec(
        "Database", "mysql",
        Measure("{}", f"sum {BY} (rate(mysql_global_status_queries[1m]))", "per_second"),
        (
            Measure("{} running", f"max {BY} (max_over_time(mysql_global_status_threads_running[5m]))", "count"),
            Measure("{} open", f"max {BY} (max_over_time(mysql_global_status_threads_connected[5m]))", "count"),
        ),
        f"sum {BY} (rate(mysql_global_status_queries[2m]))",
    ),
    LayerSpec(
        "Database", "postgres",
        Measure("{}", f"sum {BY} (rate(pg_stat_database_xact_commit[1m]))", "per_second"),
        (Measure("{} open", f"sum {BY} (pg_stat_database_numbackends)", "count"),),
        f"sum {BY} (rate(pg_stat_database_xact_commit[2m]))",
    ),
    LayerSpec(
        "Cache", "redis",
        Measure("{}", f"sum {BY} (rate(redis_commands_processed_total[1m]))", "per_second"),
        (
            Measure(
                "{} hits",
                f"sum {BY} (rate(redis_keyspace_hits_total[5m])) / (sum {BY} (rate(redis_keyspace_hits_total[5m]))"
                f" + sum {BY} (rate(redis_keyspace_misses_total[5m])))", "ratio",
            ),
            Measure("{}", f"max {BY} (redis_memory_used_bytes)", "bytes"),
        ),
        f"sum {BY} (rate(redis_commands_processed_total[2m]))",
    ),
    LayerSpec(
        "Cache", "memcached",
        Measure("{}", f'sum {BY} (rate(memcached_commands_total{{command="get"}}[1m]))', "per_second"),
        (
            Measure(
                "{} hits",
                f'sum {BY} (rate(memcached_commands_total{{command="get",status="hit"}}[5m]))'
                f' / sum {BY} (rate(memcached_commands_total{{command="get"}}[5m]))', "ratio",
            ),
        ),
        f'sum {BY} (rate(memcached_commands_total{{command="get"}}[2m]))',
    ),
    LayerSpec(
        "Cache", "varnish",
        Measure("{}", f"sum {BY} (rate(varnish_main_client_req[1m]))", "per_second"),
        (
            Measure(
                "{} hits",
                f"sum {BY} (rate(varnish_main_cache_hit[5m])) / (sum {BY} (rate(varnish_main_cache_hit[5m]))"
                f" + sum {BY} (rate(varnish_main_cache_miss[5m])))", "ratio",
            ),
        ),
        f"sum {BY} (rate(varnish_main_client_req[2m]))",
    ),
    LayerSpec(
        "Checks", "blackbox",
        Measure("{}", f"max {BY} (max_over_time(probe_duration_seconds[5m]))", "seconds"),
        (
            Measure("status {}", f"max {BY} (probe_http_status_code) > 0", "count"),
            Measure("certificate {}", f"min {BY} (probe_ssl_earliest_cert_expiry) - time() < 2592000", "seconds"),
        ),
        f"max {BY} (probe_duration_seconds)",
        wrong=Measure("fails", f"max {BY} (probe_success) == 0", "count"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    state: str
    """crit, warn, none or ok."""
    value: str
    note: str
    target: str
    """Which one, where the layer has several; "" for the only one."""
    spark: tuple[float | None, ...]
    slug: str
    pending: bool = False
    """Degraded by alerts that are not sure yet, and by nothing else."""


@dataclass(frozen=True)
class Layer:
    name: str
    job: str
    """The first of its jobs."""
    state: str
    """Of its worst cell; "" without any."""
    cells: tuple[Cell, ...]
    """The worst first."""
    left_out: int
    unread: str
    """What was found and cannot be read; "" if nothing."""


def cells(source: Source, targets: Sequence[TargetStatus], alerts: Sequence[Alert], now: float) -> dict[str, Cell]:
    """Of every target that has a layer, by its slug."""
    found: dict[str, Cell] = {}
    for layer in dict.fromkeys(spec.name for spec in LAYERS):
        specs = [spec for spec in LAYERS if spec.name == layer]
        jobs = [spec.job for spec in specs]
        mine = [status for status in targets if status.target.job in jobs]
        for spec in specs:
            those = [status for status in mine if status.target.job == spec.job]
            if those:
                readings = _Readings(source, spec, now)
                found |= {each.slug: _cell(each, alerts, readings, _which(each, mine)) for each in those}
    return found


def layers(targets: Sequence[TargetStatus], found: Mapping[str, Cell], unread: Mapping[str, str]) -> tuple[Layer, ...]:
    """`found`: cells by slug; `unread`: job -> what was found of it and could not be read."""
    shown = []
    for name in dict.fromkeys(spec.name for spec in LAYERS):
        jobs = [spec.job for spec in LAYERS if spec.name == name]
        those = [found[each.slug] for each in targets if each.target.job in jobs]
        those.sort(key=lambda cell: ORDER.index(cell.state))
        shut = next((unread[job] for job in jobs if job in unread), "")
        state = those[0].state if those else ("none" if shut else "")
        shown.append(Layer(name, jobs[0], state, tuple(those[:MOST_CELLS]), len(those[MOST_CELLS:]), shut))
    return tuple(shown)


class _Readings:
    """A layer's numbers, by target; each expression is asked once for all of them."""

    def __init__(self, source: Source, spec: LayerSpec, now: float) -> None:
        self.value = _texts(source, spec.value, now)
        self.wrong = _texts(source, spec.wrong, now) if spec.wrong else {}
        self.notes = [_texts(source, note, now) for note in spec.notes]
        self.sparks = {_key(labels): line for labels, line in sparks(source, spec.spark, now)}


def _texts(source: Source, measure: Measure, now: float) -> dict[Key, str]:
    try:
        found = source.query(measure.expr, now)
    except QueryError:
        return {}
    points = found.points if isinstance(found, Vector) else ()
    return {
        _key(point.labels): measure.words.format(units.text(point.value, measure.unit))
        for point in points
        if point.value == point.value  # NaN: nothing was looked up
    }


def sparks(source: Source, expr: str, now: float) -> Iterator[tuple[Labels, tuple[float | None, ...]]]:
    """The last hour of each series, a value a minute; None where there is none."""
    start = (now - SPARK_SECONDS) // SPARK_STEP * SPARK_STEP
    count = round(SPARK_SECONDS / SPARK_STEP) + 1
    try:
        lines = source.query_range(expr, start, start + SPARK_SECONDS, SPARK_STEP).lines
    except QueryError:
        return
    for line in lines:
        values: list[float | None] = [None] * count
        for t, value in zip(line.times.tolist(), line.values.tolist(), strict=True):
            values[round((t - start) / SPARK_STEP)] = float(f"{value:.3g}") if math.isfinite(value) else None
        yield line.labels, tuple(values)


def _key(labels: Labels) -> Key:
    return tuple(labels.get(name, "") for name in KEY)


def _cell(status: TargetStatus, alerts: Sequence[Alert], readings: _Readings, which: str) -> Cell:
    key = _key(status.target.labels)
    value = readings.value.get(key, "")
    notes = ", ".join(note[key] for note in (readings.wrong, *readings.notes) if key in note)
    state = cell_state(status, alerts)
    pending = state != cell_state(status, [alert for alert in alerts if alert.state != "pending"])
    if key in readings.wrong:
        state, pending = min(state, "warn", key=ORDER.index), False
    if not value:
        state, pending = ("none" if state == "ok" else state), False
        notes = trouble.words(status) if trouble.state(status) != "ok" else ""
    return Cell(state, value or "no data", notes, which, readings.sparks.get(key, ()), status.slug, pending)


def _which(status: TargetStatus, others: Sequence[TargetStatus]) -> str:
    """Its short name if no other has that, else its instance; "" for the only one. Of several hosts also which."""
    if len({each.target.host for each in others}) > 1:
        return f"{status.target.host} {trouble.instance(status.target.instance, status.target.host)}".strip()
    names = [trouble.instance(each.target.instance, each.target.host) for each in others]
    name = trouble.instance(status.target.instance, status.target.host)
    if len(names) == 1:
        return ""
    return name if names.count(name) == 1 else status.target.instance.removeprefix(f"{status.target.host}:")


def cell_state(status: TargetStatus, alerts: Sequence[Alert]) -> str:
    """The worst of its reads and of the alerts on it; a pending alert counts as degraded."""
    states = [trouble.state(status)]
    labels = status.target.labels
    for alert in alerts:
        about = {name: value for name, value in alert.labels.items() if name in KEY}
        if alert.severity in STATES and about and about.items() <= labels.items():
            states += {"firing": [STATES[alert.severity]], "pending": ["warn"]}.get(alert.state, [])
    return min(states, key=ORDER.index)
