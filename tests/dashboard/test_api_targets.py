"""/api/v1/targets, its metadata and scrape_pools: what is collected, in the words of what Prometheus scrapes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.model import Counter, Finding, Gauge, PartStatus, Target, TargetStatus
from dashboard.api_targets import targets
from tests.dashboard.world import NOW, Watched, World
from tests.lab import prometheus
from tests.lab.ports import free_port, wait_until
from tests.lab.prometheus import Prometheus

LOAD = Gauge("node_load1", "Load over 1 minute.")
QUERIES = Counter("mysql_queries_total", "Queries.")
NODE = Target("node", "web-01", "web-01")
MYSQL = Target("mysql", "web-01:3306", "web-01", (("module", 'a"b'),))
PARTS = (PartStatus("status", 10.0, "ok", "", 0.25, NOW - 3), PartStatus("tables", 90.0, "denied", "no right", 0.5))
STATUSES = (
    TargetStatus(NODE, "web-01", "host", "this host", (PartStatus("cpu", 10.0, "ok", "", 0.125, NOW - 0.5),)),
    TargetStatus(MYSQL, "3306", "mysql", "mysqld (pid 7)", PARTS),
)
FINDINGS = (Finding("redis", "redis-server (pid 9)", "it wants a password", "set it"),)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, watched=Watched(STATUSES, FINDINGS))
    world.store.append(NODE, NOW - 10, [LOAD(1.0)])
    world.store.append(MYSQL, NOW - 10, [QUERIES(7.0)])
    return world


def data(world: World, path: str) -> Any:
    answer = world.client().get(f"/api/v1/{path}")
    assert answer.json
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def test_a_target_has_what_it_read_last(world: World) -> None:
    mysql, node = data(world, "targets")["activeTargets"]
    assert node["labels"] == {"job": "node", "instance": "web-01", "host": "web-01"}
    assert (node["health"], node["lastError"], node["lastScrape"]) == ("up", "", "2026-09-21T14:13:19.5Z")
    assert (node["scrapeInterval"], node["lastScrapeDuration"]) == ("10s", 0.125)
    assert (mysql["lastError"], mysql["lastScrapeDuration"], mysql["scrapePool"]) == ("tables: no right", 0.75, "mysql")
    assert mysql["scrapeUrl"] == "/metrics/mysql/3306"


@pytest.mark.parametrize(
    ("outcomes", "health"),
    [(("waiting",), "unknown"), (("unreachable",), "down"), (("waiting", "timeout"), "down"), (("absent",), "up")],
)
def test_health(outcomes: tuple[str, ...], health: str) -> None:
    parts = tuple(PartStatus("a", 90.0, outcome) for outcome in outcomes)
    [found] = targets(Watched([replace(STATUSES[0], parts=parts)]))["activeTargets"]
    assert (found["health"], found["scrapeInterval"]) == (health, "1m30s")
    assert found["lastScrape"] == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("asked", "active", "dropped"),
    [
        ("", 2, 1), ("state=any", 2, 1), ("state=Active", 2, 0), ("state=dropped", 0, 1), ("scrapePool=node", 1, 0),
        ("scrapePool=redis", 0, 1), ("state=active&scrapePool=mysql", 1, 0), ("scrapePool=x", 0, 0),
    ],
)  # fmt: skip
def test_targets_are_chosen(world: World, asked: str, active: int, dropped: int) -> None:
    found = data(world, f"targets?{asked}")
    assert (len(found["activeTargets"]), len(found["droppedTargets"])) == (active, dropped)
    assert found["droppedTargetCounts"] == ({} if "active" in asked.lower() else {"redis": 1})


def test_pools_are_jobs(world: World) -> None:
    assert data(world, "scrape_pools") == {"scrapePools": ["mysql", "node"]}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["node_load1", "mysql_queries_total"]),
        ("limit=1", ["node_load1"]),
        ("limit=0", []),
        ("match_target={job=%22mysql%22}", ["mysql_queries_total"]),
        ("match_target={module=~%22.%2B%22}", ["mysql_queries_total"]),
        ("match_target={job=%22x%22}", []),
        ("metric=node_load1", [None]),
        ("metric=nothing", []),
    ],
)
def test_metadata_of_targets(world: World, asked: str, found: list[str | None]) -> None:
    assert [each.get("metric") for each in data(world, f"targets/metadata?{asked}")] == found


def test_metadata_names_its_target(world: World) -> None:
    [found] = data(world, "targets/metadata?metric=mysql_queries_total")
    assert found == {"target": MYSQL.labels, "type": "counter", "help": "Queries.", "unit": ""}


SCRAPED = """
scrape_configs:
  - job_name: down
    scrape_interval: 1s
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
  - job_name: dropped
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
    relabel_configs: [{{action: drop, source_labels: [__address__], regex: '.*'}}]
"""


@pytest.mark.servers
def test_prometheus_has_the_same_fields(world: World, tmp_path: Path) -> None:
    def scraped() -> Any:
        found = prometheus.ask(running.url, "targets")[1]["data"]
        return found if found["activeTargets"] and found["activeTargets"][0]["health"] == "down" else None

    (tmp_path / "theirs").mkdir()
    with Prometheus(tmp_path / "theirs", SCRAPED.format(port=free_port())) as running:
        wait_until(scraped, 20, "Prometheus scrapes")
        theirs = scraped()
    ours = data(world, "targets")
    assert ours.keys() - theirs.keys() <= {"droppedTargetCounts"}  # since 2.45
    assert theirs.keys() <= ours.keys()
    active, dropped = ours["activeTargets"][0], ours["droppedTargets"][0]
    assert {key: type(value) for key, value in active.items()} == {
        key: type(value) for key, value in theirs["activeTargets"][0].items()
    }
    assert dropped.keys() - theirs["droppedTargets"][0].keys() <= {"scrapePool"}  # since 2.48
