"""Packages, services and backups: found, and told once."""

import getpass
import time
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import Absent
from collectors.host import changes, processes, stats
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


def test_the_log_is_read_below_the_root(tmp_path: Path) -> None:
    config = Host(rootfs=str(tmp_path))
    with pytest.raises(Absent):
        changes.read_packages(config, None)
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / changes.LOG).write_text(LOG)
    payload, cursor = changes.read_packages(config, None)
    assert payload["text"] == LOG
    assert changes.read_packages(config, cursor) == (None, cursor)
    (tmp_path / changes.LOG).write_text(LOG + LOG)
    assert changes.read_packages(config, cursor)[0]["text"] == LOG


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


def of_proc(folder: Path, pid: int, name: str, parent: int, state: str = "S") -> None:
    (folder / str(pid)).mkdir()
    numbers = " ".join(["0"] * 40)
    (folder / str(pid) / "stat").write_text(f"{pid} ({name}) {state} {parent} {numbers}\n")


def test_services_by_name_without_their_command_lines(tmp_path: Path) -> None:
    for stat in ((1, "systemd", 0), (10, "nginx", 1), (11, "mysqld", 1, "Z"), (12, "pg_dump) 7", 1), (13, "borg", 1)):
        of_proc(tmp_path, *stat)
    payload, _ = changes.read_processes(Host(procfs=str(tmp_path)), None)
    assert sorted(payload["processes"]) == [[10, "nginx", 1, ""], [13, "borg", 1, getpass.getuser()]]


def test_the_pass_of_the_part_that_counts_is_taken(tmp_path: Path) -> None:
    of_proc(tmp_path, 10, "nginx", 1)
    config = Host(procfs=str(tmp_path))
    processes.read(config, processes.Ended())
    of_proc(tmp_path, 11, "mysqld", 1)
    before, _ = changes.read_processes(config, None)
    processes.read(config, processes.Ended())
    after, _ = changes.read_processes(config, None)
    assert [row[1] for row in before["processes"]] == ["nginx"]
    assert {row[1] for row in after["processes"]} == {"nginx", "mysqld"}


def test_an_old_pass_is_not_taken(tmp_path: Path) -> None:
    of_proc(tmp_path, 10, "nginx", 1)
    _, first = stats.last_pass(str(tmp_path), 60)
    of_proc(tmp_path, 11, "mysqld", 1)
    assert list(stats.last_pass(str(tmp_path), 60)[1]) == list(first)
    assert len(stats.last_pass(str(tmp_path), -1)[1]) == 2


def test_what_a_process_says_anew_is_read_anew(tmp_path: Path) -> None:
    of_proc(tmp_path, 10, "nginx", 1)
    (before,) = stats.stats(str(tmp_path))
    (same,) = stats.stats(str(tmp_path))
    assert same is before
    file = tmp_path / "10/stat"
    file.write_text(file.read_text().replace(") S", ") R"))
    assert [each.state for each in stats.stats(str(tmp_path))] == ["R"]
