"""One agent in place of ten exporters: all of them are found, and public dashboards have what they read."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.ports import wait_until
from tests.lab.process import Raingauge
from tests.lab.stack import Stack, stack

COMPAT = Path(__file__).parents[2] / "shared" / "compat"
FOUND = {
    "node": 1, "nginx": 1, "apache": 2, "phpfpm": 2, "mysql": 4, "postgres": 2, "redis": 2, "memcached": 1,
    "varnish": 1,
}  # fmt: skip
LEAST_SHARE = 0.9
"""Of the expressions of public dashboards and rules; the official exporters of Debian answer 0.8."""
LEAST_SHARE_WITH_TREES = 0.95
DATA = Path(__file__).parent / "data"
NOT_HERE = ("host/hardware-documented", "mysql/mariadb-10.11-galera")
"""Captures of what a test machine lacks: sensors, RAID, systemd; a cluster."""

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def servers() -> Iterator[Stack]:
    with stack() as found:
        yield found


@pytest.fixture(scope="module")
def agent(servers: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raingauge]:
    state = tmp_path_factory.mktemp("state")
    configuration = f"host: shop\ninterval: 2s\ntargets: {servers.targets()}\n"
    with Raingauge(state, configuration, "agent") as running:
        yield running


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def found(agent: Raingauge) -> dict[str, int]:
    """Job -> targets."""
    counts: dict[str, int] = {}
    for group in json.loads(get(f"{agent.exporter}/sd")):
        counts[group["labels"]["job"]] = counts.get(group["labels"]["job"], 0) + 1
    return counts


def all_found(agent: Raingauge) -> bool:
    """There may be more on this machine."""
    counts = found(agent)
    return all(counts.get(job, 0) >= count for job, count in FOUND.items())


def test_every_server_is_found(agent: Raingauge, servers: Stack) -> None:
    wait_until(lambda: all_found(agent), 60, "all servers are found")


def test_none_of_them_is_down(agent: Raingauge, servers: Stack) -> None:
    wait_until(lambda: all_found(agent), 60, "all servers are found")

    up = re.compile(r"(nginx|apache|phpfpm|mysql|pg|redis|memcached|varnish)_up\b.* 1")

    def answering() -> int:
        return sum(bool(up.fullmatch(line)) for line in get(f"{agent.exporter}/metrics").splitlines())

    least = sum(count for job, count in FOUND.items() if job != "node")
    wait_until(lambda: answering() >= least, 60, "all answer")


@pytest.mark.skipif(not COMPAT.exists(), reason="the public dashboards are not here")
def test_public_dashboards_have_what_they_read(agent: Raingauge, servers: Stack, tmp_path: Path) -> None:
    wait_until(lambda: all_found(agent), 60, "all servers are found")
    wait_until(lambda: "mysql_info_schema_table_rows" in get(f"{agent.exporter}/metrics"), 60, "slow parts were read")
    live = tmp_path / "live"
    live.mkdir()
    (live / "ours.prom").write_text(get(f"{agent.exporter}/metrics"))
    assert share(live) >= LEAST_SHARE
    with_trees = tmp_path / "with_trees"
    shutil.copytree(live, with_trees)
    for name in NOT_HERE:
        shutil.copy(DATA / name / "metrics.prom", with_trees / f"{name.replace('/', '-')}.prom")
    assert share(with_trees) >= LEAST_SHARE_WITH_TREES


def share(folder: Path) -> float:
    """Of the expressions that those pages answer; what is missing is printed."""
    report = folder.with_suffix(".json")
    command = [sys.executable, str(COMPAT / "coverage.py"), str(folder), str(COMPAT / "dashboards"),
               "--json", str(report)]  # fmt: skip
    print(subprocess.run(command, capture_output=True, text=True, check=False).stdout)  # noqa: T201
    return float(json.loads(report.read_text())["overall"])
