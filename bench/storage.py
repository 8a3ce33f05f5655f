"""What history costs on disk beside Prometheus and VictoriaMetrics, and what it costs to keep."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import filled
from bench.dataset import INTERVAL, Made, fleet
from bench.figures import Figure
from history import inventory
from history.database import open_database
from history.store import Store
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.prometheus import Prometheus
from tests.lab.victoriametrics import VictoriaMetrics

TITLE = "storage"


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    hours = 4 if quick else 24
    made = fleet(int(time.time() - (hours + 1) * 3600) * 1000, hours)
    how = f"{hours} h of 1,000 made series of four targets, each {INTERVAL // 1000} s (bench/dataset.py)"
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        ours, theirs, third = (Path(folder) / name for name in ("raingauge", "prometheus", "victoria"))
        ingest = filled.ours(ours, made)
        yield from _ingest(ingest, how)
        yield from _ours(ours, ingest.samples, how)
        theirs.mkdir()
        filled.openmetrics(theirs / "samples.txt", made)
        with Prometheus(theirs, past=theirs / "samples.txt"):
            blocks = sum(filled.size(block) for block in (theirs / "data").glob("0*")) / ingest.samples
        yield Figure("Prometheus", blocks, "bytes a sample", "its blocks of the same samples, made by promtool")
        yield _victoria(third, made, ingest.samples)
    yield from _week(quick)


def _ingest(ingest: filled.Ingest, how: str) -> Iterator[Figure]:
    rate = ingest.samples / ingest.appending / 1e6
    yield Figure("ingest", rate, "M samples/CPU s", f"Store.append_many, four targets a transaction; {how}")
    rate = ingest.samples / (ingest.appending + ingest.upkeep) / 1e6
    yield Figure("   with upkeep", rate, "M samples/CPU s", "the same with sealing, roll-ups and merging")


def _ours(folder: Path, samples: int, how: str) -> Iterator[Figure]:
    engine = open_database(folder)
    store = Store(engine)
    while store.maintenance.merge():
        pass
    for kept in inventory.kept(store):
        if kept.tier == 0:
            sealed = samples - sum(stored.head.samples for stored in store.targets())
            yield Figure("sealed samples", kept.bytes / sealed, "bytes a sample", f"after compact; {how}")
        else:
            yield Figure(f"tier of {kept.tier} s", kept.bytes / samples, "bytes a sample", "per raw sample of all")
    engine.dispose()


def _victoria(folder: Path, made: list[Made], samples: int) -> Figure:
    with VictoriaMetrics(folder) as running:
        for each in made:
            running.take(filled.text([each], 1))
        running.merge()
        sizes = [0, filled.size(folder / "data")]

        def settled() -> bool:
            sizes.append(filled.size(folder / "data"))
            return len(sizes) > 20 and sizes[-1] == sizes[-20]

        wait_until(settled, 60, "it has merged all")
    return Figure(
        "VictoriaMetrics", filled.size(folder / "data") / samples, "bytes a sample", "after force_merge and stop"
    )


def _week(quick: bool) -> Iterator[Figure]:
    """The live file, with samples that are not sealed yet and all tiers."""
    days = 1 if quick else 7
    made = fleet(int(time.time() - (days * 24 + 1) * 3600) * 1000, days * 24, targets=1)
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        ingest = filled.ours(Path(folder), made)
        size = filled.size(Path(folder)) / ingest.samples
    how = f"the whole directory, log and roll-ups too, after {days} days of 250 series as an agent keeps them"
    yield Figure("live file", size, "bytes a sample", how)
