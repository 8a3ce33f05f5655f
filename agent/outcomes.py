"""What Raingauge says of itself: the outcome of each read, and what the process uses.

Source: docs/reference.md; process_* as every Prometheus client has them.
"""

import os
import resource
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from agent.ticking import Ticking, Watch
from collectors.config import Config
from collectors.model import Collector, Counter, Gauge, Part, Sample

TARGET = ("target_job", "target_instance")
PART = (*TARGET, "part")

TARGET_UP = Gauge("raingauge_target_up", "1 if at least one part of the target answered at its last read.", TARGET)
PART_UP = Gauge("raingauge_part_up", "1 if the part answered at its last read.", PART)
PART_DURATION = Gauge("raingauge_part_duration_seconds", "How long the part's last read and parse took.", PART)
PART_INTERVAL = Gauge("raingauge_part_interval_seconds", "Time between two reads of the part.", PART)
PART_CPU = Counter("raingauge_part_cpu_seconds_total", "CPU time that our reads of the part took.", PART)
PART_SECONDS = Counter(
    "raingauge_part_read_seconds_total", "Time that our reads of the part took; of a database, its statements.", PART
)
PART_LAST_SUCCESS = Gauge(
    "raingauge_part_last_success_timestamp_seconds", "When the part last answered, in Unix time.", PART
)
PART_FAILURES = Counter("raingauge_part_failures_total", "Failed reads of the part by reason.", (*PART, "reason"))
LABEL_OVERFLOW = Counter(
    "raingauge_label_overflow_total",
    "Label values past their family's bound, published as `other`.",
    (*TARGET, "family", "label"),
)
APPEND_FAILURES = Counter("raingauge_history_append_failures_total", "Ticks that history could not store.")
BUILD = Gauge("raingauge_build_info", "1; the version of Raingauge is its label.", ("version",))
CPU = Counter("process_cpu_seconds_total", "User and system CPU time that the process spent.")
RESIDENT = Gauge("process_resident_memory_bytes", "Resident memory of the process.")
OPEN_FILES = Gauge("process_open_fds", "Files and sockets that the process has open.")
START = Gauge("process_start_time_seconds", "When the process started, in Unix time.")

FAMILIES = (
    TARGET_UP, PART_UP, PART_DURATION, PART_INTERVAL, PART_CPU, PART_SECONDS, PART_LAST_SUCCESS,
    PART_FAILURES, LABEL_OVERFLOW, APPEND_FAILURES, BUILD, CPU, RESIDENT, OPEN_FILES, START,
)  # fmt: skip

REASONS = ("unreachable", "denied", "unsupported", "parse", "timeout", "bug")
STARTED = time.time()


def outcomes(ticking: Ticking) -> Iterable[Sample]:
    """Pure. A part that was never read yet has an interval and nothing else."""
    labels = (ticking.target.job, ticking.target.instance)
    known = [state for state in ticking.parts if state.outcome != "waiting" and not state.part.beside]
    if known:
        yield TARGET_UP(any(state.outcome in ("ok", "absent") for state in known), *labels)
    for state in ticking.parts:
        part = (*labels, state.part.name)
        yield PART_INTERVAL(state.interval, *part)
        if state.outcome == "waiting":
            continue
        yield PART_UP(state.outcome in ("ok", "absent"), *part)
        yield PART_CPU(state.cpu_seconds, *part)
        yield PART_SECONDS(state.read_seconds, *part)
        if state.last:
            yield PART_DURATION(state.last.seconds, *part)
        if state.last_success is not None:
            yield PART_LAST_SUCCESS(state.last_success, *part)
        yield from _failures(part, tuple(state.failures.items()))
    for (family, label), count in ticking.overflow.items():
        yield LABEL_OVERFLOW(count, *labels, family, label)


@lru_cache(maxsize=2000)
def _failures(part: tuple[str, str, str], counts: tuple[tuple[str, int], ...]) -> Sequence[Sample]:
    """Kept, as there are six for each part and they hardly ever change."""
    found = dict(counts)
    return tuple(PART_FAILURES(found.get(reason, 0), *part, reason) for reason in REASONS)


def process() -> Sequence[Sample]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return (
        CPU(usage.ru_utime + usage.ru_stime),
        RESIDENT(pages * resource.getpagesize()),
        OPEN_FILES(len(os.listdir("/proc/self/fd"))),  # noqa: PTH208 # one system call a directory, no stat
        START(STARTED),
    )


class Own(Config):
    """The `raingauge` target needs no settings."""


def own_watch(part_read: Part) -> Watch:
    """The target that carries our own series; `part_read` is made by the runner, which knows the others."""
    collector = Collector(
        "raingauge", "raingauge", Own, parts=(part_read,), instance=lambda _config, host: host, discover=lambda _: ()
    )
    return Watch(collector, Own(), "this process")
