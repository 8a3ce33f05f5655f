"""Pages of a dashboard that watches other hosts than its own."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from agent.elsewhere import Elsewhere
from collectors.model import Gauge, Target
from dashboard import host_facts, trouble
from history.embedded import Embedded
from history.store import Store
from tests.dashboard import situations

T = 1_790_000_000.0
PLACE = ("mountpoint", "device", "fstype")
SIZE = Gauge("node_filesystem_size_bytes", "Size.", PLACE)
FREE = Gauge("node_filesystem_avail_bytes", "Free.", PLACE)
PART = ("target_job", "target_instance", "part")
UP = Gauge("raingauge_part_up", "Answers.", PART)
EVERY = Gauge("raingauge_part_interval_seconds", "Interval.", PART)
FAILURES = Gauge("raingauge_part_failures_total", "Failures.", (*PART, "reason"))


def test_file_systems_of_several_hosts_are_not_one(engine: Engine) -> None:
    store = Store(engine)
    place = ("/", "/dev/vda1", "ext4")
    for host, size, free in (("web1", 100e9, 90e9), ("web2", 10e9, 1e9)):
        store.append(Target("node", host, host), T, [SIZE(size, *place), FREE(free, *place)])
    found = host_facts.file_systems(Embedded(store), T)
    assert [(each.mountpoint, round(each.share, 2)) for each in found] == [("/ on web2", 0.9), ("/ on web1", 0.1)]


def test_targets_of_others_are_told_by_their_series_with_the_reason(engine: Engine) -> None:
    store = Store(engine)
    part = ("redis", "web2:6379", "info")
    for t in range(0, 70, 10):
        samples = [UP(0, *part), EVERY(10, *part), FAILURES(t, *part, "denied"), FAILURES(3, *part, "unreachable")]
        store.append(Target("raingauge", "web2", "web2"), T + t, samples)
        well = ("nginx", "web1:80", "status")
        store.append(Target("raingauge", "web1", "web1"), T + t, [UP(1, *well), EVERY(10, *well)])
    clock = [T + 60]
    elsewhere = Elsewhere(Embedded(store), "web1", lambda: clock[0])
    nginx, redis = elsewhere.targets()
    assert (trouble.name(nginx), trouble.state(nginx), nginx.elsewhere) == ("nginx :80", "ok", False)
    assert (trouble.name(redis), trouble.words(redis)) == ("Redis :6379 on web2", "does not let us in")
    assert redis.parts[0].outcome == "denied"
    assert nginx.slug != redis.slug
    store.append(Target("raingauge", "web1", "web1"), T + 61, ())
    clock[0] += 1
    assert len(elsewhere.targets()) == 2  # pages ask several times for each request
    clock[0] += 5
    assert [status.target.job for status in elsewhere.targets()] == ["redis"]


def test_pages_do_not_speak_of_a_host_of_their_own(tmp_path: Path) -> None:
    world = situations.calm(tmp_path)
    world.app.extensions["raingauge"] = replace(world.services, central=True)
    client = world.client()
    for path in ("/", "/targets", "/checks", "/host", "/settings", "/slowest"):
        text = client.get(path, headers={"Accept": "text/html"}).get_data(as_text=True)
        assert "on this host" not in text.lower(), path
    assert "All hosts" in client.get("/host").get_data(as_text=True)
