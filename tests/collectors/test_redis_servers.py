"""Redis: what its own client says, with the least rights, and when it lets nobody in."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import Reading, trial
from collectors.config import Secret
from collectors.errors import ParseError
from collectors.redis import COLLECTOR, REMEDY
from collectors.redis.info import ERRORS, INSTANCE, parse
from collectors.redis.session import Redis, connect
from tests.collectors.answering import answering
from tests.collectors.captures import captures
from tests.lab import servers
from tests.lab.ports import free_port, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Redis]:
    folder = tmp_path_factory.mktemp("redis")
    with servers.Redis(folder, ["--unixsocket", str(folder / "redis.sock")]) as server:
        yield server


def client(server: servers.Redis, *words: str) -> str:
    return subprocess.run(
        ["redis-cli", "-p", str(server.port), *words], check=True, capture_output=True, text=True
    ).stdout


def read(**settings: Any) -> Reading:
    return trial(COLLECTOR, Redis(**settings))[0]


def values(reading: Reading) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in reading.samples}


@pytest.mark.servers
def test_values_are_those_of_the_servers_own_client(server: servers.Redis) -> None:
    client(server, "MSET", "a", "1", "b", "2")
    client(server, "EXPIRE", "a", "1000")
    client(server, "-n", "3", "SET", "c", "3")
    for key in ("a", "a", "nothing"):
        client(server, "GET", key)
    info = dict(line.split(":", 1) for line in client(server, "INFO", "everything").splitlines() if ":" in line)
    found = values(read(port=server.port))
    assert found["redis_keyspace_hits_total"] == float(info["keyspace_hits"])
    assert found["redis_keyspace_misses_total"] == float(info["keyspace_misses"]) >= 1
    assert (found["redis_db_keys,db0"], found["redis_db_keys,db3"], found["redis_db_keys,db1"]) == (2, 1, 0)
    assert found["redis_db_keys_expiring,db0"] == 1
    assert found["redis_memory_max_bytes"] == found["redis_config_maxmemory"] == 64 << 20
    assert found["redis_config_maxclients"] == 10_000
    assert found["redis_commands_total,get"] >= 3
    assert f"redis_instance_info,master,{info['redis_version']}" in "\n".join(found)


@pytest.mark.servers
def test_over_a_unix_socket(server: servers.Redis) -> None:
    assert read(socket=str(server.directory / "redis.sock")).outcome == "ok"


@pytest.mark.servers
def test_a_password_that_we_lack_is_denied(tmp_path: Path) -> None:
    with servers.Redis(tmp_path, ["--requirepass", "hunter2"]) as locked:
        for settings in ({}, {"password": "wrong-secret"}):
            reading = read(port=locked.port, **settings)
            assert (reading.outcome, "secret" in reading.error) == ("denied", False)
        assert read(port=locked.port, password="hunter2").outcome == "ok"


BY_NAME = ("redis_db_keys", "redis_commands_", "redis_errors_", "redis_latency_", "redis_instance_info")


@pytest.mark.servers
def test_the_documented_rights_are_enough_and_without_config_most_is_there(server: servers.Redis) -> None:
    rights = [line.split()[3:] for line in REMEDY.splitlines() if line.startswith("ACL SETUSER raingauge ")]
    client(server, "ACL", "SETUSER", "gauge", "on", ">s3cret", "-@all", *rights[0][2:], *rights[1])
    client(server, "ACL", "SETUSER", "poor", "on", ">s3cret", "-@all", "+info")
    readings = trial(COLLECTOR, Redis(port=server.port, user="gauge", password=Secret("s3cret")))
    full = values(readings[0])
    poor = read(port=server.port, user="poor", password="s3cret")
    assert [reading.outcome for reading in readings] == ["ok", "ok"]
    assert (full["redis_config_maxclients"], poor.outcome) == (10_000, "ok")
    missing = set(full) - set(values(poor))
    assert {name for name in missing if not name.startswith(BY_NAME)} == {
        "redis_config_maxclients", "redis_config_maxmemory", "redis_config_io_threads"
    }  # fmt: skip
    client(server, "ACL", "SETUSER", "none", "on", ">s3cret", "-@all")
    assert read(port=server.port, user="none", password="s3cret").outcome == "denied"


@pytest.mark.servers
def test_connecting_is_no_error_that_the_server_counts(server: servers.Redis) -> None:
    client(server, "CONFIG", "RESETSTAT")
    reading = read(port=server.port)
    assert [sample for sample in reading.samples if sample.family is ERRORS] == []


@pytest.mark.servers
def test_a_refusal_of_config_is_not_asked_for_again(server: servers.Redis) -> None:
    client(server, "ACL", "SETUSER", "poor", "on", ">s3cret", "-@all", "+info")
    part = COLLECTOR.parts[0]
    with connect(Redis(port=server.port, user="poor", password=Secret("s3cret"))) as session:
        first, second, third = (
            {s.labels: s.value for s in part.parse(part.read(session)) if s.family is ERRORS} for _ in range(3)
        )
    assert first.get(("NOPERM",), 0) + 1 == second[("NOPERM",)] == third[("NOPERM",)]


@pytest.mark.servers
def test_a_server_that_closes_idle_clients_is_not_down(tmp_path: Path) -> None:
    part = COLLECTOR.parts[0]
    with servers.Redis(tmp_path, ["--timeout", "1"]) as hasty, connect(Redis(port=hasty.port)) as session:
        for _ in range(2):
            assert part.read(session)["info"]
            wait_until(lambda: "connected_clients:1\n" in client(hasty, "INFO", "clients"), 20, "it has closed ours")


@pytest.mark.servers
def test_a_server_with_many_databases_shows_those_with_keys(tmp_path: Path) -> None:
    with servers.Redis(tmp_path, ["--databases", "5000"]) as large:
        client(large, "-n", "4321", "SET", "a", "1")
        found = values(read(port=large.port))
    assert {name: value for name, value in found.items() if name.startswith("redis_db_keys,")} == {
        "redis_db_keys,db4321": 1
    }


@pytest.mark.servers
def test_a_command_that_was_renamed_away_is_survived(tmp_path: Path) -> None:
    with servers.Redis(tmp_path, ["--rename-command", "CONFIG", ""]) as bare:
        found = read(port=bare.port)
    assert (found.outcome, "redis_config_maxclients" in values(found)) == ("ok", False)


def test_a_password_file_that_cannot_be_read_is_no_server_that_is_down(tmp_path: Path) -> None:
    reading = read(password_file=tmp_path / "gone", port=free_port())
    assert (reading.outcome, reading.error) == (
        "denied",
        f"read the password from {tmp_path}/gone: No such file or directory",
    )


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "parse"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "parse"),
        (b":nonsense\r\n", "parse"),
        (b":1\r\n", "parse"),
        (b"-ERR max number of clients reached\r\n", "unreachable"),
        (b"-DENIED Redis is running in protected mode\r\n", "denied"),
        (b"-NOAUTH Authentication required.\r\n", "denied"),
        (b"-ERR unknown command\r\n", "unsupported"),
        (b"", "unreachable"),
        (b"*1\r\n" * 5000, "parse"),
        (b"*2\r\n:1\r\n$3\r\nabc\r\n", "parse"),
    ],
)
def test_what_is_no_redis_or_lets_us_not_in(text: bytes, outcome: str) -> None:
    with answering(text * 8, before=False) as port:  # the client library asks some things of its own before
        reading, other = trial(COLLECTOR, Redis(port=port))
    assert (reading.outcome, reading.bug, other.bug) == (outcome, None, None)


REPLICA = "slave0:ip=10.0.0.5,port=6379,state=online,offset=42,lag=1"


def test_replicas_and_what_is_none() -> None:
    lines = ["redis_version:7", "role:master", REPLICA, "slave1:nonsense", "slave2:ip=::1,offset=x,lag=-1"]
    found = {",".join([s.family.name, *s.labels]): s.value for s in parse({"info": "\r\n".join(lines), "config": {}})}
    assert {name: value for name, value in found.items() if name.startswith("redis_connected_slave_")} == {
        "redis_connected_slave_offset_bytes,10.0.0.5,6379,online": 42,
        "redis_connected_slave_lag_seconds,10.0.0.5,6379,online": 1,
    }


def test_the_start_is_told_by_the_servers_own_clock() -> None:
    lines = ["redis_version:7", "server_time_usec:1700000000999999", "uptime_in_seconds:100"]
    found = {s.family.name: s.value for s in parse({"info": "\n".join(lines), "config": {}})}
    assert found["redis_start_time_seconds"] == 1699999900


@pytest.mark.servers
def test_what_is_down_is_unreachable(tmp_path: Path) -> None:
    assert read(port=free_port()).outcome == "unreachable"
    assert read(socket=str(tmp_path / "gone.sock")).outcome == "unreachable"


@pytest.mark.parametrize("text", ["", "-ERR nonsense", "# Server\r\n", "redis_versio:7"])
def test_what_is_no_info_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="expected INFO with redis_version"):
        list(parse({"info": text, "config": {}}))


@given(st.lists(st.text(max_size=40), max_size=8), st.dictionaries(st.text(max_size=10), st.text(max_size=10)))
def test_any_lines_are_read_as_far_as_they_go(lines: list[str], config: dict[str, str]) -> None:
    info = "\r\n".join(["redis_version:7.2", *lines])
    names = [sample.family.name for sample in parse({"info": info, "config": config})]
    assert "redis_instance_info" in names


def test_valkey_tells_its_own_version_and_calls_its_mode_by_another_name() -> None:
    (valkey,) = (capture for capture in captures() if capture.folder.name.startswith("valkey-9"))
    (facts,) = (
        dict(zip(sample.family.labels, sample.labels, strict=True))
        for sample in valkey.samples()
        if sample.family is INSTANCE
    )
    assert (facts["redis_version"], facts["valkey_version"], facts["redis_mode"]) == ("7.2.4", "9.1.2", "standalone")


def test_memory_that_is_swapped_out_is_told_and_what_is_unknown_is_not() -> None:
    lines = (
        "redis_version:7",
        "mem_fragmentation_bytes:-100",
        "rdb_current_bgsave_time_sec:-1",
        "db7:keys=3,expires=1",
    )
    info = "\r\n".join(lines)
    found = {
        ",".join([s.family.name, *s.labels]): s.value for s in parse({"info": info, "config": {"databases": "1e9"}})
    }
    assert found["redis_mem_fragmentation_bytes"] == -100
    assert "redis_rdb_current_bgsave_duration_sec" not in found
    assert [name for name in found if name.startswith("redis_db_keys,")] == ["redis_db_keys,db7"]
