"""What watching the lab costs: CPU of a 10 s cycle, memory, series, and the pages' time."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import usage
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


def measure(lab: Lab, quick: bool) -> Iterable[Figure]:
    cycles = 1 if quick else 5
    with lab.traffic(REQUESTS_PER_SECOND, LONGEST_SECONDS):
        for command in ("agent", "run"):
            yield from _of(command, cycles, 3.0 if quick else WARM_SECONDS)


def _of(command: str, cycles: int, warm: float) -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder,
        Raingauge(Path(folder), command=command) as raingauge,
        Kept(raingauge.exporter) as scraper,
    ):
        wait_until(lambda: b"redis_up" in scraper.get("/metrics"), 30, "the lab is found")
        time.sleep(warm)
        spent = _cycles(raingauge.pid, scraper, cycles)
        yield from _figures(command, raingauge.pid, scraper, spent / cycles, cycles)
        if command == "run":
            yield from _pages(raingauge)
        raingauge.stop()


def _cycles(pid: int, scraper: Kept, cycles: int) -> float:
    """CPU seconds of so many cycles with a scrape in each."""
    before = usage.cpu_seconds(pid)
    until = time.monotonic()
    for _ in range(cycles):
        until += CYCLE_SECONDS
        time.sleep(until - time.monotonic())
        scraper.get("/metrics", Accept_Encoding="gzip")
    return usage.cpu_seconds(pid) - before


def _figures(command: str, pid: int, scraper: Kept, spent: float, cycles: int) -> Iterator[Figure]:
    page = scraper.get("/metrics").decode()
    series = sum(not line.startswith("#") for line in page.splitlines())
    targets = len(scraper.json("/sd"))
    memory = usage.memory(pid)
    watched = f"{targets} targets with {series} series every 10 s, lab under {REQUESTS_PER_SECOND} requests/s"
    yield Figure(
        f"{command}: CPU of a cycle",
        spent * 1000,
        "ms",
        f"/proc/PID/stat over {cycles} cycles with a scrape; {watched}",
    )
    rules = "" if command == "agent" else "; rules and history included"
    yield Figure(f"{command}: CPU share", spent / CYCLE_SECONDS * 100, "% of a core", f"the same{rules}")
    yield Figure(f"{command}: RSS", memory.rss, "MiB", "smaps_rollup after these cycles")
    yield Figure(f"{command}: PSS", memory.pss, "MiB", "the same; shared pages counted in parts")
    yield Figure(f"{command}: threads", usage.threads(pid), "", "/proc/PID/task")
    yield Figure(f"{command}: series", series, "", f"lines of /metrics, {len(page) / 1024:.0f} KiB of text")


def _pages(raingauge: Raingauge) -> Iterator[Figure]:
    with Kept(raingauge.dashboard, raingauge.token()) as client:
        for path in ("/", "/host"):
            taken = client.milliseconds(path, 20)
            yield Figure(
                f"run: GET {path}", quantile(taken, 0.5), "ms", "median of 20, as HTML, last hour, kept connection"
            )
