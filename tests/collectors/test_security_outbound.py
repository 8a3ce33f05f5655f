"""Connections of the web server's account to the outside: the first to each place is told, of visitors nothing."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model import Event, State
from collectors.security import outbound
from collectors.security.config import Security
from collectors.security.outbound import samples, step
from tests.collectors.stepping import stepped

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: {} {} {} 00000000:00000000 00:00000000 00000000 {:>5} 0 {} 1 0000000000000000 100 0 0 10 0\n"
WORKER = 33


def look(*rows: tuple[str, str, int], at: float = 0.0) -> dict[str, Any]:
    found = [[process, 7, "www-data", address, port, 50_000] for process, address, port in rows]
    return {"at": at, "connections": found}


def run(*looks: dict[str, Any]) -> tuple[State, list[Event]]:
    return stepped(step, looks)


FPM = "php-fpm8.2"


def test_the_first_to_each_place_is_told_once() -> None:
    known = (FPM, "198.51.100.7", 443)
    state, told = run(
        look(known),
        look(known, (FPM, "198.51.100.99", 443), (FPM, "203.0.113.9", 4444), at=10.0),
        look((FPM, "203.0.113.9", 4444), (FPM, "2001:db8::1", 443), at=20.0),
        look((FPM, "2001:db8::2", 443), ("", "203.0.113.10", 25), at=30.0),
    )
    assert [(event.title, event.severity) for event in told] == [
        ("php-fpm8.2 (www-data) connected to 203.0.113.9 port 4444 for the first time", "warning"),
        ("php-fpm8.2 (www-data) connected to 2001:db8::1 port 443 for the first time", "info"),
        ("a process of www-data connected to 203.0.113.10 port 25 for the first time", "info"),
    ]
    assert dict(told[0].evidence[0]) == {
        "process": "php-fpm8.2", "pid": "7", "user": "www-data", "address": "203.0.113.9", "port": "4444",
        "local_port": "50000",
    }  # fmt: skip
    assert {sample.labels[0]: sample.value for sample in samples(state)} == {"usual": 2, "unusual": 1}


def test_a_tool_is_told_whatever_the_port() -> None:
    _, (event,) = run(look(), look(("bash", "203.0.113.9", 443)))
    assert event.severity == "warning"


def test_a_place_is_forgotten_after_a_month() -> None:
    place = (FPM, "203.0.113.9", 443)
    month = outbound.FORGOTTEN_AFTER
    assert run(look(place), look(place, at=month), look(place, at=2 * month))[1] == []
    assert len(run(look(place), look(at=month + 10), look(place, at=month + 20))[1]) == 1


def test_a_scan_from_here_is_bounded() -> None:
    rows = [(FPM, f"203.{at // 250}.{at % 250}.9", 23) for at in range(2000)]
    state, told = run(look(), look(*rows))
    assert (len(told), len(state["known"])) == (outbound.MOST_EVENTS, outbound.MOST)
    assert sum(sample.value for sample in samples(state)) == 2000


@given(st.lists(st.tuples(st.sampled_from(["", "sh", FPM]), st.sampled_from(["9.9.9.9", "::1"]), st.integers(1, 99))))
def test_any_connections(rows: list[tuple[str, str, int]]) -> None:
    run(look(), look(*rows), look(*rows))


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A worker, of an account that no test is run as, and one of its sockets."""
    worker = tmp_path / "11"
    (worker / "fd").mkdir(parents=True)
    (worker / "stat").write_text("11 (php-fpm8.2) S 1 0")
    (worker / "cmdline").write_text("php-fpm: pool www")
    (worker / "fd/5").symlink_to("socket:[900]")
    (tmp_path / "net").mkdir()
    return tmp_path


@pytest.mark.skipif(os.getuid() != 0, reason="gives a folder to another account")
def test_what_the_kernel_says(proc: Path) -> None:
    os.chown(proc / "11", WORKER, WORKER)
    rows = [
        ("00000000:0050", "00000000:0000", "0A", 0, 1),
        ("0100007F:C350", "0971CB00:115C", "01", WORKER, 2),  # to 0.203.113.9: no address that is routed
        ("0A00000A:C351", "0907CB09:115C", "01", WORKER, 900),
        ("0A00000A:C352", "0907CB09:01BB", "02", WORKER, 901),
        ("0A00000A:0050", "0707CB09:D431", "01", WORKER, 902),  # a visitor
        ("0A00000A:C353", "0707CB09:0016", "01", 0, 903),  # of root
        ("0A00000A:C354", "0707CB09:0016", "06", WORKER, 904),  # it has ended
        ("0A00000A:C355", "0B00000A:0CEA", "01", WORKER, 905),  # a database of our network
    ]
    text = HEAD + "".join(ROW.format(*row) for row in rows)
    (proc / "net/tcp").write_text(text)
    found, cursor = outbound.read(Security(procfs=str(proc)), None)
    user = found["connections"][0][2]
    assert found["connections"] == [
        ["php-fpm8.2", 11, user, "9.203.7.9", 4444, 50001],
        ["", 0, user, "9.203.7.9", 443, 50002],
    ]
    assert outbound.read(Security(procfs=str(proc)), cursor) == (None, cursor)


def test_without_a_web_server_nothing_is_looked_at(tmp_path: Path) -> None:
    found, _ = outbound.read(Security(procfs=str(tmp_path)), None)
    assert found["connections"] == []
