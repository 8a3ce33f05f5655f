"""Two hundred who look at the overview of a running `raingauge run`, each asking what a page asks once a tick."""

import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from bench.figures import Figure, quantile
from bench.kept import Kept
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge

CLIENTS, INTERVAL = 200, 10.0
NEVER = 30_000.0  # ms


def measure(seconds: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as name, Raingauge(Path(name)) as raingauge:
        token = raingauge.token()
        with Kept(raingauge.dashboard, token) as client:
            wait_until(lambda: len(client.json("/")["plots"]) > 2, 60, "the overview has charts")
            time.sleep(2 * INTERVAL)
            ticks = [_ticks(client, 2 * INTERVAL)]
            took = _crowd(raingauge.dashboard, token, seconds)
            ticks.append(_ticks(client, seconds))
        raingauge.stop()
    how = f"{CLIENTS} connections over {seconds:g} s, each JSON and HTML of / every {INTERVAL:g} s, spread evenly"
    yield Figure("200 clients: p95 of an answer", quantile(took, 0.95), "ms", f"{how}; {len(took)} answers; aim 500 ms")
    yield Figure("   median", quantile(took, 0.5), "ms", how)
    for when, (gap, count) in zip(("before", "during"), ticks, strict=True):
        yield Figure(f"   longest between two ticks, {when}", gap, "s", f"of the host, over {count} ticks")


def _ticks(client: Kept, seconds: float) -> tuple[float, int]:
    """The longest time between two samples of the host in the last so many seconds, and how many there were."""
    found = client.json(f"/api/v1/query?query=timestamp(up%7Bjob%3D%22node%22%7D)[{seconds:.0f}s:1s]")
    stamps = sorted({float(value) for line in found["data"]["result"] for _, value in line["values"]})
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    return max(gaps, default=0.0), len(stamps)


def _crowd(base: str, token: str, seconds: float) -> list[float]:
    took: list[float] = []
    end = time.monotonic() + seconds

    def one(number: int) -> None:
        time.sleep(INTERVAL * number / CLIENTS)
        with Kept(base, token) as client:
            while time.monotonic() < end:
                begun = time.monotonic()
                for kind in ("application/json", "text/html"):
                    began = time.perf_counter()
                    try:
                        client.get("/", Accept=kind, Accept_Encoding="gzip")
                    except OSError:  # as long as Kept waits for an answer
                        took.append(NEVER)
                        return
                    took.append((time.perf_counter() - began) * 1000)
                time.sleep(max(0.0, INTERVAL - (time.monotonic() - begun)))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took
