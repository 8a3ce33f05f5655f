"""How long a scrape takes, beside Debian's prometheus-node-exporter, which reads at each scrape."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, quantile, ratio
from bench.kept import Kept
from tests.lab.lab import Lab
from tests.lab.ports import answers, free_port, wait_until
from tests.lab.process import Raingauge

TITLE = "scrape"
REQUESTS = 200
PEER = "prometheus-node-exporter"


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    times = 50 if quick else REQUESTS
    with (
        tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder,
        Raingauge(Path(folder), command="agent") as raingauge,
        Kept(raingauge.exporter) as client,
    ):
        wait_until(lambda: b"redis_up" in client.get("/metrics"), 30, "the lab is found")
        whole = client.milliseconds("/metrics", times)
        yield from _figures("/metrics", whole, len(client.get("/metrics")))
        packed = client.milliseconds("/metrics", times, Accept_Encoding="gzip")
        yield from _figures("/metrics, gzip", packed, len(client.get("/metrics", Accept_Encoding="gzip")))
        node = next(group["labels"] for group in client.json("/sd") if group["labels"]["job"] == "node")
        host = client.milliseconds(node["__metrics_path__"], times)
        yield from _figures("host's own page", host, len(client.get(node["__metrics_path__"])))
        raingauge.stop()
    yield from _beside(host, times)


def _figures(name: str, taken: Sequence[float], size: int) -> Iterator[Figure]:
    method = f"{len(taken)} GETs on one kept connection, {size / 1024:.0f} KiB each"
    yield Figure(f"{name}: p50", quantile(taken, 0.5), "ms", method)
    yield Figure(f"{name}: p99", quantile(taken, 0.99), "ms", method)


def _beside(ours: Sequence[float], times: int) -> Iterator[Figure]:
    program = shutil.which(PEER)
    if program is None:
        yield Figure(PEER, None, "", f"{PEER} is not installed: apt-get install {PEER}")
        return
    with _peer(program) as url, Kept(url) as client:
        client.get("/metrics")
        theirs = client.milliseconds("/metrics", times)
        yield from _figures(PEER, theirs, len(client.get("/metrics")))
    yield ratio("host's own page / peer: p50", quantile(ours, 0.5), quantile(theirs, 0.5), PEER)
    yield ratio("host's own page / peer: p99", quantile(ours, 0.99), quantile(theirs, 0.99), PEER)


@contextmanager
def _peer(program: str) -> Iterator[str]:
    port = free_port()
    command = [program, f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(("127.0.0.1", port)), 10, f"{PEER} answers")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
