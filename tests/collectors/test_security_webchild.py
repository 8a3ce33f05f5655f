"""What runs below a web server: an attacker's tools are told once, a site's own converters never."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model import State
from collectors.security import webchild
from collectors.security.config import Security
from collectors.security.webchild import samples, step
from tests.collectors.stepping import stepped

Row = tuple[int, str, int, str]
BASE: list[Row] = [
    (1, "systemd", 0, "root"), (10, "php-fpm8.2", 1, "root"), (11, "php-fpm8.2", 10, "www-data"),
    (20, "apache2", 1, "root"), (21, "apache2", 20, "www-data"),
]  # fmt: skip


def look(*rows: Row) -> dict[str, Any]:
    return {"at": 100.0, "processes": [list(row) for row in (*BASE, *rows)]}


def run(*looks: dict[str, Any]) -> tuple[State, list[str]]:
    state, told = stepped(step, looks)
    (count,) = samples(state)
    assert count.value == len(told)
    return state, [event.title for event in told]


SH: Row = (30, "sh", 11, "www-data")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(30, "curl", 11, "www-data")], ["php-fpm8.2 started curl"]),
        ([(30, "python3.11", 21, "www-data")], ["apache2 started python3.11"]),
        ([SH, (31, "wget", 30, "www-data")], ["php-fpm8.2 started sh", "php-fpm8.2 started wget"]),
        ([SH], []),
        ([SH, (31, "convert", 30, "www-data")], []),
        ([(30, "convert", 11, "www-data")], []),
        ([(30, "sh", 20, "root"), (31, "rotatelogs", 30, "root")], []),
        ([(30, "curl", 20, "root")], []),
        ([(30, "sshd", 1, "root"), (31, "bash", 30, "admin"), (32, "curl", 31, "admin")], []),
        ([(30, "sudo", 11, "root"), (31, "bash", 30, "root"), (32, "id", 31, "root")],
         ["php-fpm8.2 started bash", "php-fpm8.2 started id"]),
    ],
)  # fmt: skip
def test_one_look(rows: list[Row], told: list[str]) -> None:
    assert run(look(*rows))[1] == told


def test_a_shell_that_stays_is_told_once() -> None:
    assert run(look(SH), look(SH), look(SH))[1] == ["php-fpm8.2 started sh"]
    assert run(look(SH), look(), look(SH))[1] == []
    converting = look(SH, (31, "convert", 30, "www-data"))
    assert run(converting, converting, converting)[1] == []


def test_processes_in_a_circle() -> None:
    assert run(look((50, "sh", 51, "x"), (51, "sh", 50, "x"), (52, "sh", 52, "x")))[1] == []


def test_what_is_told_is_critical_and_holds_no_command_line() -> None:
    _, (event,) = step({}, look((30, "curl", 11, "www-data")))
    assert (event.severity, event.state) == ("critical", "open")
    assert dict(event.evidence[0]) == {"program": "curl", "pid": "30", "user": "www-data", "server": "php-fpm8.2"}


NAMES = st.sampled_from(["sh", "curl", "php-fpm8.2", "nginx", "convert", "\x1b[2J"])


@given(st.lists(st.lists(st.tuples(st.integers(1, 9), NAMES, st.integers(0, 9), st.sampled_from(["a", "b"])))))
def test_any_processes(looks: list[list[Row]]) -> None:
    run(*({"at": 0.0, "processes": [list(row) for row in rows]} for rows in looks))


def test_this_host(tmp_path: Path) -> None:
    """A child of ours under a server's name."""
    server = tmp_path / "php-fpm8.2"
    server.symlink_to(sys.executable)
    code = "import subprocess; subprocess.run(['sh', '-c', 'echo up; read line; :'])"
    with subprocess.Popen([server, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout
            child.stdout.readline()
            found, cursor = webchild.read(Security(), None)
            assert webchild.read(Security(), cursor) == (None, cursor)
            shells = [row for row in found["processes"] if row[2] == child.pid]
            assert [row[1] for row in shells] == ["sh"]
            state, _ = step({}, found)
            _, events = step(state, found)
            assert str(shells[0][0]) in {dict(event.evidence[0])["pid"] for event in events}
        finally:
            child.communicate(b"\n")
    assert os.getpid() in {row[0] for row in found["processes"]}
