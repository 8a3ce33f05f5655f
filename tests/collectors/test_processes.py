"""The pass over /proc."""

import os
import pwd
from pathlib import Path

from collectors.sources.processes import processes, resident_memory


def test_we_are_among_the_processes() -> None:
    us = next(process for process in processes() if process.pid == os.getpid())
    assert us.parent == os.getppid()
    assert us.user == pwd.getpwuid(os.geteuid()).pw_name
    assert "pytest" in us.title
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


def test_resident_memory_of_us_and_of_nobody(tmp_path: Path) -> None:
    assert (resident_memory(os.getpid()) or 0) > 5_000_000
    assert resident_memory(1, tmp_path) is None
