"""Listening ports: what is new, and what others can reach."""

import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model import Event, State
from collectors.security import listeners
from collectors.security.config import Security
from collectors.security.listeners import samples, scope_of, service, step
from tests.collectors.stepping import stepped


def look(*rows: tuple[str, str, int], at: float = 0.0) -> dict[str, Any]:
    return {"at": at, "listeners": [list(row) for row in rows]}


def run(*looks: dict[str, Any]) -> tuple[State, list[Event]]:
    return stepped(step, looks)


def counted(state: State) -> dict[tuple[str, ...], float]:
    return {(sample.family.name, *sample.labels): sample.value for sample in samples(state) if sample.value}


SSH, WEB = ("sshd", "0.0.0.0", 22), ("nginx", "::", 80)


def test_what_is_there_at_first_is_no_change() -> None:
    state, told = run(look(SSH, WEB))
    assert (counted(state), told) == ({}, [])
    assert len(list(samples({}))) == 7


def test_a_new_one_is_told_and_one_that_starts_anew_is_not() -> None:
    odd, inner = ("", "0.0.0.0", 4444), ("node", "127.0.0.1", 3000)
    state, told = run(look(SSH), look(at=30.0), look(SSH, WEB, odd, inner, at=60.0), look(SSH, WEB, at=90.0),
                      look(SSH, WEB, at=120.0))  # fmt: skip
    assert [(event.title, event.severity) for event in told] == [
        ("nginx listens on :: port 80 (public)", "info"),
        ("a process that cannot be seen listens on 0.0.0.0 port 4444 (public)", "warning"),
    ]
    assert counted(state) == {
        ("security_listener_changes_total", "opened", "loopback", "info"): 1,
        ("security_listener_changes_total", "opened", "public", "info"): 1,
        ("security_listener_changes_total", "opened", "public", "warning"): 1,
        ("security_listener_changes_total", "closed", "loopback", "info"): 1,
        ("security_listener_changes_total", "closed", "public", "info"): 1,
    }


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("127.0.0.53", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"), ("10.1.2.3", "private"),
        ("fd00::1", "private"), ("fe80::1", "private"), ("0.0.0.0", "public"), ("::", "public"), ("9.9.9.9", "public"),
        ("nonsense", "public"),
    ],
)  # fmt: skip
def test_scopes(address: str, scope: str) -> None:
    assert scope_of(address) == scope


def test_services() -> None:
    assert service("valkey-server", 7000) == "redis"
    assert service("docker-proxy", 6379) == "redis"
    assert service("nginx", 9000) == ""
    state, _ = run(look(("mysqld", "0.0.0.0", 3306), ("redis-server", "127.0.0.1", 6379)))
    assert {sample.labels: sample.value for sample in samples(state) if sample.family is listeners.EXPOSED} == {
        ("mysql", "private"): 0, ("mysql", "public"): 1, ("redis", "private"): 0, ("redis", "public"): 0,
    }  # fmt: skip


@given(st.lists(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.integers(1, 65535)), max_size=5)))
def test_any_looks(looks: list[list[tuple[str, str, int]]]) -> None:
    state, told = run(*(look(*rows, at=float(at)) for at, rows in enumerate(looks)))
    opened = sum(value for key, value in counted(state).items() if key[1] == "opened")
    assert opened == len(told)


def test_this_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found, cursor = listeners.read(Security(), None)
        assert server.getsockname()[1] in {port for _, _, port in found["listeners"]}
    assert listeners.read(Security(), cursor) == (None, cursor)
    assert listeners.read(Security(), {"at": cursor["at"] + 1e6})[0]


def test_without_the_tables(tmp_path: Path) -> None:
    found, _ = listeners.read(Security(procfs=str(tmp_path)), None)
    assert found["listeners"] == []


def test_udp_is_told_once_it_is_known() -> None:
    """What a former version did not see is no change; a resolver's own questions are none either."""
    before, memcached = look(SSH), ("memcached", "0.0.0.0", 11211)
    first = {**look(SSH, at=30.0), "udp": [["chronyd", "0.0.0.0", 123]]}
    second = {**look(SSH, at=60.0), "udp": [["chronyd", "0.0.0.0", 123], list(memcached)]}
    state, told = run(before, first, second)
    assert [(event.title, event.severity) for event in told] == [
        ("memcached listens on 0.0.0.0 port 11211 (public, UDP)", "warning")
    ]
    assert counted(state)["security_service_exposed", "memcached", "public"] == 1


def test_udp_sockets_of_this_host() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        port = next(port for port in range(20_000, 30_000) if _bound(server, port))
        client.bind(("127.0.0.1", 0))
        payload, _ = listeners.read(Security(), None)
        ports = [row[2] for row in payload["udp"] if row[1] == "127.0.0.1"]
        assert port in ports
        assert client.getsockname()[1] not in ports


def _bound(server: socket.socket, port: int) -> bool:
    try:
        server.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
