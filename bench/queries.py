"""The time of a chart's query over HTTP: ours, Debian's Prometheus and VictoriaMetrics with the same samples."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from bench import filled
from bench.dataset import Made, fleet
from bench.figures import Figure, quantile
from bench.kept import Kept
from collectors.model import Gauge, Target
from history.database import open_database
from history.embedded import Embedded
from history.store import Store
from tests.lab.lab import Lab
from tests.lab.process import Raingauge
from tests.lab.prometheus import Prometheus
from tests.lab.victoriametrics import VictoriaMetrics

TITLE = "queries"
STEP = 60
EXPRESSIONS = {
    "10 series": 'node_cpu_seconds_total{host="host1",mode=~"user|system"}',
    "rate over 100": "rate(node_cpu_seconds_total[5m])",
    "sum by over 1,000": 'sum by (job) ({job="node"})',
    "histogram_quantile over 200": (
        "histogram_quantile(0.9, sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m])))"
    ),
    "max_over_time over 100": "max_over_time(node_cpu_seconds_total[5m])",
}
Server = Raingauge | Prometheus | VictoriaMetrics


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    hours, times = (6, 5) if quick else (24, 15)
    end = int(time.time()) - 600
    start = end - hours * 3600
    made = fleet(start * 1000, hours)
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        ours, theirs, third = (Path(folder) / name for name in ("raingauge", "prometheus", "victoria"))
        filled.ours(ours, made)
        theirs.mkdir()
        filled.openmetrics(theirs / "samples.txt", made)
        os.environ["RAINGAUGE_PROMQL_2X"] = "1"
        servers: list[Server] = [
            Raingauge(ours, command="dashboard --read-only"),
            Prometheus(theirs, past=theirs / "samples.txt"),
            _victoria(third, made),
        ]
        yield from _compared(servers, start, end, times)
        del os.environ["RAINGAUGE_PROMQL_2X"]
    yield _rules()


def _victoria(folder: Path, made: Iterable[Made]) -> VictoriaMetrics:
    server = VictoriaMetrics(folder)
    with server:
        for each in made:
            server.take(filled.text([each], 1))
    return server


def _compared(servers: list[Server], start: int, end: int, times: int) -> Iterator[Figure]:
    for name, expr in EXPRESSIONS.items():
        path = "/api/v1/query_range?" + urlencode({"query": expr, "start": start, "end": end, "step": STEP})
        with ExitStack() as stack:
            clients = [_client(stack, server) for server in servers]
            cold = [client.milliseconds(path, 1)[0] for client in clients]
            series = [len(client.json(path)["data"]["result"]) for client in clients]
            # In turns, so that whatever else the machine does meets all of them.
            rounds = [[client.milliseconds(path, 1)[0] for client in clients] for _ in range(times)]
            warm = [quantile(found, 0.5) for found in zip(*rounds, strict=True)]
            for server in servers:
                if isinstance(server, Raingauge):
                    server.stop()
        if len(set(series)) > 1:
            raise AssertionError(f"{expr}: expected as many series from each, found {series}")
        how = (
            f"query_range over HTTP, {(end - start) // STEP} steps, {series[0]} series in the answer, median of {times}"
        )
        yield Figure(f"{name}: ours", warm[0], "ms", how)
        yield Figure("   to Prometheus, warm", warm[0] / warm[1], "times", f"Prometheus {warm[1]:.1f} ms, the same run")
        yield Figure("   to Prometheus, cold", cold[0] / cold[1], "times", f"first after a start: {cold[0]:.0f} ms")
        yield Figure("   to VictoriaMetrics, warm", warm[0] / warm[2], "times", f"VictoriaMetrics {warm[2]:.1f} ms")


def _client(stack: ExitStack, server: Server) -> Kept:
    """Of a server that is started here, and stopped with the stack."""
    stack.enter_context(server)
    if isinstance(server, Raingauge):
        return stack.enter_context(Kept(server.dashboard, server.token()))
    return stack.enter_context(Kept(server.url))


def _rules() -> Figure:
    """200 rules over 5,000 series of 200 metrics."""
    end = time.time() // 15 * 15
    families = [Gauge(f"metric{number}_total", "", ("part",)) for number in range(200)]
    shapes = ["{} > 1e12", "sum by (host) (rate({}[5m])) > 1e12", "max_over_time({}[10m]) > 1e12", "avg({}) < -1"]
    rules = [shapes[at % len(shapes)].format(family.name) for at, family in enumerate(families)]
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        engine = open_database(Path(folder))
        store = Store(engine)
        for tick in range(60):
            samples = [family(tick * at, str(part)) for at, family in enumerate(families) for part in range(5)]
            stamp = end - 900 + 15 * tick
            store.append_many((Target("node", f"host{n}", f"host{n}"), stamp, samples) for n in range(5))
        source = Embedded(store)

        def cycle() -> float:
            began = time.perf_counter()
            for expr in rules:
                source.query(expr, end - 15)
            return (time.perf_counter() - began) * 1000

        took = quantile([cycle() for _ in range(7)], 0.5)
        engine.dispose()
    return Figure("200 alert rules", took, "ms", "one cycle over 5,000 series of five targets, median of 7 cycles")
