"""The runner: one error boundary, nobody delayed by another, ticks closed on time, and what is said about it."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent import outcomes
from agent.runner import Runner, Watched, stamp_of
from agent.ticking import Watch
from collectors import nginx
from collectors.errors import Denied, Unreachable
from collectors.host import COLLECTOR as HOST
from collectors.host import filesystem
from collectors.host.config import Host
from collectors.model import UP, Part, Sample, Target
from history.database import open_database
from history.embedded import Embedded
from history.model import Point, Vector
from history.store import Store
from tests.agent.fakes import SLOW, Hanging, Kept, Script, part, watch
from tests.lab.ports import wait_until

NOW = 1_790_000_000.0


class Run:
    """A runner that the test ticks; its clock is the test's."""

    def __init__(self, *watches: Watch) -> None:
        self.now = NOW
        self.sink = Kept()
        self.runner = Runner("web", self.sink, version="1", clock=lambda: self.now)
        self.runner.set_targets(watches)

    def watched(self) -> list[Watched]:
        return list(self.runner._targets.values())

    def tick(self, seconds: float = 10.0) -> None:
        self.now += seconds
        self.runner.tick(self.watched(), self.now)

    def page(self) -> str:
        return self.runner.pages.metrics.text.decode()

    def answered(self, name: str) -> bool:
        """The first part of that target is not being read now."""
        (ticking,) = [each.ticking for each in self.watched() if each.ticking.target.instance == f"web:{name}"]
        return ticking.parts[0].reading_since is None

    def of(self, instance: str) -> dict[str, float]:
        """The last tick of that target in history."""
        return self.sink.of(instance)[-1][1]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = {thread for thread in threading.enumerate() if thread.is_alive()}
    yield
    wait_until(
        lambda: {t for t in threading.enumerate() if t.name.startswith("read-") and t not in before} == set(),
        10, "every reading thread has ended",
    )  # fmt: skip


def stop(run: Run) -> None:
    for watched in run.watched():
        watched.leave()


def test_a_bug_in_one_collector_hides_no_other_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(watch(part(Script([KeyError("oops")])), name="bad"), watch(part(Script([3.0])), name="good"))
    with caplog.at_level(logging.INFO, "raingauge"):
        for _ in range(3):
            run.tick()
    assert (run.of("web:good")["fake_value"], "fake_value" in run.of("web:bad")) == (3, False)
    assert (run.of("web:good")["up"], run.of("web:bad")["up"]) == (1, 0)
    errors = [record for record in caplog.records if "reason=bug" in record.message]
    assert len(errors) == 1
    assert errors[0].exc_info
    assert (
        'raingauge_part_failures_total{target_job="fake",target_instance="web:bad",part="fast",reason="bug"'
        in run.page()
    )
    stop(run)


