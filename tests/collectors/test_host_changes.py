"""Packages, services and backups: found, and told once."""

import time
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import Absent
from collectors.host import changes
from collectors.host.config import Host
from collectors.model import State

LOG = """\
2026-11-26 01:00:00 startup archives unpack
2026-11-26 01:00:01 upgrade nginx:amd64 1.22.1-9 1.22.1-10
2026-11-26 01:00:01 status half-configured nginx:amd64 1.22.1-9
2026-11-26 01:00:02 install libfoo:all <none> 2.0
2026-11-26 01:00:03 remove php8.1-gd:amd64 8.1.2 <none>
2026-11-26 01:00:04 upgrade tzdata:all 1 2
"""
AT = time.mktime((2026, 11, 26, 1, 0, 0, 0, 0, -1))


def packages(text: str = LOG, at: float = AT + 60) -> Any:
    return changes.step_packages({}, {"node": "1:2", "offset": 7, "text": text, "at": at})[1]


def test_one_event_for_what_was_done_at_once() -> None:
    (found,) = packages()
    assert (found.kind, found.severity, found.first, found.last, found.count) == (
        "package.change", "info", AT + 1, AT + 4, 4,
    )  # fmt: skip
    assert found.title == "Packages: nginx upgraded, libfoo installed, php8.1-gd removed and 1 more"
    assert found.evidence[:2] == (
        {"package": "nginx", "done": "upgraded", "from": "1.22.1-9", "to": "1.22.1-10"},
        {"package": "libfoo", "done": "installed", "to": "2.0"},
    )
    assert packages() == [found]  # the same lines are the same event


@pytest.mark.parametrize("text", ["", "2026-11-26 01:00:01 status installed nginx:amd64 1\n", "upgrade x y z\n"])
def test_nothing_was_done(text: str) -> None:
    assert packages(text) == []


def test_what_was_long_before_is_not_told() -> None:
    (found,) = packages(at=AT + 3602)
    assert found.count == 2
    assert packages(at=AT + 7200) == []


def test_the_log_is_read_once_a_minute_below_the_root(tmp_path: Path) -> None:
    config = Host(rootfs=str(tmp_path))
    with pytest.raises(Absent):
        changes.read_packages(config, None)
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / changes.LOG).write_text(LOG)
    payload, cursor = changes.read_packages(config, None)
    assert payload["text"] == LOG
    (tmp_path / changes.LOG).write_text(LOG + LOG)
    assert changes.read_packages(config, cursor) == (None, cursor)
    payload, _ = changes.read_packages(config, {**cursor, "at": 0.0})
    assert payload["text"] == LOG


def seen(*looks: list[list[Any]]) -> list[tuple[str, str]]:
    state: State = {}
    found = []
    for at, rows in enumerate(looks):
        state, events = changes.step_processes(state, {"at": 10.0 * at, "processes": rows})
        found += [(event.kind, event.title) for event in events]
    return found


NGINX = [[10, "nginx", 1, "root"], [11, "nginx", 10, "www-data"]]
AGAIN = [[20, "nginx", 1, "root"], [21, "nginx", 20, "www-data"]]
DUMP = [30, "mysqldump", 7, "backup"]


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([NGINX], []),
        ([NGINX, NGINX], []),
        ([NGINX, AGAIN], [("service.restart", "nginx was restarted")]),
        ([NGINX, [], AGAIN], [("service.stop", "nginx has ended"), ("service.start", "nginx was started")]),
        ([NGINX, [NGINX[0], [12, "nginx", 10, "www-data"]]], []),
        ([NGINX, [*NGINX, DUMP], [*NGINX, DUMP], NGINX], [("backup", "mysqldump began")]),
        ([[DUMP], []], []),
    ],
    ids=["first look", "nothing", "restart", "stop and start", "another worker", "backup", "its end"],
)
def test_services_and_backups(looks: list[list[list[Any]]], told: list[tuple[str, str]]) -> None:
    assert seen(*looks) == told


def test_no_command_line_is_read() -> None:
    payload, cursor = changes.read_processes(Host(), None)
    assert all(len(row) == 4 for row in payload["processes"])
    assert changes.read_processes(Host(), cursor) == (None, cursor)
