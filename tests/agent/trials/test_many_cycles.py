"""Two days and more of cycles in minutes: the runner over this host and real servers, with a clock that is ahead.

RAINGAUGE_TRIALS=1000 is 20,000 cycles. Files, threads and memory must be no more at the end than soon after the start.
"""

import gc
import os
from pathlib import Path

import pytest

from agent.runner import Runner
from agent.ticking import Watch
from collectors import registry
from tests.agent.fakes import NOW
from tests.agent.trials.dice import TRIALS
from tests.agent.trials.held import Held
from tests.lab.memcached import Memcached
from tests.lab.servers import Redis

pytestmark = [pytest.mark.trials, pytest.mark.servers]

CYCLES = 20 * TRIALS
WARM_CYCLES = 70
"""After it each part has been read twice and more, those of ten minutes, too."""
SECONDS = 10.0
MORE_MIB = 4


def watch(collector: str, **settings: object) -> Watch:
    found = registry.collector(collector)
    return Watch(found, found.config.model_validate(settings))


def test_many_cycles(tmp_path: Path) -> None:
    now = NOW
    runner = Runner("web", clock=lambda: now)
    with Redis(tmp_path / "redis") as redis, Memcached(tmp_path / "memcached") as memcached:
        runner.set_targets(
            [
                watch("host"),
                watch("redis", port=redis.port),
                watch("memcached", port=memcached.port),
                watch("probe", tcp={"address": f"127.0.0.1:{redis.port}"}),
            ]
        )
        before = None
        for cycle in range(WARM_CYCLES + CYCLES):
            now += SECONDS
            runner.tick(runner.watched(), now)
            assert runner.pages.metrics.packed
            if cycle == WARM_CYCLES or (cycle and cycle % 2000 == 0):
                gc.collect()
                before = before or Held(os.getpid())
                print(f"after {cycle} cycles: {Held(os.getpid())}")  # noqa: T201
        gc.collect()
        after = Held(os.getpid())
        print(f"after {WARM_CYCLES + CYCLES} cycles: {after}")  # noqa: T201
        up = {status.target.job: status.up for status in runner.statuses()}
        for watched in runner.watched():
            watched.leave()
    assert all(up.values()), up
    assert before
    assert (after.files, after.threads) <= (before.files + 2, before.threads + 2), (before, after)
    assert after.mib < before.mib + MORE_MIB, (before, after)