def test_the_log_tells_the_first_failure_a_changed_reason_and_the_recovery(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(watch(part(Script([1.0, Unreachable("a"), Unreachable("b"), Denied("c"), Denied("d"), 2.0, 3.0]))))
    with caplog.at_level(logging.INFO, "raingauge.runner"):
        for _ in range(7):
            run.tick()
    said = [message.split("part=fast ")[1] for message in caplog.messages]
    assert said == ["reason=unreachable error='a'", "reason=denied error='c'", "recovered=denied"]
    stop(run)


def test_outcome_reason_and_duration_are_metrics() -> None:
    run = Run(watch(part(Script([1.0, Denied("no"), Denied("no"), 1.0])), part(Script(), "slow", 60, SLOW)))
    for _ in range(3):
        run.tick()
    own = run.page()
    labels = 'target_job="fake",target_instance="web:a",part="fast"'
    assert f"raingauge_part_up{{{labels}," in own
    assert (
        f'raingauge_part_failures_total{{{labels},reason="denied",job="raingauge",instance="web",host="web"}} 2' in own
    )
    assert (
        f'raingauge_part_failures_total{{{labels},reason="timeout",job="raingauge",instance="web",host="web"}} 0' in own
    )
    assert "raingauge_part_duration_seconds{" in own
    assert 'raingauge_part_interval_seconds{target_job="fake",target_instance="web:a",part="slow"' in own
    assert 'raingauge_target_up{target_job="fake",target_instance="web:a",job="raingauge"' in own
    stop(run)


def test_all_targets_of_a_tick_have_one_stamp_and_their_own_target_says_how_it_went() -> None:
    run = Run(watch(part(Script()), name="a"), watch(part(Script([Denied("x")])), name="b"))
    run.tick()
    assert {t for _, t, _ in run.sink.ticks} == {run.now}
    own = [samples for target, _, samples in run.sink.ticks if target.job == "raingauge"]
    (failures,) = [
        sample.value
        for sample in own[0]
        if sample.family is outcomes.PART_FAILURES and sample.labels[1:] == ("web:b", "fast", "denied")
    ]
    assert failures == 1  # of this very tick
    stop(run)


def test_a_read_that_hangs_delays_nobody() -> None:
    hanging = Hanging()
    run = Run(watch(part(Script([hanging])), name="stuck"), watch(part(Script([2.0])), name="quick"))
    done = threading.Event()

    def tick() -> None:
        run.tick()
        done.set()

    threading.Thread(target=tick, daemon=True).start()
    assert hanging.entered.wait(5)
    wait_until(lambda: run.sink.of("web:quick"), 1.5, "the quick target's tick is closed while the other hangs")
    assert run.sink.of("web:stuck") == []
    assert done.wait(10)
    assert run.of("web:stuck") == {"up": 0}
    run.tick()
    assert (run.of("web:quick")["fake_value"], run.of("web:stuck")["up"]) == (2, 0)
    hanging.let_go()
    wait_until(lambda: run.answered("stuck"), 5, "the late answer is taken")
    run.tick()
    assert run.of("web:stuck")["fake_value"] == 7
    stop(run)


def test_a_part_that_hangs_leaves_the_targets_other_parts_alone() -> None:
    hanging = Hanging()
    run = Run(watch(part(Script([hanging]), "stuck", 10, SLOW), part(Script([2.0, 3.0, 4.0]))))
    for value in (2, 3, 4):
        run.tick()
        assert run.of("web:a")["fake_value"] == value
    hanging.let_go()
    stop(run)


def test_a_server_that_accepts_and_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/stub_status"
        config = nginx.Nginx(url=url, timeout=0.5)
        run = Run(Watch(nginx.COLLECTOR, config), watch(part(Script([2.0])), name="quick"))
        run.tick()
        run.tick()
    instance = nginx.instance(config, "web")
    assert run.of(instance) == {"nginx_up": 0, "up": 0}
    assert run.of("web:quick")["fake_value"] == 2
    stop(run)


def test_a_file_system_that_hangs(tmp_path: Path) -> None:
    over = threading.Event()

    def statvfs(path: str) -> os.statvfs_result:
        if path == "/mnt/dead":
            over.wait(30)
        return os.statvfs("/")

    (tmp_path / "self").mkdir()
    (tmp_path / "self/mounts").write_text("/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt/dead nfs4 rw 0 0\n")
    asker = filesystem.Asker(statvfs)

    def read(config: Host) -> list[filesystem.Mount]:
        return filesystem.read(config, asker, patience=0.1)

    disks = Part("filesystem", filesystem.FAMILIES, read, filesystem.parse)
    host = Watch(replace(HOST, parts=(disks, part(Script([2.0])))), Host(procfs=str(tmp_path)))
    run = Run(host)
    run.tick()
    over.set()
    found = run.sink.ticks[0][2]
    sizes = {sample.labels[1] for sample in found if sample.family is filesystem.SIZE}
    assert sizes == {"/"}
    assert [sample.value for sample in found if sample.family.name == "fake_value"] == [2]
    stop(run)


def test_a_slow_tick_is_closed_in_time_and_the_late_answer_belongs_to_the_next() -> None:
    hanging = Hanging()
    run = Run(watch(part(Script([hanging, 8.0]), interval=1)))
    began = time.monotonic()
    run.tick(1)
    assert time.monotonic() - began < 2  # half the interval, not the read's own end
    hanging.let_go()
    wait_until(lambda: run.answered("a"), 5, "the late answer is taken")
    assert "fake_value" not in run.of("web:a")
    run.tick(1)
    assert run.of("web:a")["fake_value"] == 8
    stop(run)


def test_a_target_that_is_gone_ends_in_history_and_on_the_page(tmp_path: Path) -> None:
    store = Store(open_database(tmp_path))
    run = Run()
    run.runner = Runner("web", _StoreSink(store), clock=lambda: run.now)
    kept, gone = watch(part(Script([1.0])), name="kept"), watch(part(Script([1.0])), name="gone")
    run.runner.set_targets([kept, gone])
    run.tick()
    before = {id(watched) for watched in run.watched() if watched.ticking.watch.config == kept.config}
    assert 'instance="web:gone"' in run.page()
    run.now += 1
    run.runner.set_targets([kept])
    assert {id(watched) for watched in run.watched() if watched.ticking.watch.config == kept.config} == before
    run.tick(9)
    assert 'fake_value{job="fake",instance="web:gone"' not in run.page()
    assert [point.labels["instance"] for point in _points(store, "fake_value", run.now)] == ["web:kept"]
    assert len(_points(store, "fake_value offset 10s", run.now)) == 2
    stop(run)


class _StoreSink(Kept):
    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        self._store.append(target, t, samples)


def _points(store: Store, expr: str, at: float) -> Sequence[Point]:
    found = Embedded(store).query(expr, at)
    assert isinstance(found, Vector)
    return found.points


def test_history_that_fails_stops_no_page_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(watch(part(Script([1.0]))))
    run.sink.refuse = "disk full"
    with caplog.at_level(logging.ERROR, "raingauge.runner"):
        for _ in range(3):
            run.tick()
    assert len([record for record in caplog.records if "append=failed" in record.message]) == 1
    assert "fake_value{" in run.page()
    assert "raingauge_history_append_failures_total{" in run.page()
    run.sink.refuse = ""
    run.tick()
    assert run.of("web:a")["fake_value"] == 1
    stop(run)


def test_a_clock_that_is_set_back_repeats_no_stamp() -> None:
    run = Run(watch(part(Script([1.0]))))
    run.tick()
    run.tick(-5)
    run.tick(4)
    stamps = [t for t, _ in run.sink.of("web:a")]
    assert stamps == sorted(set(stamps)) == [NOW + 10]
    stop(run)


def test_it_runs_by_itself_with_two_quick_ticks_and_ends_at_once_whatever_hangs() -> None:
    hanging = Hanging()
    sink = Kept()
    runner = Runner("web", sink, version="1")
    stuck, quick = (part(script, interval=1) for script in (Script([hanging]), Script()))
    runner.set_targets([watch(quick, name="a"), watch(stuck, name="b")])
    runner.start()
    wait_until(lambda: len(sink.of("web:a")) >= 5, 15, "it ticks by itself")
    stamps = [t for t, _ in sink.of("web:a")]
    assert stamps[1] - stamps[0] < 2.5
    assert len([t for t in stamps if t == round(t)]) >= 3
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 1
    hanging.let_go()


def test_a_tick_belongs_to_the_last_multiple_of_its_interval() -> None:
    assert [stamp_of(t, 10) for t in (1000.0, 1009.9, 1010.004)] == [1000, 1000, 1010]
    assert stamp_of(1009.999, 10) == 1010  # a timer may be a millisecond early


def test_statuses_say_what_the_targets_page_shows() -> None:
    run = Run(watch(part(Script([Denied("not for you")]))))
    waiting = run.runner.statuses()[0]
    assert (waiting.parts[0].outcome, waiting.up) == ("waiting", False)
    run.tick()
    (status,) = [status for status in run.runner.statuses() if status.collector == "fake-a"]
    assert (status.parts[0].outcome, status.parts[0].error, status.up) == ("denied", "not for you", False)
    assert (status.target.labels, status.slug) == ({"job": "fake", "instance": "web:a", "host": "web"}, "web_a")
    stop(run)


def test_up_is_written_by_history_alone() -> None:
    run = Run(watch(part(Script())))
    run.tick()
    assert run.of("web:a")[UP.name] == 1
    assert "\nup{" not in run.page()
    stop(run)
