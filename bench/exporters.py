"""What one agent costs beside the exporters that it stands in for, over the same servers in the same minutes.

All that Debian has of them, as Debian starts them; it has none for Memcached and PHP-FPM, and the agent reads Memcached
all the same. Each page and each probe is read once a cycle as Prometheus does it: over a kept connection, compressed.
"""

import contextlib
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench import usage
from bench.figures import Figure, quantile
from bench.kept import Kept
from tests.lab.blackbox import Blackbox
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
        contextlib.ExitStack() as running,
    ):
        others = {each: running.enter_context(server) for each, server in _exporters(Path(name), servers).items()}
        served = {each: _pid(server) for each, server in _served(servers).items()}
        idle = _spent(served, (), cycles)
        raingauge = running.enter_context(Raingauge(Path(name), _configuration(servers), "agent"))
        wait_until(lambda: b"varnish_up" in _get(f"{raingauge.exporter}/metrics"), 60, "all servers are read")
        time.sleep(CYCLE_SECONDS)
        alone = _spent(served, [f"{raingauge.exporter}/metrics"], cycles)
        watched = {"raingauge agent": raingauge.pid, **{each: _pid(other) for each, other in others.items()}}
        pages = [f"{raingauge.exporter}/metrics", *_pages_of(others, servers)]
        spent = _spent(watched | served, pages, cycles)
        yield from _figures(watched, spent, cycles)
        yield from _servers(idle, alone, spent, cycles)
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
        "memcached": [{"port": servers.memcached.port}],
        "varnish": [{"directory": str(servers.varnish.state)}],
        "probe": json.loads(servers.targets())["probe"],
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
        "mysqld_exporter": MysqldExporter(folder / "mysql", servers.mariadb.source, collectors=()),
        "postgres_exporter": PostgresExporter(folder / "postgres", servers.postgres),
        "redis_exporter": Exporter(
            folder / "redis", "prometheus-redis-exporter", "-web.listen-address",
            f"-redis.addr=redis://127.0.0.1:{servers.redis.port}",
        ),
        "varnish_exporter": Exporter(
            folder / "varnish", "prometheus-varnish-exporter", "-web.listen-address",
            "-n", str(servers.varnish.state),
        ),
        "blackbox_exporter": Blackbox(folder / "blackbox"),
    }  # fmt: skip


def _served(servers: Stack) -> dict[str, Server]:
    return {
        "Apache": servers.apache, "MariaDB": servers.mariadb.source, "PostgreSQL": servers.postgres,
        "Redis": servers.redis, "Memcached": servers.memcached,
    }  # fmt: skip


def _pages_of(exporters: Mapping[str, Server], servers: Stack) -> Iterator[str]:
    """Blackbox' own page too, as all scrape it, and the checks that the agent makes."""
    for exporter in exporters.values():
        assert not isinstance(exporter.address, str)
        yield f"http://127.0.0.1:{exporter.address[1]}/metrics"
    checks = {
        f"{servers.nginx.url}/hello.html": "http_2xx",
        f"https://127.0.0.1:{servers.nginx.tls_port}/hello.html": "http_2xx_unverified",
        f"127.0.0.1:{servers.redis.port}": "tcp_connect",
        servers.names.address: "dns_udp",
        "127.0.0.1": "icmp",
    }
    blackbox = exporters["blackbox_exporter"]
    for target, module in checks.items():
        yield f"http://127.0.0.1:{blackbox.address[1]}/probe?{urlencode({'target': target, 'module': module})}"


def _pid(server: Server) -> int:
    assert server.process is not None
    return server.process.pid


def _get(url: str) -> bytes:
    with Kept(url) as client:
        return client.get(urlsplit(url).path)


def _spent(pids: dict[str, int], pages: Iterable[str], cycles: int) -> dict[str, float]:
    """CPU seconds of each, its children too, while every page is read once a cycle."""
    clients = [(page[len(base) :], Kept(base)) for page in pages for base in ["/".join(page.split("/", 3)[:3])]]
    for page, client in clients:  # the first scrape opens the connection, and is not counted
        client.get(page, Accept_Encoding="gzip")
    before = {name: usage.cpu_seconds_of_all(pid) for name, pid in pids.items()}
    until = time.monotonic()
    for _ in range(cycles):
        until += CYCLE_SECONDS
        time.sleep(max(0.0, until - time.monotonic()))
        for page, client in clients:
            client.get(page, Accept_Encoding="gzip")
    return {name: usage.cpu_seconds_of_all(pid) - before[name] for name, pid in pids.items()}


def _figures(watched: dict[str, int], spent: dict[str, float], cycles: int) -> Iterator[Figure]:
    how = f"CPU of the process and its children over {cycles} cycles of 10 s, one scrape in each"
    for name, pid in watched.items():
        yield Figure(f"{name}: CPU of a cycle", spent[name] / cycles * 1000, "ms", how)
        yield Figure(f"{name}: RSS", usage.memory(pid).rss, "MiB", "smaps_rollup after these cycles")
    ours = spent["raingauge agent"]
    theirs = sum(spent[name] for name in watched if name != "raingauge agent")
    yield Figure("the exporters: CPU of a cycle", theirs / cycles * 1000, "ms", "the sum of the above")
    yield Figure("ours to theirs: CPU", ours / theirs, "times", "agent divided by the sum of the exporters")
    rss = {name: usage.memory(pid).rss for name, pid in watched.items()}
    sums = sum(size for name, size in rss.items() if name != "raingauge agent")
    yield Figure("ours to theirs: RSS", rss["raingauge agent"] / sums, "times", "the same")


def _servers(idle: dict[str, float], alone: dict[str, float], both: dict[str, float], cycles: int) -> Iterator[Figure]:
    """What the servers work for it, less what they do when nobody reads them."""
    for name, resting in idle.items():
        ours, theirs = (alone[name] - resting) / cycles, (both[name] - alone[name]) / cycles
        yield Figure(f"{name}: CPU of a cycle for us", ours * 1000, "ms", "the agent alone, less when nobody reads it")
        yield Figure(f"{name}: CPU of a cycle for the exporter", theirs * 1000, "ms", "both, less the agent alone")


def _page(raingauge: Raingauge) -> Iterator[Figure]:
    with Kept(raingauge.exporter) as client:
        page = client.get("/metrics").decode()
        series = sum(not line.startswith("#") for line in page.splitlines())
        taken = client.milliseconds("/metrics", REQUESTS)
    method = f"{REQUESTS} GETs on one kept connection, {series} series, {len(page) / 1024:.0f} KiB"
    yield Figure("/metrics: p50", quantile(taken, 0.5), "ms", method)
    yield Figure("/metrics: p99", quantile(taken, 0.99), "ms", method)
