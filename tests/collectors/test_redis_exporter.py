"""Redis beside Debian's redis_exporter: the same series, and values between two of its scrapes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.exposition import render
from agent.reading import trial
from collectors.redis import COLLECTOR
from collectors.redis.session import Redis
from tests.collectors.exporters import REDIS_ABSENT, REDIS_MOVING, REDIS_NEWER, REDIS_NEWER_LABELS, REDIS_OF_ITSELF
from tests.collectors.official import families, series
from tests.lab import servers
from tests.lab.exporters import RedisExporter
from tests.lab.ports import wait_until

pytestmark = pytest.mark.servers


def client(server: servers.Redis, *words: str) -> str:
    return subprocess.run(
        ["redis-cli", "-p", str(server.port), *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Redis]:
    settings = ["--appendonly", "yes", "--slowlog-log-slower-than", "0", "--latency-monitor-threshold", "1",
                "--enable-debug-command", "yes"]  # fmt: skip
    with servers.Redis(tmp_path_factory.mktemp("primary"), settings) as server:
        for number in range(30):
            client(server, "SET", f"k{number % 7}", "x", "EX", "1000")
            client(server, "GET", f"k{number % 9}")
        client(server, "DEBUG", "SLEEP", "0.01")
        yield server


@pytest.fixture(scope="module")
def replica(primary: servers.Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Redis]:
    with servers.Redis(tmp_path_factory.mktemp("replica"), ["--replicaof", "127.0.0.1", str(primary.port)]) as server:
        wait_until(lambda: "state=online" in client(primary, "INFO", "replication"), 60, "the replica follows")
        yield server


def ours(server: servers.Redis) -> str:
    readings = trial(COLLECTOR, Redis(port=server.port))
    assert [reading.outcome for reading in readings] == ["ok", "ok"]
    return render([sample for reading in readings for sample in reading.samples]).decode()


Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def comparable(page: str) -> Series:
    return {
        (name, frozenset(label for label in labels if label[0] not in REDIS_NEWER_LABELS)): value
        for (name, labels), value in series(page).items()
        if name.startswith("redis_") and name not in REDIS_OF_ITSELF
    }


@pytest.mark.parametrize("role", ["primary", "replica"])
def test_same_series_and_values_between_two_of_its_scrapes(
    role: str, primary: servers.Redis, replica: servers.Redis, tmp_path: Path
) -> None:
    server = {"primary": primary, "replica": replica}[role]
    asks = f"-redis.addr=redis://127.0.0.1:{server.port}"
    with RedisExporter(tmp_path, asks, "-include-system-metrics", "-redis-only-metrics") as exporter:
        exporter.page()
        ours(server)  # from now on each has asked all that it asks
        before, page, after = exporter.page(), ours(server), exporter.page()
    types = {name: family.type for name, family in families(before).items()}
    assert {name: kind for name, (kind, _) in families(page).items() if types.get(name, kind) != kind} == {}
    low, mine, high = comparable(before), comparable(page), comparable(after)
    assert {key for key in mine.keys() - low.keys() if key[0] not in REDIS_NEWER} == set()
    lacking = {key for key in low.keys() & high.keys() - mine.keys() if key[0] not in REDIS_ABSENT}
    assert lacking == set()
    outside = {
        key: (low[key], value, high[key])
        for key, value in mine.items()
        if key in low.keys() & high.keys()
        and (not key[0].startswith(tuple(REDIS_MOVING)) or key[0].endswith(("_sum", "_count")))
        and not min(low[key], high[key]) <= value <= max(low[key], high[key])
    }
    assert outside == {}
