"""What holds of a pool without asking PHP: its worker processes, their memory, and who waits at its socket.

A full pool answers nothing; this part still does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from collectors.errors import Absent
from collectors.model import Gauge, Sample
from collectors.phpfpm.config import Phpfpm
from collectors.sources.processes import processes, resident_memory
from collectors.sources.sockets import Queue, connect, queue

POOL = ("pool",)
MAX_CHILDREN = Gauge("php_fpm_pool_max_children", "pm.max_children of the pool's file.", POOL)
WORKERS = Gauge("php_fpm_pool_workers", "Worker processes of the pool.", POOL)
BUSY = Gauge("php_fpm_pool_workers_busy", "Workers that hold a connection of the web server now.", POOL)
MEMORY = Gauge(
    "php_fpm_pool_resident_memory_bytes",
    "Resident memory of all workers together; memory that they share (opcache) is counted for each.",
    POOL,
)
LARGEST = Gauge("php_fpm_pool_worker_resident_memory_max_bytes", "Resident memory of the largest worker.", POOL)
WAITING = Gauge("php_fpm_pool_accept_queue", "Requests that wait at the socket for a worker, says the kernel.", POOL)
LIMIT = Gauge("php_fpm_pool_accept_queue_limit", "Requests that may wait at the socket; more are refused.", POOL)
FULL = Gauge(
    "php_fpm_pool_full", "1 when pm.max_children workers exist and all are busy: the next request waits.", POOL
)

FAMILIES = (MAX_CHILDREN, WORKERS, BUSY, MEMORY, LARGEST, WAITING, LIMIT, FULL)


@dataclass(frozen=True)
class View:
    workers: tuple[int, ...] | None
    """Resident bytes of each; None when we do not know which processes are this pool's."""
    queue: Queue | None
    """None when the kernel shows no such socket here."""


def look(config: Phpfpm) -> View:
    return View(_workers(config) if config.pool else None, queue(config.address))


def _workers(config: Phpfpm) -> tuple[int, ...]:
    found = processes(named="php-fpm")
    masters = {each.pid for each in found if each.title == f"php-fpm: master process ({config.master})"}
    ours = (
        each.pid
        for each in found
        if each.title == f"php-fpm: pool {config.pool}" and (each.parent in masters or not config.master)
    )
    return tuple(memory for pid in ours if (memory := resident_memory(pid)) is not None)


def is_full(max_children: int, workers: int | None, busy: int | None) -> bool | None:
    """None when one of the three is unknown."""
    if not max_children or workers is None or busy is None:
        return None
    return workers >= max_children and busy >= max_children


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
        "workers": view.workers,
        "queue": view.queue._asdict() if view.queue else None,
    }


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    pool, max_children, workers, waits = (payload[key] for key in ("pool", "max_children", "workers", "queue"))
    if max_children:
        yield MAX_CHILDREN(max_children, pool)
    if workers is not None:
        yield WORKERS(len(workers), pool)
        yield MEMORY(sum(workers), pool)
        if workers:
            yield LARGEST(max(workers), pool)
    if waits is not None:
        yield BUSY(waits["served"], pool)
        yield WAITING(waits["waiting"], pool)
        yield LIMIT(waits["limit"], pool)
    full = is_full(max_children, None if workers is None else len(workers), waits["served"] if waits else None)
    if full is not None:
        yield FULL(float(full), pool)
