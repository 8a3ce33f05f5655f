"""The same samples in our history and in Debian's Prometheus: room on disk, and the time of a chart's query."""

import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from agent.exposition import escaped
from agent.reading import trial
from bench.figures import Figure, quantile
from bench.kept import Kept
from collectors import registry
from collectors.model import Sample, Target
from history.database import open_database
from history.store import Store
from tests.lab.lab import Lab
from tests.lab.process import Raingauge
from tests.lab.prometheus import Prometheus

TITLE = "queries"
INTERVAL = 10
STEP = 60
TARGET = Target("node", "bench", "bench")
EXPRESSIONS = (
    "node_load1",
    "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "sum by (mode) (rate(node_cpu_seconds_total[5m]))",
    '{job="node"}',
)


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    hours, times = (1, 10) if quick else (6, 50)
    end = int(time.time()) // INTERVAL * INTERVAL
    start = end - hours * 3600
    ticks = dict(_ticks(range(start, end, INTERVAL)))
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        ours, theirs = Path(folder) / "raingauge", Path(folder) / "prometheus"
        ours.mkdir()
        _store(ours, ticks)
        count = sum(map(len, ticks.values()))
        with Raingauge(ours, command="dashboard") as raingauge, Prometheus(theirs, "", _openmetrics(ticks)) as other:
            yield from _sizes(ours, theirs, count)
            with Kept(raingauge.dashboard, raingauge.token()) as client, Kept(other.url) as peer:
                yield from _compared(client, peer, start, end, times)
            raingauge.stop()


def _ticks(stamps: Iterable[int]) -> Iterator[tuple[int, Sequence[Sample]]]:
    """This host's samples, each grown by 1 a tick."""
    host = registry.collector("host")
    samples = [sample for reading in trial(host, host.config()) for sample in reading.samples]
    for grown, stamp in enumerate(stamps):
        yield stamp, [sample._replace(value=sample.value + grown) for sample in samples]


def _store(folder: Path, ticks: Mapping[int, Sequence[Sample]]) -> None:
    engine = open_database(folder)
    Store(engine).append_many((TARGET, stamp, samples) for stamp, samples in ticks.items())
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def _openmetrics(ticks: Mapping[int, Sequence[Sample]]) -> str:
    series: dict[str, list[str]] = {}
    for stamp, samples in ticks.items():
        for family, labels, value in samples:
            own = dict(zip(family.labels, labels, strict=True))
            text = ",".join(f'{name}="{escaped(each)}"' for name, each in {**own, **TARGET.labels}.items())
            series.setdefault(f"{family.name}{{{text}}}", []).append(f"{value!r} {stamp}")
    lines = (f"{name} {point}\n" for name, points in sorted(series.items()) for point in points)
    return "".join(lines) + "# EOF\n"


def _sizes(ours: Path, theirs: Path, count: int) -> Iterator[Figure]:
    how = f"{count:,} samples of this host, each value grown by 1 a tick"
    database = sum(path.stat().st_size for path in ours.glob("*.db*")) / count
    blocks = sum(path.stat().st_size for path in (theirs / "data").glob("0*/**/*") if path.is_file()) / count
    yield Figure("on disk: ours", database, "bytes a sample", f"the whole database; {how}")
    yield Figure("on disk: Prometheus", blocks, "bytes a sample", "its compacted blocks of the same samples")
    yield Figure("on disk: ours to the peer's", database / blocks, "times", "ours is not compressed yet")


def _compared(client: Kept, peer: Kept, start: int, end: int, times: int) -> Iterator[Figure]:
    for expr in EXPRESSIONS:
        path = "/api/v1/query_range?" + urlencode({"query": expr, "start": start, "end": end, "step": STEP})
        found = [len(each.json(path)["data"]["result"]) for each in (client, peer)]
        if found[0] != found[1]:
            raise AssertionError(f"{expr}: expected as many series as Prometheus has, found {found}")
        ours, theirs = (quantile(each.milliseconds(path, times), 0.5) for each in (client, peer))
        steps = f"query_range over HTTP, {found[0]} series in {(end - start) // STEP} steps, median of {times}"
        yield Figure(f"{expr}: ours", ours, "ms", steps)
        yield Figure("   Prometheus", theirs, "ms", "the same")
        yield Figure("   ours to the peer's", ours / theirs, "times", "the same run")
