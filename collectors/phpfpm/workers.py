"""The worker processes of a pool, by their titles and their master."""

import math
from collections.abc import Sequence

from collectors.phpfpm.config import Phpfpm
from collectors.sources.processes import Vitals, processes, vitals


def workers(config: Phpfpm) -> dict[int, Vitals]:
    """By pid."""
    found = processes(named="php-fpm")
    masters = {each.pid for each in found if each.title == f"php-fpm: master process ({config.master})"}
    ours = (
        each.pid
        for each in found
        if each.title == f"php-fpm: pool {config.pool}" and (each.parent in masters or not config.master)
    )
    return {pid: now for pid in ours if (now := vitals(pid)) is not None}


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The smallest of the values that so large a share of them does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
