"""Memory that a pool's workers share with nobody: what each further worker costs.

Resident memory counts OPcache's and the program's pages for each worker anew. To be told what is private takes the
kernel longer, and a right that only root and the pool's own user have.

Source: https://docs.kernel.org/filesystems/proc.html
"""

from collections.abc import Iterable
from typing import TypedDict

from collectors.errors import Absent, Denied
from collectors.model import Gauge, Sample
from collectors.phpfpm.config import POOL, Phpfpm
from collectors.phpfpm.pool import expect_listener
from collectors.phpfpm.workers import nearest_rank, workers
from collectors.sources.processes import private_memory

MOST_ASKED = 10
PRIVATE = Gauge(
    "php_fpm_pool_private_memory_bytes",
    "Memory of all workers that they share with nobody; of more than 10, what 10 of them use times their number.",
    POOL,
)
P95 = Gauge(
    "php_fpm_pool_worker_private_memory_p95_bytes",
    "Memory shared with nobody that 95 of 100 workers do not exceed (nearest rank of at most 10).",
    POOL,
)
FAMILIES = (PRIVATE, P95)


class Payload(TypedDict):
    pool: str
    workers: int
    private: list[int]
    """Bytes of each that was asked."""


def read(config: Phpfpm) -> Payload:
    """Absent without workers that we know of, and without the right to look."""
    expect_listener(config)
    found = workers(config) if config.pool else {}
    by_size = sorted(found, key=lambda pid: found[pid].resident)
    # Evenly over the sizes, the largest always among them.
    count = min(len(by_size), MOST_ASKED)
    asked = [by_size[(at + 1) * len(by_size) // count - 1] for at in range(count)]
    try:
        private = [bytes_ for pid in asked if (bytes_ := private_memory(pid)) is not None]
    except Denied as error:
        raise Absent(str(error)) from error
    if not private:
        raise Absent(f"pool {config.pool} has no worker on this host")
    return Payload(pool=config.pool, workers=len(found), private=private)


def parse(payload: Payload) -> Iterable[Sample]:
    pool, private = payload["pool"], payload["private"]
    yield PRIVATE(sum(private) / len(private) * payload["workers"], pool)
    yield P95(nearest_rank(private, 0.95), pool)
