"""The runner: one error boundary, one stamp for all, who is watched, and what is said about it."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.ticking import Watch
from collectors.errors import Absent, Denied, ParseError, Unreachable
from collectors.model import UP, Gauge, Part, Sample, Target
from history.database import open_database
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.model import Vector
from history.store import Store
from tests.agent.fakes import NOW, SLOW, VALUE, Kept, Script, part, running, watch

PART = {"target_job": "fake", "target_instance": "web:a", "part": "fast"}


def bad(parse: Callable[[Any], Iterable[Sample]]) -> Part:
    return Part("fast", (VALUE,), lambda _config: None, parse)


def test_a_bug_in_one_collector_hides_no_other_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    targets = [watch(part(Script([KeyError("oops")])), name="a"), watch(part(Script([3.0])), name="good")]
    with running(*targets) as run, caplog.at_level(logging.INFO, "raingauge"):
        for _ in range(3):
            run.tick()
        assert run.of("web:good") == {"fake_value": 3, "fake_other_value": 4, "fake_up": 1, "up": 1}
        assert run.of("web:a") == {"up": 0}
        assert run.own("raingauge_part_failures_total", **PART, reason="bug") == 3
    (record,) = [record for record in caplog.records if "reason=bug" in record.message]
    assert record.exc_info
    assert record.exc_info[0] is KeyError


@pytest.mark.parametrize(
    "sample",
    [Sample(VALUE, (), None), Sample(VALUE, (), "7"), Sample(VALUE, ("more",), 1.0), Sample(VALUE, (), 10**400),  # type: ignore[arg-type]
     Sample(SLOW, (1,), 1.0), Sample(Gauge("fake_named", "", ("a",)), (None,), 1.0), None, 7],  # type: ignore[arg-type]
    ids=str,
)  # fmt: skip
def test_what_is_no_sample_is_a_bug_of_its_collector_alone(sample: Any) -> None:
    with running(watch(bad(lambda _: [sample])), watch(part(Script([3.0])), name="good")) as run:
        for _ in range(2):
            run.tick()
        assert run.of("web:good")["fake_value"] == 3
        assert run.of("web:a") == {"up": 0}
        assert run.own("raingauge_part_failures_total", **PART, reason="bug") == 2
        assert run.own("fake_value", instance="web:good") == 3


def test_a_name_that_is_no_utf_8_is_published_readably() -> None:
    disk = Gauge("fake_disk_bytes", "", ("place",))
    with running(watch(bad(lambda _: [disk(1, "/mnt/\udcff")])), watch(part(Script([3.0])), name="good")) as run:
        run.tick()
        assert run.own("fake_disk_bytes", place="/mnt/?") == 1
        assert run.own("fake_value", instance="web:good") == 3


def test_a_part_is_published_all_or_none_and_the_others_are_not_its_business() -> None:
    def parse(_payload: None) -> Iterable[Sample]:
        yield VALUE(1)
        raise ParseError("the second line is cut off")

    with running(watch(bad(parse), part(Script([5.0]), "other", family=SLOW))) as run:
        run.tick()
        assert run.of("web:a") == {"fake_slow_value": 5, "up": 1}


def test_the_log_tells_the_first_failure_a_changed_reason_and_the_recovery(caplog: pytest.LogCaptureFixture) -> None:
    answers = [1.0, Absent(), 1.0, Unreachable("a"), Unreachable("b"), Denied("c"), Denied("d"), 2.0, 3.0]
    with running(watch(part(Script(answers)))) as run, caplog.at_level(logging.INFO, "raingauge.runner"):
        for _ in answers:
            run.tick()
    said = [message.split("part=fast ")[1] for message in caplog.messages]
    assert said == ["reason=unreachable error='a'", "reason=denied error='c'", "recovered=denied"]


def test_outcome_reason_and_duration_are_metrics() -> None:
    script = Script([1.0, Denied("no"), Denied("no"), 1.0])
    with running(watch(part(script), part(Script(), "slow", 60, SLOW))) as run:
        run.tick()
        assert run.own("raingauge_part_up", **PART) == 1
        assert run.own("raingauge_part_last_success_timestamp_seconds", **PART) == run.now
        for _ in range(2):
            run.tick()
        assert run.own("raingauge_part_up", **PART) == 0
        assert run.own("raingauge_part_last_success_timestamp_seconds", **PART) == NOW + 10
        assert run.own("raingauge_part_failures_total", **PART, reason="denied") == 2
        assert run.own("raingauge_part_failures_total", **PART, reason="timeout") == 0
        assert (run.own("raingauge_part_duration_seconds", **PART) or 0) > 0
        assert run.own("raingauge_part_interval_seconds", **{**PART, "part": "slow"}) == 60
        assert run.own("raingauge_target_up", target_instance="web:a") == 1  # its slow part


def test_all_targets_of_a_tick_have_one_stamp_and_our_own_says_how_this_very_tick_went() -> None:
    with running(watch(part(Script()), name="b"), watch(part(Script([Denied("x")])))) as run:
        run.tick()
        assert {t for _, t, _ in run.kept.ticks} == {run.now}
        assert [target.job for target, _, _ in run.kept.ticks][-1] == "raingauge"
        assert run.own("raingauge_part_failures_total", **PART, reason="denied") == 1


def test_up_is_written_by_history_alone() -> None:
    with running(watch(part(Script()))) as run:
        run.tick()
        assert run.of("web:a")[UP.name] == 1
        assert run.own("up") is None


def stored(folder: Path) -> Local:
    engine = open_database(folder)
    return Local(Store(engine), Events(engine))


def test_who_is_gone_ends_in_history_and_on_the_page_and_who_stays_is_not_disturbed(tmp_path: Path) -> None:
    sink = stored(tmp_path)
    stays, gone = watch(part(Script()), name="stays"), watch(part(Script()), name="gone")
    with running(stays, gone, sink=sink) as run:
        run.tick()
        before = {watched for watched in run.runner.watched() if watched.ticking.watch.config == stays.config}
        assert run.own("fake_value", instance="web:gone") == 1
        run.now += 1
        run.runner.set_targets([replace(stays, found="seen again")])
        assert before < set(run.runner.watched())
        assert [status.found for status in run.runner.statuses() if status.slug == "web_stays"] == ["seen again"]
        assert values(sink, run.now) == {"web:stays"}
        assert values(sink, run.now - 0.5) == {"web:stays", "web:gone"}
        run.tick(9)
        assert run.own("fake_value", instance="web:gone") is None
        assert run.runner.pages.target_page("fake", "web_gone") is None
        assert values(sink, run.now) == {"web:stays"}


def values(sink: Local, at: float) -> set[str]:
    found = Embedded(sink.store).query("fake_value", at)
    assert isinstance(found, Vector)
    return {point.labels["instance"] for point in found.points}


def test_another_interval_is_another_target_to_the_runner() -> None:
    with running(watch(part(Script()))) as run:
        run.tick()
        run.runner.set_targets([watch(part(Script(), interval=1.0))])
        run.tick()
        assert run.own("raingauge_part_interval_seconds", **PART) == 1


def test_who_goes_while_its_tick_is_published_does_not_come_back() -> None:
    asked, go = threading.Event(), threading.Event()

    class Slow(Kept):
        def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
            if target.job == "fake" and samples:
                asked.set()
                go.wait(60)
            super().append(target, t, samples)

    sink = Slow()
    with running(watch(part(Script())), sink=sink) as run:
        ticking = threading.Thread(target=run.tick)
        ticking.start()
        assert asked.wait(60)
        going = threading.Thread(target=run.runner.set_targets, args=[()])
        going.start()
        go.set()
        ticking.join(60)
        going.join(60)
        assert [bool(samples) for target, _, samples in sink.ticks if target.job == "fake"] == [True, False]
        assert run.runner.pages.target_page("fake", "web_a") is None
        run.tick()
        assert run.own("fake_value") is None


def test_history_that_fails_stops_no_page_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with running(watch(part(Script([1.0, 2.0])))) as run, caplog.at_level(logging.ERROR, "raingauge.runner"):
        run.kept.refuse = "disk full"
        for _ in range(3):
            run.tick()
        assert len([record for record in caplog.records if "append=failed" in record.message]) == 1
        assert run.own("fake_value") == 2
        assert run.own("raingauge_history_append_failures_total") == 5  # the last one's own is not yet in it
        run.kept.refuse = ""
        run.tick()
        assert run.of("web:a")["fake_value"] == 2
        run.kept.refuse = "disk full"
        run.tick()
    assert len([record for record in caplog.records if "append=failed" in record.message]) == 2  # it is news again


def test_statuses_say_what_the_targets_page_shows() -> None:
    secret: Watch = watch(part(Script([Denied("not for you")])))
    with running(secret) as run:
        (waiting,) = [status for status in run.runner.statuses() if status.collector == "fake-a"]
        assert (waiting.parts[0].outcome, waiting.up) == ("waiting", False)
        run.tick()
        (status,) = [status for status in run.runner.statuses() if status.collector == "fake-a"]
    assert (status.parts[0].outcome, status.parts[0].error, status.up) == ("denied", "not for you", False)
    assert (status.target.labels, status.slug) == ({"job": "fake", "instance": "web:a", "host": "web"}, "web_a")
