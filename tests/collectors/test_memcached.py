"""Memcached: what it counts, when it lets nobody in, and what only looks like it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import Reading, trial
from collectors.errors import ParseError
from collectors.inventory import Inventory, Listener, Process
from collectors.memcached import COLLECTOR, Memcached, discover
from collectors.memcached.slabs import parse as parse_slabs
from collectors.memcached.stats import parse
from collectors.sources.processes import processes
from tests.collectors.answering import answering
from tests.lab import memcached
from tests.lab.ports import free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[memcached.Memcached]:
    with memcached.Memcached(tmp_path_factory.mktemp("memcached")) as server:
        yield server


def say(port: int, *lines: str) -> str:
    """What the server answers to these lines, up to the answer of `version`."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall("".join(f"{line}\r\n" for line in (*lines, "version")).encode())
        text = ""
        while "\nVERSION " not in f"\n{text}":
            text += client.recv(65_536).decode()
    return text


def read(**settings: Any) -> tuple[Reading, ...]:
    return trial(COLLECTOR, Memcached(**settings))


def outcome(**settings: Any) -> str:
    readings = read(**settings)
    assert [reading.bug for reading in readings] == [None, None]
    (found,) = {reading.outcome for reading in readings}
    return found


def values(*readings: Reading) -> dict[str, float]:
    return {
        ",".join([sample.family.name, *sample.labels]): sample.value
        for reading in readings
        for sample in reading.samples
    }


@pytest.mark.servers
def test_commands_are_counted_by_what_came_of_them(server: memcached.Memcached) -> None:
    said = say(server.port, "flush_all", "set a 0 0 1", "1", "set b 0 0 1", "2", "get a", "get a", "get no", "incr a 1",
               "incr no 1", "decr a 1", "touch a 99", "touch no 99", "delete b", "delete no", "gets a",
               "cas a 0 0 1 999999", "3", "cas no 0 0 1 1", "3")  # fmt: skip
    (unique,) = (line.split()[4] for line in said.splitlines() if line.startswith("VALUE a") and len(line.split()) == 5)
    say(server.port, f"cas a 0 0 1 {unique}", "4", "set c 0 0 1", "5")
    found = values(*read(port=server.port))
    assert {name.partition(",")[2]: value for name, value in found.items() if "commands_total" in name} == {
        "get,hit": 3, "get,miss": 1, "delete,hit": 1, "delete,miss": 1, "incr,hit": 1, "incr,miss": 1,
        "decr,hit": 1, "decr,miss": 0, "touch,hit": 1, "touch,miss": 1, "flush,hit": 1,
        "cas,hit": 1, "cas,miss": 1, "cas,badval": 1, "set,hit": 3,
    }  # fmt: skip
    assert (found["memcached_max_connections"], found["memcached_limit_bytes"]) == (1024, 8 << 20)
    assert found["memcached_current_items"] == found["memcached_slab_current_items,1"] == 2
    assert f"memcached_version,{said.rpartition('VERSION ')[2].strip()}" in found


@pytest.mark.servers
def test_values_are_those_that_the_server_prints(server: memcached.Memcached) -> None:
    found = values(*read(port=server.port))
    printed = dict(line.split()[1:3] for line in say(server.port, "stats").splitlines() if line.startswith("STAT "))
    assert found["memcached_items_total"] == float(printed["total_items"])
    assert found["memcached_limit_bytes"] == float(printed["limit_maxbytes"])
    assert found["memcached_process_user_cpu_seconds_total"] <= float(printed["rusage_user"])
    assert found["memcached_current_connections"] >= 1


@pytest.mark.servers
def test_an_empty_server_has_no_slabs_and_has_not_failed(tmp_path: Path) -> None:
    with memcached.Memcached(tmp_path) as empty:
        stats, slabs = read(port=empty.port)
        assert (stats.outcome, slabs.outcome) == ("ok", "ok")
        assert list(values(slabs)) == ["memcached_malloced_bytes"]


@pytest.mark.servers
def test_over_a_unix_socket_as_discovered(tmp_path: Path) -> None:
    with memcached.Memcached(tmp_path, socket=tmp_path / "m.sock") as server:
        assert server.process is not None
        known = [each for each in processes() if each.pid == server.process.pid]
        (proposal,) = discover(Inventory("h", tuple(known)))
        assert proposal.config == Memcached(socket=str(tmp_path / "m.sock"))
        assert trial(COLLECTOR, proposal.config)[0].outcome == "ok"
    assert outcome(socket=str(tmp_path / "m.sock")) == "unreachable"


