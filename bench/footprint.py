"""What watching the lab costs: CPU of a 10 s cycle, memory, series, and the pages' time."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import peer, usage
from bench.figures import Figure, quantile
from bench.kept import Kept
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge

TITLE = "footprint"
CYCLE_SECONDS = 10.0
WARM_SECONDS = 15.0
REQUESTS_PER_SECOND = 8
LONGEST_SECONDS = 300.0
HOST_ALONE = "discovery: false\ntargets: {host: [{}]}\n"
"""What node_exporter does, too."""


def measure(lab: Lab, quick: bool) -> Iterable[Figure]:
    cycles, warm = (1, 3.0) if quick else (5, WARM_SECONDS)
    with lab.traffic(REQUESTS_PER_SECOND, LONGEST_SECONDS):
        yield from _of("agent", "agent", "", b"redis_up", cycles, warm)
        yield from _of("run", "run", "", b"redis_up", cycles, warm)
    yield from _of("agent, host alone", "agent", HOST_ALONE, b"node_load1", cycles, warm)
    yield from _beside(10 if quick else 100)


def _of(name: str, command: str, configuration: str, found: bytes, cycles: int, warm: float) -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder,
        Raingauge(Path(folder), configuration, command) as raingauge,
    ):
        wait_until(lambda: found in _scraped(raingauge.exporter), 30, "what is to be watched is found")
        time.sleep(warm)
        spent = _cycles(raingauge, cycles)
        yield from _figures(name, raingauge, spent / cycles, cycles)
        if command == "run":
            yield from _pages(raingauge)
        raingauge.stop()


def _scraped(url: str) -> bytes:
    with Kept(url) as scraper:
        return scraper.get("/metrics")


def _cycles(raingauge: Raingauge, cycles: int) -> float:
    """CPU seconds of so many cycles with a scrape in each."""
    before = usage.cpu_seconds(raingauge.pid)
    until = time.monotonic()
    for _ in range(cycles):
        until += CYCLE_SECONDS
        time.sleep(until - time.monotonic())
        with Kept(raingauge.exporter) as scraper:
            scraper.get("/metrics", Accept_Encoding="gzip")
    return usage.cpu_seconds(raingauge.pid) - before


def _figures(name: str, raingauge: Raingauge, spent: float, cycles: int) -> Iterator[Figure]:
    pid = raingauge.pid
    with Kept(raingauge.exporter) as scraper:
        page, targets = scraper.get("/metrics").decode(), len(scraper.json("/sd"))
    series = sum(not line.startswith("#") for line in page.splitlines())
    memory = usage.memory(pid)
    how = f"/proc/PID/stat over {cycles} cycles with a scrape in each, {targets} targets"
    yield Figure(f"{name}: CPU of a 10 s cycle", spent * 1000, "ms", how)
    yield Figure(f"{name}: RSS", memory.rss, "MiB", "smaps_rollup after these cycles")
    yield Figure(f"{name}: PSS", memory.pss, "MiB", "the same; pages that processes share are counted in parts")
    yield Figure(f"{name}: threads", usage.threads(pid), "", "/proc/PID/task")
    yield Figure(f"{name}: series", series, "", f"lines of /metrics, {len(page) / 1024:.0f} KiB of text")


def _beside(scrapes: int) -> Iterator[Figure]:
    with peer.running() as found:
        if found is None:
            yield peer.missing()
            return
        with Kept(found.url) as scraper:
            scraper.get("/metrics")
            before = usage.cpu_seconds(found.pid)
            scraper.milliseconds("/metrics", scrapes)
            spent = (usage.cpu_seconds(found.pid) - before) / scrapes
        how = f"/proc/PID/stat over {scrapes} scrapes one after another; it reads at each scrape"
        yield Figure(f"{peer.NAME}: CPU of a scrape", spent * 1000, "ms", how)
        yield Figure(f"{peer.NAME}: RSS", usage.memory(found.pid).rss, "MiB", "smaps_rollup after these scrapes")


def _pages(raingauge: Raingauge) -> Iterator[Figure]:
    with Kept(raingauge.dashboard, raingauge.token()) as client:
        for path in ("/", "/host"):
            taken = client.milliseconds(path, 20)
            yield Figure(
                f"run: GET {path}", quantile(taken, 0.5), "ms", "median of 20, as HTML, last hour, kept connection"
            )
