"""What watching the lab costs: CPU of a 10 s cycle, memory, series, and the pages' time."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
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
    cycles, warm = (1, 1.0) if quick else (5, WARM_SECONDS)
    with lab.traffic(REQUESTS_PER_SECOND, LONGEST_SECONDS):
        yield from _of("agent", "agent", "", b"redis_up", cycles, warm)
        yield from _of("run", "run", "", b"redis_up", cycles, warm)
    yield from _of("agent, host alone", "agent", HOST_ALONE, b"node_load1", cycles, warm)


def _of(name: str, command: str, configuration: str, found: bytes, cycles: int, warm: float) -> Iterator[Figure]:
    beside = configuration == HOST_ALONE
    with (
        tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder,
        Raingauge(Path(folder), configuration, command) as raingauge,
        peer.running() if beside else nullcontext() as other,
    ):
        wait_until(lambda: found in _scraped(raingauge.exporter), 30, "what is to be watched is found")
        time.sleep(warm)
        before = [usage.cpu_seconds(pid) for pid in _pids(raingauge, other)]
        _scrape_each_cycle([raingauge.exporter, *([other.url] if other else [])], cycles)
        after = [usage.cpu_seconds(pid) for pid in _pids(raingauge, other)]
        spent = [(end - start) / cycles for start, end in zip(before, after, strict=True)]
        yield from _figures(name, raingauge, spent[0], cycles)
        if command == "run":
            yield from _pages(raingauge)
        if other:
            yield from _peers(other, spent, usage.memory(raingauge.pid).rss)
        elif beside:
            yield peer.missing()
        raingauge.stop()


def _pids(raingauge: Raingauge, other: peer.Peer | None) -> list[int]:
    return [raingauge.pid, *([other.pid] if other else [])]


def _scrape_each_cycle(urls: list[str], cycles: int) -> None:
    until = time.monotonic()
    for _ in range(cycles):
        until += CYCLE_SECONDS
        time.sleep(until - time.monotonic())
        for url in urls:
            with Kept(url) as scraper:
                scraper.get("/metrics", Accept_Encoding="gzip")


def _scraped(url: str) -> bytes:
    with Kept(url) as scraper:
        return scraper.get("/metrics")


def _figures(name: str, raingauge: Raingauge, spent: float, cycles: int) -> Iterator[Figure]:
    pid = raingauge.pid
    with Kept(raingauge.exporter) as scraper:
        page, targets = scraper.get("/metrics").decode(), len(scraper.json("/sd"))
    series = sum(not line.startswith("#") for line in page.splitlines())
    memory = usage.memory(pid)
    how = f"the process' CPU clock over {cycles * CYCLE_SECONDS:.0f} s with a scrape in each cycle, {targets} targets"
    yield Figure(f"{name}: CPU of a 10 s cycle", spent * 1000, "ms", how)
    yield Figure(f"{name}: RSS", memory.rss, "MiB", "smaps_rollup after these cycles")
    yield Figure(f"{name}: PSS", memory.pss, "MiB", "the same; pages that processes share are counted in parts")
    yield Figure(f"{name}: threads", usage.threads(pid), "", "/proc/PID/task")
    yield Figure(f"{name}: series", series, "", f"lines of /metrics, {len(page) / 1024:.0f} KiB of text")


def _peers(other: peer.Peer, spent: list[float], ours: float) -> Iterator[Figure]:
    how = "the same cycles; it reads when it is scraped, and other things"
    theirs = usage.memory(other.pid).rss
    yield Figure(f"{peer.NAME}: CPU of a 10 s cycle", spent[1] * 1000, "ms", how)
    yield Figure(f"{peer.NAME}: RSS", theirs, "MiB", "smaps_rollup after these cycles")
    yield Figure("ours to the peer's: CPU", spent[0] / spent[1], "times", "agent, host alone divided by the peer")
    yield Figure("ours to the peer's: RSS", ours / theirs, "times", "as above")


def _pages(raingauge: Raingauge) -> Iterator[Figure]:
    with Kept(raingauge.dashboard, raingauge.token()) as client:
        for path in ("/", "/host"):
            taken = client.milliseconds(path, 20)
            yield Figure(
                f"run: GET {path}", quantile(taken, 0.5), "ms", "median of 20, as HTML, last hour, kept connection"
            )
