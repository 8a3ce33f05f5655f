"""The pass over /proc."""

import os
import pwd
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from collectors.errors import Denied
from collectors.sources.processes import private_memory, processes, vitals
from tests.lab.ports import wait_until


def test_we_are_among_the_processes() -> None:
    us = next(process for process in processes() if process.pid == os.getpid())
    assert us.parent == os.getppid()
    assert us.user == pwd.getpwuid(os.geteuid()).pw_name
    assert "python" in us.title
    assert us.name == Path("/proc/self/comm").read_text().strip()


def _process(proc: Path, pid: int, name: str, title: bytes) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S 1 2 3")
    (proc / str(pid) / "cmdline").write_bytes(title)


def test_odd_names_and_titles(tmp_path: Path) -> None:
    _process(tmp_path, 7, "a) S (b", b"/bin/a\0-x\0")
    _process(tmp_path, 8, "kworker/0:1", b"")
    _process(tmp_path, 9, "nginx", b"nginx: worker process\0\0\0\0   ")
    (tmp_path / "10").mkdir()  # ended between listing and reading
    found = {process.pid: process for process in processes(tmp_path)}
    assert set(found) == {7, 9}
    assert (found[7].name, found[7].title, found[7].parent) == ("a) S (b", "/bin/a -x", 1)
    assert found[9].title == "nginx: worker process"


def test_who_slept_is_not_asked_again_and_who_ran_is(tmp_path: Path) -> None:
    _process(tmp_path, 7, "nginx", b"nginx: worker process")
    _process(tmp_path, 8, "kworker/0:1", b"")
    assert [each.title for each in processes(tmp_path)] == ["nginx: worker process"]
    for pid in (7, 8):
        (tmp_path / f"{pid}/cmdline").write_bytes(b"something else")
    assert [each.title for each in processes(tmp_path)] == ["nginx: worker process"]
    (tmp_path / "7/stat").write_text("7 (nginx) S 1 2 4")
    assert [each.title for each in processes(tmp_path)] == ["something else"]


def test_a_shell_that_becomes_another_program_is_seen_as_that() -> None:
    with Popen(["/bin/sh", "-c", "read line; exec cat"], stdin=PIPE, stdout=PIPE) as child:
        assert child.stdin
        assert child.stdout

        def seen() -> tuple[str, str]:
            return next((each.name, each.title) for each in processes() if each.pid == child.pid)

        wait_until(lambda: seen()[0] == "sh", 10, "the shell is there")
        child.stdin.write(b"go\nhello\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"hello\n"
        assert seen() == ("cat", "cat")
        child.stdin.close()


def test_how_we_are_and_that_nobody_is_nothing(tmp_path: Path) -> None:
    us = vitals(os.getpid())
    assert us is not None
    assert us.state == "R"
    assert us.resident > 5_000_000
    assert us.age > 0
    private = private_memory(os.getpid())
    assert private is not None
    assert private > 1_000_000
    assert vitals(1, tmp_path) is None
    assert private_memory(1, tmp_path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_what_is_private_is_not_told_of_other_users_processes() -> None:
    child = os.fork()
    if not child:
        os.setuid(65534)
        try:
            private_memory(1)
        except Denied:
            os._exit(41)
        finally:
            os._exit(42)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 41
