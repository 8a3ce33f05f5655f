"""How long a scrape takes, beside Debian's prometheus-node-exporter, which reads at each scrape."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench import peer
from bench.figures import Figure, quantile
from bench.kept import Kept
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge

TITLE = "scrape"
REQUESTS = 200


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
    with peer.running() as found:
        if found is None:
            yield peer.missing()
            return
        with Kept(found.url) as client:
            client.get("/metrics")
            theirs = client.milliseconds("/metrics", times)
            yield from _figures(peer.NAME, theirs, len(client.get("/metrics")))
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours_to_theirs = quantile(ours, share) / quantile(theirs, share)
        method = f"host's own page divided by {peer.NAME}'s, measured in the same run"
        yield Figure(f"ours to the peer's: {name}", ours_to_theirs, "times", method)
