"""What holds of a pool without asking PHP: its worker processes, their memory, and who waits at its socket.

A full pool answers nothing; this part still does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from collectors.errors import Absent
from collectors.model import Gauge, Sample
from collectors.phpfpm.config import POOL, Phpfpm
from collectors.phpfpm.workers import nearest_rank, workers
from collectors.sources.processes import Vitals
from collectors.sources.sockets import Queue, connect, queue

MAX_CHILDREN = Gauge("php_fpm_pool_max_children", "pm.max_children of the pool's file.", POOL)
WORKERS = Gauge("php_fpm_pool_workers", "Worker processes of the pool.", POOL)
BUSY = Gauge("php_fpm_pool_workers_busy", "Workers that hold a connection of the web server now.", POOL)
MEMORY = Gauge(
    "php_fpm_pool_resident_memory_bytes",
    "Resident memory of all workers together; memory that they share (opcache) is counted for each.",
    POOL,
)
LARGEST = Gauge("php_fpm_pool_worker_resident_memory_max_bytes", "Resident memory of the largest worker.", POOL)
P95 = Gauge(
    "php_fpm_pool_worker_resident_memory_p95_bytes",
    "Resident memory that 95 of 100 workers do not exceed (nearest rank), shared pages included.",
    POOL,
)
STATE = Gauge(
    "php_fpm_pool_worker_states", "Workers by the kernel's letter: R runs, S sleeps, D waits for a disk.",
    ("pool", "state"), bounds={"state": 8},
)  # fmt: skip
OLDEST = Gauge("php_fpm_pool_worker_age_max_seconds", "Age of the oldest worker.", POOL)
YOUNGEST = Gauge("php_fpm_pool_worker_age_min_seconds", "Age of the youngest worker.", POOL)
WAITING = Gauge("php_fpm_pool_accept_queue", "Requests that wait at the socket for a worker, says the kernel.", POOL)
LIMIT = Gauge("php_fpm_pool_accept_queue_limit", "Requests that may wait at the socket; more are refused.", POOL)
FULL = Gauge(
    "php_fpm_pool_full", "1 when pm.max_children workers exist and all are busy: the next request waits.", POOL
)

FAMILIES = (MAX_CHILDREN, WORKERS, BUSY, MEMORY, LARGEST, P95, STATE, OLDEST, YOUNGEST, WAITING, LIMIT, FULL)

STATES = "RSD"
"""Told also when no worker is in that state."""


@dataclass(frozen=True)
class View:
    workers: tuple[Vitals, ...] | None
    """None when we do not know which processes are this pool's."""
    queue: Queue | None
    """None when the kernel shows no such socket here."""


def look(config: Phpfpm) -> View:
    found = tuple(workers(config).values()) if config.pool else None
    return View(found, queue(config.address))


def is_full(max_children: int, workers: int | None, busy: int | None) -> bool | None:
    """None when one of the three is unknown."""
    if not max_children or workers is None or busy is None:
        return None
    return workers >= max_children and busy >= max_children


def busy_workers(config: Phpfpm) -> int | None:
    """How many; None when the pool is not full, or we cannot tell."""
    view = look(config)
    count = len(view.workers) if view.workers is not None else None
    return count if is_full(config.max_children, count, view.queue.served if view.queue else None) else None


def expect_listener(config: Phpfpm) -> None:
    """Unreachable when nobody listens: then nothing of a pool is Absent, or its target would count as up."""
    if queue(config.address) is None:
        connect(config.address, config.timeout).close()


def read(config: Phpfpm) -> dict[str, Any]:
    """Unreachable when nobody listens. Absent when the pool listens where neither /proc nor the kernel shows it."""
    view = look(config)
    if view.queue is None:
        connect(config.address, config.timeout).close()
        if not view.workers:
            raise Absent(f"pool {config.pool} on {config.address} is not on this host, or in a container of its own")
    return {
        "pool": config.pool,
        "max_children": config.max_children,
        "workers": [each._asdict() for each in view.workers] if view.workers is not None else None,
        "queue": view.queue._asdict() if view.queue else None,
    }


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    pool, max_children, found, waits = (payload[key] for key in ("pool", "max_children", "workers", "queue"))
    if max_children:
        yield MAX_CHILDREN(max_children, pool)
    if found is not None:
        yield from _of_workers(found, pool)
    if waits is not None:
        yield BUSY(waits["served"], pool)
        yield WAITING(waits["waiting"], pool)
        yield LIMIT(waits["limit"], pool)
    full = is_full(max_children, None if found is None else len(found), waits["served"] if waits else None)
    if full is not None:
        yield FULL(float(full), pool)


def _of_workers(found: list[dict[str, Any]], pool: str) -> Iterable[Sample]:
    resident, ages, states = ([each[key] for each in found] for key in ("resident", "age", "state"))
    yield WORKERS(len(found), pool)
    yield MEMORY(sum(resident), pool)
    for state in sorted({*STATES, *states}):
        yield STATE(states.count(state), pool, state)
    if found:
        yield LARGEST(max(resident), pool)
        yield P95(nearest_rank(resident, 0.95), pool)
        yield OLDEST(max(ages), pool)
        yield YOUNGEST(min(ages), pool)
