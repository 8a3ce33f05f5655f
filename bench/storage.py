"""What history costs on disk, and what one tick costs to keep."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from agent.reading import trial
from bench.figures import Figure, quantile
from collectors import registry
from collectors.model import Sample, Target
from history.database import open_database
from history.store import Store
from tests.lab.lab import Lab

TITLE = "storage"
INTERVAL = 10
START = 1_790_000_000


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    host = registry.collector("host")
    samples = [sample for reading in trial(host, host.config()) for sample in reading.samples]
    ticks = (1 if quick else 6) * 3600 // INTERVAL
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        engine = open_database(Path(folder))
        store = Store(engine)
        taken = []
        for at in range(ticks):
            grown = [Sample(family, labels, value + at) for family, labels, value in samples]
            began = time.perf_counter()
            store.append(Target("node", "bench", "bench"), START + at * INTERVAL, grown)
            taken.append((time.perf_counter() - began) * 1000)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    how = f"{ticks} ticks of this host's {len(samples)} series, each value grown by 1 a tick"
    yield Figure("on disk", size / (ticks * len(samples)), "bytes a sample", f"the whole database after {how}")
    yield Figure("one tick, p50", quantile(taken, 0.5), "ms", f"Store.append, committed; {how}")
    yield Figure("one tick, p99", quantile(taken, 0.99), "ms", "the same")