@pytest.mark.servers
def test_one_that_asks_for_a_password_is_denied(tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("lab:hunter2\n")
    with memcached.Memcached(tmp_path, ["-Y", str(tmp_path / "accounts")]) as locked:
        assert outcome(port=locked.port) == "denied"
        assert "unauthenticated" in read(port=locked.port)[0].error


@pytest.mark.servers
def test_one_that_speaks_only_the_binary_protocol_as_with_sasl_is_denied(tmp_path: Path) -> None:
    with memcached.Memcached(tmp_path, ["-B", "binary"]) as binary:
        assert outcome(port=binary.port) == "denied"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"", "denied"),
        (b"ERROR\r\n", "unsupported"),
        (b"ERROR Too many open connections\r\n", "unreachable"),
        (b"CLIENT_ERROR unauthenticated\r\n", "denied"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "parse"),
        (b"-ERR unknown command 'stats'\r\n", "parse"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "parse"),
        (b"STAT version 1.6\r\n", "parse"),
        (b"STAT version 1.6\r\nEND\r\n", "parse"),
        (b"\xff\xfe" * 700_000, "parse"),
    ],
)
def test_what_is_no_memcached_or_lets_us_not_in(answer: bytes, found: str) -> None:
    with answering(answer, before=False) as port:
        assert outcome(port=port) == found
    assert outcome(port=free_port()) == "unreachable"


@contextmanager
def dripping() -> Iterator[int]:
    """A server that never stops answering, a byte now and then."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                while not over.wait(0.05):
                    try:
                        client.sendall(b"x")
                    except OSError:
                        break

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def test_one_that_never_ends_is_given_up() -> None:
    with dripping() as port:
        started = time.monotonic()
        assert outcome(port=port, timeout=0.3) == "unreachable"
        assert time.monotonic() - started < 10


def test_without_settings_and_slabs_the_rest_is_there() -> None:
    with answering(b"STAT version 1.4\r\nSTAT uptime 7\r\nEND\r\nERROR\r\n", before=False) as port:
        stats, _ = read(port=port)
    assert values(stats) == {"memcached_version,1.4": 1, "memcached_uptime_seconds": 7}


LINES = st.lists(st.text(alphabet="STA items:12numberagecmd_setno.e+-²\x85", max_size=40), max_size=8)


@given(LINES)
def test_any_lines_are_read_as_far_as_they_go(lines: list[str]) -> None:
    text = "\r\n".join(["STAT version 1", *(f"STAT {line}" for line in lines)])
    assert "memcached_version" in {sample.family.name for sample in parse({"stats": text, "stats settings": text})}
    list(parse_slabs({"stats items": text, "stats slabs": text}))
    with pytest.raises(ParseError, match="expected stats with a version"):
        list(parse({"stats": text.replace("version", "x"), "stats settings": ""}))


def test_slab_classes_are_bounded() -> None:
    text = "".join(f"STAT items:{number}:age 1\r\n" for number in range(5000))
    assert len(list(parse_slabs({"stats items": text, "stats slabs": ""}))) == 64


@pytest.mark.parametrize(
    ("title", "settings"),
    [
        ("/usr/bin/memcached -m 64 -p 11211 -u memcache -l 127.0.0.1 -P /run/m.pid", {}),
        ("memcached -p 11212", {"port": 11212}),
        ("memcached -l 10.0.0.5:11300,127.0.0.1", {"address": "10.0.0.5", "port": 11300}),
        ("memcached -l ::1", {"address": "::1"}),
        ("memcached -l [::1]:99", {"address": "::1", "port": 99}),
        ("memcached --listen=0.0.0.0 --port=5", {"port": 5}),
        ("memcached -s /run/m.sock -a 0770 -p 11300", {"socket": "/run/m.sock"}),
        ("memcached --unix-socket=/run/m.sock", {"socket": "/run/m.sock"}),
        ("memcached -p 99999", {"port": 9}),
        ("memcached", {"port": 9}),
    ],
)
def test_the_command_line_says_where_it_is_else_its_sockets(title: str, settings: dict[str, Any]) -> None:
    at = (Listener("memcached", 5, path="/run/other"), Listener("memcached", 5, "::", 9))
    (proposal,) = discover(Inventory("h", (Process(5, "memcached", title, "memcache", 1),), at))
    assert proposal.config == Memcached(**settings)


def test_several_on_one_host_are_several_targets() -> None:
    titles = ("memcached -p 11211", "memcached -p 11212", "memcached -s /run/m.sock")
    known = tuple(Process(pid, "memcached", title, "memcache", 1) for pid, title in enumerate(titles, 1))
    configs = [each.config for each in discover(Inventory("h", known)) if each.config]
    assert [COLLECTOR.target(config, "h").instance for config in configs] == ["h:11211", "h:11212", "h:/run/m.sock"]
