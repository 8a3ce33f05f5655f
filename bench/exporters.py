"""What one agent costs beside the exporters that it stands in for, over the same servers in the same minutes."""

import contextlib
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench import usage
from bench.figures import Figure, quantile
from bench.kept import Kept
from tests.lab.exporters import Exporter
from tests.lab.lab import Lab
from tests.lab.mysqld_exporter import MysqldExporter
from tests.lab.ports import wait_until
from tests.lab.postgresql import PostgresExporter
from tests.lab.process import Raingauge
from tests.lab.servers import Server
from tests.lab.stack import Stack, stack

TITLE = "exporters"
CYCLE_SECONDS = 10.0
CYCLES = 12
REQUESTS = 200


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    cycles = 2 if quick else CYCLES
    with (
        tempfile.TemporaryDirectory(prefix="raingauge-bench-") as name,
        stack() as servers,
        Raingauge(Path(name), _configuration(servers), "agent") as raingauge,
        contextlib.ExitStack() as running,
    ):
        others = {each: running.enter_context(server) for each, server in _exporters(Path(name), servers).items()}
        wait_until(lambda: b"varnish_up" in _get(f"{raingauge.exporter}/metrics"), 60, "all servers are read")
        time.sleep(CYCLE_SECONDS)
        watched = {"raingauge agent": raingauge.pid, **{each: _pid(other) for each, other in others.items()}}
        served = {each: _pid(server) for each, server in _served(servers).items()}
        pages = [f"{raingauge.exporter}/metrics", *(_page_of(other) for other in others.values())]
        spent = _spent(watched, pages, cycles)
        yield from _figures(watched, spent, cycles)
        yield from _servers(served, pages, cycles)
        yield from _page(raingauge)
        raingauge.stop()


def _configuration(servers: Stack) -> str:
    """One of each kind, as the exporters have it; discovery would find more."""
    postgres = {"address": "127.0.0.1", "port": servers.postgres.port, "user": "lab", "password": "lab"}
    targets = {
        "host": [{}],
        "nginx": [{"url": f"{servers.nginx.url}/stub_status"}],
        "apache": [{"url": f"{servers.apache.url}/server-status?auto"}],
        "mysql": [{"socket": servers.mariadb.source.socket, "user": servers.mariadb.source.user}],
        "postgres": [postgres],
        "redis": [{"port": servers.redis.port}],
        "varnish": [{"directory": str(servers.varnish.state)}],
    }
    return json.dumps({"discovery": False, "targets": targets})


def _exporters(folder: Path, servers: Stack) -> dict[str, Server]:
    return {
        "node_exporter": Exporter(folder / "node", "prometheus-node-exporter", "--web.listen-address"),
        "nginx_exporter": Exporter(
            folder / "nginx", "prometheus-nginx-exporter", "-web.listen-address",
            f"-nginx.scrape-uri={servers.nginx.url}/stub_status",
        ),
        "apache_exporter": Exporter(
            folder / "apache", "prometheus-apache-exporter", "--telemetry.address",
            f"--scrape_uri={servers.apache.url}/server-status?auto",
        ),
        "mysqld_exporter": MysqldExporter(folder / "mysql", servers.mariadb.source),
        "postgres_exporter": PostgresExporter(folder / "postgres", servers.postgres),
        "redis_exporter": Exporter(
            folder / "redis", "prometheus-redis-exporter", "-web.listen-address",
            f"-redis.addr=redis://127.0.0.1:{servers.redis.port}",
        ),
        "varnish_exporter": Exporter(
            folder / "varnish", "prometheus-varnish-exporter", "-web.listen-address",
            "-n", str(servers.varnish.state),
        ),
    }  # fmt: skip


def _served(servers: Stack) -> dict[str, Server]:
    return {
        "nginx": servers.nginx, "Apache": servers.apache, "MariaDB": servers.mariadb.source, "Redis": servers.redis,
    }  # fmt: skip


def _page_of(exporter: Server) -> str:
    assert not isinstance(exporter.address, str)
    return f"http://127.0.0.1:{exporter.address[1]}/metrics"


def _pid(server: Server) -> int:
    assert server.process is not None
    return server.process.pid


def _get(url: str) -> bytes:
    base, _, path = url.removeprefix("http://").partition("/")
    with Kept(f"http://{base}") as client:
        return client.get(f"/{path}")


def _spent(pids: dict[str, int], pages: Sequence[str], cycles: int) -> dict[str, float]:
    """CPU seconds of each, its children too, while every page is read once a cycle."""
    before = {name: usage.cpu_seconds_of_all(pid) for name, pid in pids.items()}
    until = time.monotonic()
    for _ in range(cycles):
        until += CYCLE_SECONDS
        time.sleep(max(0.0, until - time.monotonic()))
        for page in pages:
            _get(page)
    return {name: usage.cpu_seconds_of_all(pid) - before[name] for name, pid in pids.items()}


def _figures(watched: dict[str, int], spent: dict[str, float], cycles: int) -> Iterator[Figure]:
    how = f"CPU of the process and its children over {cycles} cycles of 10 s, one scrape in each"
    for name, seconds in spent.items():
        yield Figure(f"{name}: CPU of a cycle", seconds / cycles * 1000, "ms", how)
        yield Figure(f"{name}: RSS", usage.memory(watched[name]).rss, "MiB", "smaps_rollup after these cycles")
    ours = spent["raingauge agent"]
    theirs = sum(seconds for name, seconds in spent.items() if name != "raingauge agent")
    yield Figure("ours to theirs: CPU", ours / theirs, "times", "agent divided by the sum of the exporters")
    rss = {name: usage.memory(pid).rss for name, pid in watched.items()}
    sums = sum(size for name, size in rss.items() if name != "raingauge agent")
    yield Figure("ours to theirs: RSS", rss["raingauge agent"] / sums, "times", "the same")


def _servers(served: dict[str, int], pages: Sequence[str], cycles: int) -> Iterator[Figure]:
    """What the servers themselves work for it: all exporters and the agent, then the agent alone."""
    both = _spent(served, pages, cycles)
    alone = _spent(served, pages[:1], cycles)
    for name in served:
        ours, theirs = alone[name] / cycles, (both[name] - alone[name]) / cycles
        yield Figure(f"{name}: CPU of a cycle for us", ours * 1000, "ms", "while only the agent reads it")
        yield Figure(f"{name}: CPU of a cycle for the exporter", theirs * 1000, "ms", "with both, less the former")


def _page(raingauge: Raingauge) -> Iterator[Figure]:
    with Kept(raingauge.exporter) as client:
        page = client.get("/metrics").decode()
        series = sum(not line.startswith("#") for line in page.splitlines())
        taken = client.milliseconds("/metrics", REQUESTS)
    method = f"{REQUESTS} GETs on one kept connection, {series} series, {len(page) / 1024:.0f} KiB"
    yield Figure("/metrics: p50", quantile(taken, 0.5), "ms", method)
    yield Figure("/metrics: p99", quantile(taken, 0.99), "ms", method)
