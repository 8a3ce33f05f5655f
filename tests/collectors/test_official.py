"""Same names, types, labels and numbers as the official exporters.

The list in tests/data is ours; what compares with the exporters' own answers is skipped where those are not at hand.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.exposition import render
from collectors import mysql, registry
from collectors.host import cpu, diskstats, filesystem, kernel, loadavg, meminfo, netdev, pressure
from collectors.model import Collector, Sample
from collectors.redis import info
from tests.collectors.captures import captures
from tests.collectors.official import families, listed, series

COLLECTORS = registry.collectors()
OFFICIAL = ("node_", "nginx_", "phpfpm_", "mysql_", "redis_", "probe_", "apache_", "memcached_", "varnish_")
NEWER_LABELS = {"device_error", "adminstate", "master_replid", "valkey_version"}
"""Labels of today's exporters that the older ones of Debian do not have yet."""

SHARED = Path(__file__).parents[3] / "shared"
PEERS = SHARED / "peers"
NAMES = SHARED / "compat" / "metrics.json"
needs_peers = pytest.mark.skipif(not PEERS.exists(), reason="the official exporters' own answers are not here")
needs_names = pytest.mark.skipif(not NAMES.exists(), reason="the survey of public dashboards is not here")

NOT_SURVEYED = {"node_textfile_mtime_seconds"}
"""Theirs, though the survey did not see it."""
LACKING = {
    "phpfpm_scrape_failures": "raingauge_part_failures_total tells it for every collector",
}
"""What popular dashboards read of the parts that we have, and we do not give."""


@pytest.mark.parametrize("collector", COLLECTORS, ids=lambda collector: collector.name)
def test_a_name_of_theirs_has_their_type_and_labels(collector: Collector) -> None:
    official = listed()
    up = [collector.up(collector.config(), 1).family] if collector.up else []
    for family in (*collector.families, *up):
        if family.name.startswith(OFFICIAL):
            assert family.name in official, f"no official exporter has {family.name}"
            assert (family.kind, frozenset(family.labels)) == official[family.name], family.name


def metrics() -> Mapping[str, Mapping[str, Any]]:
    exporters = json.loads(NAMES.read_text())["exporters"].values()
    return {name: metric for exporter in exporters for name, metric in exporter["metrics"].items()}


@needs_names
def test_the_list_says_what_the_exporters_have() -> None:
    theirs = metrics()
    assert {
        name: official
        for name, official in listed().items()
        if not name.endswith("*")
        and name not in NOT_SURVEYED
        and (theirs[name]["type"], frozenset(theirs[name]["labels"]))
        != (official.type, official.labels - {"valkey_version"})
    } == {}


@needs_names
def test_what_popular_dashboards_read_of_our_parts_is_there() -> None:
    ours = {family.name for collector in COLLECTORS for family in collector.families}
    ours |= {collector.up(collector.config(), 1).family.name for collector in COLLECTORS if collector.up}
    musts = {name for name, metric in metrics().items() if metric["tier"] == "must" and name in listed()}
    assert len(musts) > 80
    assert musts - ours == LACKING.keys()


@needs_peers
def test_types_and_labels_are_those_of_their_answers() -> None:
    theirs: dict[str, Any] = {}
    for file in PEERS.glob("*_exporter-*.prom"):
        for name, family in families(file.read_text()).items():
            before = theirs.get(name, family)
            theirs[name] = family._replace(labels=family.labels | before.labels)
    ours = {name: family for each in captures() for name, family in families(render(each.samples()).decode()).items()}
    shared = {name for name in ours if name in theirs and name.startswith(OFFICIAL)}
    assert len(shared) > 800
    different = {
        name: (ours[name], theirs[name])
        for name in shared
        if (ours[name].type, ours[name].labels - NEWER_LABELS) != (theirs[name].type, theirs[name].labels)
    }
    assert different == {}


def raw(name: str) -> str:
    return (PEERS / "raw" / name).read_text()


def rows(name: str) -> list[list[str]]:
    return [line.split("\t", 1) for line in raw(name).splitlines()[1:] if "\t" in line]


def mounts() -> Iterable[Sample]:
    for mount in filesystem.mounts(raw("proc-mounts.txt")):
        yield filesystem.READONLY(mount["readonly"], mount["device"], mount["mountpoint"], mount["fstype"], "")


def redis() -> Iterable[Sample]:
    words = raw("redis-config.txt").splitlines()
    return info.parse({"info": raw("redis-info-all.txt"), "config": dict(zip(words[::2], words[1::2], strict=False))})


READS: dict[str, tuple[Callable[[], Iterable[Sample]], str]] = {
    "cpu": (lambda: cpu.parse(raw("proc-stat.txt")), "node"),
    "stat": (lambda: kernel.parse(raw("proc-stat.txt")), "node"),
    "meminfo": (lambda: meminfo.parse(raw("proc-meminfo.txt")), "node"),
    "loadavg": (lambda: loadavg.parse(raw("proc-loadavg.txt")), "node"),
    "diskstats": (lambda: diskstats.parse(raw("proc-diskstats.txt")), "node"),
    "netdev": (lambda: netdev.parse({"dev": raw("proc-net-dev.txt"), "devices": {}}), "node"),
    "pressure": (
        lambda: pressure.parse({name: raw(f"proc-pressure-{name}.txt") for name in ("cpu", "io", "memory")}),
        "node",
    ),
    "filesystem": (mounts, "node"),
    "status": (lambda: mysql.parse_status(rows("mariadb-global_status.tsv")), "mysqld"),
    "variables": (lambda: mysql.parse_variables(rows("mariadb-global_variables.tsv")), "mysqld"),
    "redis": (redis, "redis"),
}
NEWER_FAMILIES = {"redis_evicted_clients_total", "redis_max_clients", "redis_total_system_memory_bytes"}
BUSY = {"meminfo", "redis"}
"""A moment lies between the two reads, in which these change."""
ZRAM = ("device", "zram0")
"""Left out by today's node_exporter, not yet by Debian's."""


@needs_peers
@pytest.mark.parametrize("part", READS)
def test_what_they_read_at_the_same_moment_becomes_the_same_series(part: str) -> None:
    read, exporter = READS[part]
    (file,) = PEERS.glob(f"{exporter}_exporter-*.prom")

    def without_newer(page: str) -> dict[Any, float]:
        return {
            (name, frozenset(label for label in labels if label[0] not in NEWER_LABELS)): value
            for (name, labels), value in series(page).items()
            if ZRAM not in labels
        }

    ours, all_theirs = without_newer(render(read()).decode()), without_newer(file.read_text())
    names = {name for name, _ in ours}
    theirs = {key: value for key, value in all_theirs.items() if key[0] in names}
    assert theirs.keys() - ours.keys() == set()
    assert names - {name for name, _ in theirs} - NEWER_FAMILIES == set()
    alike = sum(abs(ours[key] - value) <= 0.02 * abs(value) for key, value in theirs.items())
    assert alike >= (0.85 if part in BUSY else 0.99) * len(theirs)
