"""What Raingauge says of itself: pure over the parts' states, and of the process what every client says."""

import os
import resource
import subprocess
import time

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from agent import outcomes
from agent.exposition import render
from agent.reading import Reading
from agent.ticking import Ticking
from collectors.model import Sample
from tests.agent.fakes import SLOW, Run, Script, part, running, watch

A = ("fake", "web:a")


def said(ticking: Ticking) -> dict[tuple[str, ...], float]:
    """(name, labels but the target's) -> value, counters of 0 left out."""
    samples = [sample for sample in outcomes.outcomes(ticking) if sample.value or sample.family.kind == "gauge"]
    assert all(sample.labels[:2] == A for sample in samples)
    return {(sample.family.name.removeprefix("raingauge_"), *sample.labels[2:]): sample.value for sample in samples}


def test_before_the_first_read_only_the_interval_is_known() -> None:
    ticking = Ticking(watch(part(Script()), part(Script(), "slow", 60, SLOW)), "web")
    assert said(ticking) == {("part_interval_seconds", "fast"): 10, ("part_interval_seconds", "slow"): 60}


def test_a_target_is_up_by_any_part_and_each_part_has_its_own_outcome() -> None:
    ticking = Ticking(watch(part(Script()), part(Script(), "slow", 60, SLOW)), "web")
    fast, slow = ticking.begin(1000)
    ticking.answer(fast, Reading(fast.part, "denied", "no", read_seconds=0.5), 1000.5)
    ticking.answer(slow, Reading(slow.part, "absent", read_seconds=0.25, parse_seconds=0.25), 1001)
    assert said(ticking) == {
        ("target_up",): 1,
        ("part_interval_seconds", "fast"): 10,
        ("part_up", "fast"): 0,
        ("part_duration_seconds", "fast"): 0.5,
        ("part_failures_total", "fast", "denied"): 1,
        ("part_read_seconds_total", "fast"): 0.5,
        ("part_read_seconds_total", "slow"): 0.25,
        ("part_interval_seconds", "slow"): 60,
        ("part_up", "slow"): 1,
        ("part_duration_seconds", "slow"): 0.5,
        ("part_last_success_timestamp_seconds", "slow"): 1001,
    }
    fast, *_ = ticking.begin(1010)
    slow.reading_since = 1010
    ticking.answer(fast, Reading(fast.part, "unreachable", "refused"), 1010)
    ticking.expire(1020)
    found = said(ticking)
    assert (found["target_up",], found["part_up", "slow"]) == (0, 0)
    assert found["part_last_success_timestamp_seconds", "slow"] == 1001
    assert found["part_failures_total", "slow", "timeout"] == found["part_failures_total", "fast", "unreachable"] == 1


def test_every_reason_is_there_from_the_start_so_that_its_first_increase_is_seen() -> None:
    ticking = Ticking(watch(part(Script())), "web")
    (state,) = ticking.begin(1000)
    ticking.answer(state, Reading(state.part, "ok"), 1000)
    reasons = {s.labels[3] for s in outcomes.outcomes(ticking) if s.family is outcomes.PART_FAILURES}
    assert reasons == {"unreachable", "denied", "unsupported", "parse", "timeout", "bug"}


def test_an_overflow_of_labels_is_told() -> None:
    ticking = Ticking(watch(part(Script())), "web")
    ticking.overflow["fake_value", "name"] = 3
    assert said(ticking)["label_overflow_total", "fake_value", "name"] == 3


def test_the_process_says_what_the_official_client_says() -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    official = {sample.name: sample.value for family in registry.collect() for sample in family.samples}
    ours = {sample.family.name: sample.value for sample in outcomes.process()}
    assert ours.keys() <= official.keys()
    assert ours["process_open_fds"] == pytest.approx(official["process_open_fds"], abs=5)
    assert ours["process_resident_memory_bytes"] == pytest.approx(official["process_resident_memory_bytes"], rel=0.1)
    assert ours["process_cpu_seconds_total"] <= time.process_time() + 0.1
    assert ours["process_start_time_seconds"] == pytest.approx(official["process_start_time_seconds"], abs=60)
    assert resource.getpagesize() == os.sysconf("SC_PAGE_SIZE")


def own_page(run: Run) -> bytes:
    page = run.runner.pages.target_page("raingauge", "web")
    assert page
    return page.text


def test_all_that_is_said_is_declared_and_all_that_is_declared_can_be_said() -> None:
    with running(watch(part(Script()))) as run:
        run.tick()
        names = {family.name for family in text_string_to_metric_families(own_page(run).decode())}
        totals = {family.name.removesuffix("_total") for family in outcomes.FAMILIES}
        assert totals - names == {"raingauge_label_overflow"}  # nothing overflowed
        assert names <= totals


@pytest.mark.servers
def test_promtool_finds_nothing_to_say_about_our_own_families() -> None:
    everything = [Sample(family, tuple("x" for _ in family.labels), 1.0) for family in outcomes.FAMILIES]
    with running(watch(part(Script()))) as run:
        run.tick()
        for page in (render(everything), own_page(run), run.runner.pages.metrics.text):
            checked = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
            assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
