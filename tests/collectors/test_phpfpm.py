"""PHP-FPM: what is made of its answers and of the inventory; no server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import Reading
from agent.ticking import Ticking, Watch
from collectors.errors import Absent, Denied, ParseError, Unreachable
from collectors.model import Part, Sample
from collectors.phpfpm import COLLECTOR, memory, opcache, outbound, pool, status
from collectors.phpfpm.config import PROBE, Phpfpm
from collectors.phpfpm.workers import nearest_rank
from collectors.sources.processes import Vitals

CHILD = {
    "state": "Running",
    "requests": 4,
    "request duration": 105,
    "last request cpu": 12.5,
    "last request memory": 2097152,
}
STATUS: dict[str, Any] = {
    "pool": "shop", "process manager": "dynamic", "start time": 1795340797, "start since": 2430, "accepted conn": 28106,
    "listen queue": 0, "max listen queue": 1, "listen queue len": 511, "idle processes": 1, "active processes": 2,
    "total processes": 3, "max active processes": 2, "max children reached": 0, "slow requests": 5,
    "processes": [CHILD],
}  # fmt: skip
URI = "unix:///run/a.sock;/fpm-status"
PAYLOAD: dict[str, Any] = {
    "pool": "x",
    "scrape_uri": URI,
    "tcp": False,
    "status": STATUS,
    "workers": None,
    "queue": [3, 128],
}


def values(samples: list[Sample]) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in samples}


def parsed(**changes: Any) -> dict[str, float]:
    return values(list(status.parse(PAYLOAD | changes)))


def test_the_status_page_with_the_kernels_queue() -> None:
    found = parsed()
    assert found[f"phpfpm_active_processes,shop,{URI}"] == 2
    assert found[f"phpfpm_listen_queue,shop,{URI}"] == 3
    assert found[f"phpfpm_listen_queue_length,shop,{URI}"] == 128
    assert found[f"phpfpm_slow_requests,shop,{URI}"] == 5
    assert found[f"phpfpm_process_state,0,shop,{URI},Running"] == 1
    assert found[f"phpfpm_process_state,0,shop,{URI},Idle"] == 0
    assert found[f"phpfpm_process_request_duration,0,shop,{URI}"] == 105
    assert f"phpfpm_max_listen_queue,shop,{URI}" not in found


def test_an_unseen_queue_is_absent_on_a_unix_socket_and_the_pools_own_on_tcp() -> None:
    assert not [name for name in parsed(queue=None) if "listen_queue" in name]
    found = parsed(queue=None, tcp=True)
    assert found[f"phpfpm_listen_queue_length,shop,{URI}"] == 511
    assert found[f"phpfpm_max_listen_queue,shop,{URI}"] == 1


def test_a_full_pool_is_all_active() -> None:
    assert parsed(status=None, workers=8) == {
        f"phpfpm_active_processes,x,{URI}": 8, f"phpfpm_idle_processes,x,{URI}": 0,
        f"phpfpm_total_processes,x,{URI}": 8, f"phpfpm_listen_queue,x,{URI}": 3,
        f"phpfpm_listen_queue_length,x,{URI}": 128,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{}, {"pool": "a"}, {**STATUS, "processes": [1]}, {**STATUS, "accepted conn": "many"}]
)
def test_what_is_no_status_page_is_refused(wrong: Any) -> None:
    with pytest.raises(ParseError, match="expected PHP-FPM's status"):
        parsed(status=wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_nothing_else_escapes(wrong: Any) -> None:
    try:
        parsed(status=wrong, workers=1)
    except ParseError:
        return


def test_full_means_all_children_exist_and_are_busy() -> None:
    assert [pool.is_full(4, workers, busy) for workers, busy in ((4, 4), (4, 3), (3, 3), (4, 5))] == [
        True,
        False,
        False,
        True,
    ]
    assert pool.is_full(0, 4, 4) is pool.is_full(4, None, 4) is pool.is_full(4, 4, None) is None


def test_what_is_unknown_of_a_pool_is_absent() -> None:
    nothing = {"pool": "a", "max_children": 0, "workers": None, "queue": None}
    assert list(pool.parse(nothing)) == []
    asleep = {**nothing, "workers": [], "max_children": 3, "queue": {"waiting": 0, "limit": 511, "served": 0}}
    found = values(list(pool.parse(asleep)))
    assert found["php_fpm_pool_workers,a"] == found["php_fpm_pool_full,a"] == 0
    assert "php_fpm_pool_worker_resident_memory_max_bytes,a" not in found


def test_addresses_become_uris_and_instances() -> None:
    unix = Phpfpm(address="unix:/run/a.sock")
    assert unix.scrape_uri == URI
    assert COLLECTOR.instance(unix, "h") == "h:/run/a.sock"
    tcp = Phpfpm(address="127.0.0.1:9000", status_path="/status")
    assert tcp.scrape_uri == "tcp://127.0.0.1:9000/status"
    assert COLLECTOR.instance(tcp, "h") == "h:9000"
    apart = Phpfpm(address="unix:/run/a.sock", status_listen="127.0.0.1:9001", status_path="/s")
    assert apart.scrape_uri == "tcp://127.0.0.1:9001/s"
    assert COLLECTOR.instance(apart, "h") == "h:/run/a.sock"
    assert COLLECTOR.up is not None
    assert COLLECTOR.up(unix, 0) == status.UP(0, "www", URI)
    with pytest.raises(ValueError, match=r"expected host:port or unix:/path, found '/run/a.sock'"):
        Phpfpm(address="/run/a.sock")


def test_a_pool_without_status_path_is_down_when_nobody_listens() -> None:
    with pytest.raises(Unreachable, match=r"connect to unix:/nowhere: No such file"):
        status.read(Phpfpm(address="unix:/nowhere", status_path=""))


def test_failed_reads_are_counted_as_php_fpm_exporter_does() -> None:
    ticking = Ticking(Watch(COLLECTOR, Phpfpm(address="unix:/run/a.sock", pool="shop")), "h")
    states = {state.part.name: state for state in ticking.begin(0)}
    for outcome in ("unreachable", "ok", "denied"):
        ticking.answer(states["status"], Reading(states["status"].part, outcome, ""), 0)
    ticking.answer(states["pool"], Reading(states["pool"].part, "unreachable", ""), 0)
    found = values(list(ticking.close(0)[0]))
    assert found == {f"phpfpm_scrape_failures,shop,{URI}": 2}


def test_workers_by_memory_state_and_age() -> None:
    many = [{"state": "R" if n == 7 else "S", "age": float(n), "resident": n * 1000} for n in range(1, 41)]
    found = values(list(pool.parse({"pool": "a", "max_children": 50, "workers": many, "queue": None})))
    assert found["php_fpm_pool_worker_resident_memory_p95_bytes,a"] == 38_000
    assert found["php_fpm_pool_worker_resident_memory_max_bytes,a"] == 40_000
    assert (found["php_fpm_pool_worker_age_max_seconds,a"], found["php_fpm_pool_worker_age_min_seconds,a"]) == (40, 1)
    assert [found[f"php_fpm_pool_worker_states,a,{state}"] for state in "RSD"] == [1, 39, 0]


@given(st.lists(st.integers(0, 1000), min_size=1), st.sampled_from([0.5, 0.95, 1.0]))
def test_the_nearest_rank_is_the_smallest_value_that_enough_do_not_exceed(numbers: list[int], share: float) -> None:
    found = nearest_rank(numbers, share)
    assert found in numbers
    assert sum(each <= found for each in numbers) >= share * len(numbers) > sum(each < found for each in numbers)


def test_private_memory_of_some_stands_for_all() -> None:
    found = values(list(memory.parse({"pool": "a", "workers": 20, "private": [*range(1000, 11000, 1000)]})))
    assert found == {
        "php_fpm_pool_private_memory_bytes,a": 110_000, "php_fpm_pool_worker_private_memory_p95_bytes,a": 10_000,
    }  # fmt: skip


def test_without_workers_or_the_right_to_look_private_memory_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "expect_listener", lambda _config: None)
    for name in ("", "nobody has this pool"):
        with pytest.raises(Absent):
            memory.read(Phpfpm(pool=name))
    asked: list[int] = []

    def refuse(pid: int) -> None:
        asked.append(pid)
        raise Denied("no")

    monkeypatch.setattr(memory, "workers", lambda _config: {n: Vitals("S", 1.0, n) for n in range(1, 34)})
    monkeypatch.setattr(memory, "private_memory", refuse)
    with pytest.raises(Absent):
        memory.read(Phpfpm())
    assert len(asked) == 1
    monkeypatch.setattr(memory, "private_memory", lambda pid: pid * 1000)
    assert memory.read(Phpfpm(pool="a")) == {
        "pool": "a", "workers": 33, "private": [n * 1000 for n in (3, 6, 9, 13, 16, 19, 23, 26, 29, 33)],
    }  # fmt: skip


@pytest.mark.parametrize("part", COLLECTOR.parts, ids=lambda part: part.name)
def test_nothing_is_absent_of_a_pool_that_is_down(part: Part) -> None:
    for script in ("", PROBE, "/srv/probe.php"):
        with pytest.raises(Unreachable):
            part.read(Phpfpm(address="unix:/nowhere", opcache_probe=script))


def test_without_a_probe_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opcache, "expect_listener", lambda _config: None)
    for script in ("", PROBE):
        with pytest.raises(Absent, match="no probe is installed"):
            opcache.read(Phpfpm(address="unix:/nowhere", opcache_probe=script))


ANSWER: dict[str, Any] = {
    "version": "8.3.1", "sapi": "fpm-fcgi", "memory_limit": "-1", "realpath_cache_size": 5,
    "realpath_cache_limit": "4096K", "opcache_enable": "1", "opcache": False, "opcache_settings": None, "apcu": None,
    "apcu_memory": None, "apcu_free": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "enabled"),
    [({"opcache_enable": "0"}, 0), ({"opcache_enable": ""}, 0), ({"opcache": None, "opcache_enable": False}, 0),
     ({"opcache": {"opcache_enabled": True}}, 1), ({}, None)],
    ids=["switched off", "switched off", "not there", "on", "restricted"],
)  # fmt: skip
def test_whether_opcache_is_enabled(changes: dict[str, Any], enabled: float | None) -> None:
    found = values(list(opcache.parse({"pool": "a", "answer": ANSWER | changes})))
    assert found.get("php_opcache_enabled,a") == enabled
    assert found["php_realpath_cache_limit_bytes,a"] == 4096 * 1024
    assert "php_memory_limit_bytes,a" not in found


def test_sizes_as_php_writes_them() -> None:
    assert [opcache.size(text) for text in ("128M", "1g", "512 k", "7", "-1", "", None, "1T")] == [
        128 << 20, 1 << 30, 512 << 10, 7, None, None, None, None,
    ]  # fmt: skip


def test_on_whom_workers_wait_by_name_and_bounded() -> None:
    many = [[10 + at, f"203.0.113.{at}", 443] for at in range(25)]
    twice = [[1, "198.51.100.7", 443], [2, "198.51.100.7", 443], [2, "2001:db8::1", 80]]
    here = [[3, "127.0.0.1", 8080], [3, "10.0.0.9", 3306], [3, "::1", 80]]
    hosts = outbound.names("# x\n198.51.100.7 pay.example pay # the bank\n\n10.0.0.1\n")
    found = values(list(outbound.parse({"pool": "a", "peers": [*twice, *here, *many], "hosts": hosts})))
    assert found["php_fpm_outbound_workers,a"] == 27
    assert found["php_fpm_outbound_connections,a,pay.example:443"] == 2
    assert found["php_fpm_outbound_connections,a,[2001:db8::1]:80"] == 1
    assert found["php_fpm_outbound_connections,a,other"] == 7
    assert sum(name.startswith("php_fpm_outbound_connections") for name in found) == 21
