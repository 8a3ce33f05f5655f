"""Reads that hang: they delay nobody, count as failed when their time is over, and are taken when they come late."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from agent import watched as watched_module
from agent.discovery import paced
from agent.ticking import Watch
from agent.worker import Worker
from collectors import nginx
from collectors.config import Config
from collectors.errors import Unreachable
from collectors.host import COLLECTOR as HOST
from collectors.host import filesystem
from collectors.host.config import Host
from collectors.model import Part
from collectors.nginx.config import Nginx
from tests.agent.fakes import SLOW, Hanging, Script, connecting, part, reading_threads, running, watch
from tests.lab.ports import wait_until

PART = {"target_job": "fake", "target_instance": "web:a", "part": "fast"}


def test_a_read_that_hangs_delays_nobody() -> None:
    hanging = Hanging()
    quick = watch(part(Script([2.0]), interval=1), name="quick")
    with running(watch(part(Script([hanging]), interval=1)), quick) as run:
        ticking = threading.Thread(target=run.tick, args=[1])
        ticking.start()
        assert hanging.entered.wait(60)
        wait_until(lambda: run.kept.of("web:quick"), 5, "the quick target's tick is closed")
        assert run.kept.of("web:a") == []  # while the other one's is still open
        ticking.join(60)
        assert run.of("web:a") == {}  # not even `up`: it may still answer
        run.tick(1)
        assert (run.of("web:quick")["fake_value"], run.of("web:a")) == (2, {"fake_up": 0, "up": 0})
        hanging.let_go()


def test_a_read_that_hangs_is_not_repeated_and_takes_one_thread(caplog: pytest.LogCaptureFixture) -> None:
    hanging = Hanging()
    script = Script([1.0, hanging, 9.0])
    with running(watch(part(script, interval=1))) as run, caplog.at_level(logging.INFO, "raingauge.runner"):
        run.tick(1)
        assert run.of("web:a")["fake_value"] == 1
        threads = len(reading_threads())
        for _ in range(4):
            run.tick(1)
        run.tick(10)
        assert (script.reads, len(reading_threads())) == (2, threads)
        assert run.of("web:a") == {"fake_up": 0, "up": 0}
        assert run.own("raingauge_part_failures_total", **PART, reason="timeout") == 1
        hanging.let_go()
        run.until_answered("web:a")
        run.tick(1)
        assert run.of("web:a")["fake_value"] == 9
    said = [message.split("part=fast ")[1] for message in caplog.messages]
    assert said == ["reason=timeout error='no answer within 1 s, still waiting after 1 s'", "recovered=timeout"]


def test_a_late_failure_is_the_same_failure() -> None:
    hanging = Hanging(Unreachable("reset by peer"))
    with running(watch(part(Script([hanging]), interval=1))) as run:
        for _ in range(3):
            run.tick(1)
        hanging.let_go()
        run.until_answered("web:a")
        run.tick(0.5)
        reasons = ("timeout", "unreachable")
        assert [run.own("raingauge_part_failures_total", **PART, reason=each) for each in reasons] == [1, 0]


def test_parts_that_hang_leave_the_targets_other_parts_alone() -> None:
    hanging = [Hanging(), Hanging(), Hanging()]
    stuck = [part(Script([each]), f"stuck {n}", family=SLOW) for n, each in enumerate(hanging)]
    values = Script([2.0, 3.0, 4.0])
    with running(watch(*stuck, part(values))) as run:
        for value in (2, 3, 4):
            run.tick()
            assert run.of("web:a")["fake_value"] == value
        for each in hanging:
            each.let_go()


def test_parts_that_no_tick_had_time_for_are_read_at_the_next() -> None:
    """At an interval of a second a tick is too short to find out that more than one part hangs."""
    hanging = [Hanging(), Hanging(), Hanging()]
    stuck = [part(Script([each]), f"stuck {n}", 1, SLOW) for n, each in enumerate(hanging)]
    with running(watch(*stuck, part(Script([2.0]), interval=1))) as run:
        for _ in range(3):
            run.tick(1)
        assert run.of("web:a")["fake_value"] == 2
        for each in hanging:
            each.let_go()


def test_a_server_that_accepts_and_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/stub_status"
        config = Nginx(url=url, timeout=30)  # the runner's deadline comes first
        instance = nginx.instance(config, "web")
        quick = watch(part(Script([2.0]), interval=1), name="quick")
        with running(paced(Watch(nginx.COLLECTOR, config), 1), quick) as run:
            run.tick(1)
            assert run.of(instance) == {}
            run.tick(1)
            assert run.of(instance) == {"nginx_up": 0, "up": 0}
            assert run.own("raingauge_part_failures_total", target_instance=instance, reason="timeout") == 1
            assert [values["fake_value"] for _, values in run.kept.of("web:quick")] == [2, 2]
            connection, _ = silent.accept()
            connection.close()


def test_a_file_system_that_hangs(tmp_path: Path) -> None:
    over = threading.Event()

    def statvfs(path: str) -> os.statvfs_result:
        if path == "/mnt/dead":
            over.wait(30)
        return os.statvfs("/")

    (tmp_path / "self").mkdir()
    (tmp_path / "self/mounts").write_text("/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt/dead nfs4 rw 0 0\n")
    read = partial(filesystem.read, asker=filesystem.Asker(statvfs), patience=0.6)
    disks = Part("filesystem", filesystem.FAMILIES, read, filesystem.parse)
    collector = replace(HOST, parts=(disks, part(Script([2.0, 3.0]))))
    with running(Watch(collector, Host(procfs=str(tmp_path)))) as run:
        for value in (2, 3):
            run.tick()
            assert run.own("fake_value", job="node") == value
            assert run.own("node_filesystem_size_bytes", mountpoint="/") is not None
            assert run.own("node_filesystem_size_bytes", mountpoint="/mnt/dead") is None
            error = "mountpoint timeout"
            assert run.own("node_filesystem_device_error", mountpoint="/mnt/dead", device_error=error) == 1
        over.set()


def test_a_tick_is_closed_in_time_and_the_late_answer_belongs_to_the_next() -> None:
    hanging = Hanging()
    with running(watch(part(Script([1.0, hanging, 8.0]), interval=1))) as run:
        run.tick(1)
        run.tick(1)
        assert run.of("web:a")["fake_value"] == 1  # the last value that is known
        hanging.let_go()
        run.until_answered("web:a")
        run.tick(0.5)  # nothing is due
        assert run.of("web:a")["fake_value"] == 7
        assert [t for t, _ in run.kept.of("web:a")] == [run.now - 1.5, run.now - 0.5, run.now]


def test_two_ticks_of_one_target_never_run_at_once() -> None:
    hanging = Hanging()
    with running(watch(part(Script([hanging])))) as run:
        first = threading.Thread(target=run.tick)
        first.start()
        assert hanging.entered.wait(60)
        run.runner.tick(run.runner.watched(), run.now + 0.5)
        hanging.let_go()
        first.join(60)
        assert [values["fake_value"] for _, values in run.kept.of("web:a")] == [7]


def test_without_a_thread_to_be_had_a_read_has_failed_and_the_next_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> Worker:
        raise RuntimeError("can't start new thread")

    with running(watch(part(Script([1.0])))) as run:
        with monkeypatch.context() as patch:
            patch.setattr(watched_module, "Worker", none)
            run.tick()
        assert run.of("web:a") == {"up": 0}
        run.tick()
        assert run.of("web:a")["fake_value"] == 1


def test_a_slow_answer_keeps_its_connection() -> None:
    """A database that is slow must not be connected to anew at each tick."""
    opened = []

    @contextmanager
    def connect(config: Config) -> Iterator[Config]:
        opened.append(config)
        yield config

    hanging = Hanging()
    script = Script([hanging, 1.0, 1.0])
    with running(connecting(watch(part(script, interval=1)), connect)) as run:
        run.tick(1)  # closes without the answer
        hanging.let_go()
        run.until_answered("web:a")
        for _ in range(2):
            run.tick(1)
        assert run.of("web:a")["fake_value"] == 1
        assert len(opened) == 1
