"""Heartbeats as a state machine: what pings, schedule and time become."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.exposition import render
from collectors import heartbeat
from collectors.config import Secret
from collectors.errors import ParseError
from collectors.heartbeat import Heartbeat, Ping, Schedule, State, due, parse, restored, step, stored, take

NOW = 1_790_000_000.0
HOURLY = Schedule(period=3600.0, grace=300.0)

kinds = st.sampled_from(heartbeat.KINDS)
pings = st.lists(st.builds(Ping, st.floats(NOW - 1e5, NOW + 1e5), kinds), max_size=20)
"""In any order: the clock may be set back between two of them."""
schedules = st.builds(
    Schedule,
    period=st.floats(1, 1e5),
    grace=st.floats(0, 1e4),
    longest=st.none() | st.floats(1, 1e5),
) | st.builds(
    Schedule,
    cron=st.sampled_from(["* * * * *", "0 3 * * *", "30 2 * * 0", "0 0 29 2 *"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
    longest=st.none() | st.floats(1, 1e5),
)  # fmt: skip


def told(schedule: Schedule, state: State, now: float, *came: Ping) -> dict[str, float]:
    _, samples = step(schedule, state, came, now)
    names = [",".join([sample.family.name.removeprefix("heartbeat_"), *sample.labels]) for sample in samples]
    return dict(zip(names, (sample.value for sample in samples), strict=True))


def flags(found: dict[str, float]) -> dict[str, float]:
    return {name: found[name] for name in ("overdue", "running", "running_too_long", "failed") if found[name]}


def test_a_job_that_never_came_is_missed_after_its_period_and_grace() -> None:
    state = State(since=NOW)
    assert flags(told(HOURLY, state, NOW + 3900)) == {}
    assert flags(told(HOURLY, state, NOW + 3901)) == {"overdue": 1}
    assert "last_ping_timestamp_seconds" not in told(HOURLY, state, NOW)


def test_success_puts_it_off() -> None:
    found = told(HOURLY, State(NOW), NOW + 5000, Ping(NOW + 4000, "success"))
    assert flags(found) == {}
    assert found["last_success_timestamp_seconds"] == found["last_ping_timestamp_seconds"] == NOW + 4000
    assert found["next_due_timestamp_seconds"] == NOW + 4000 + 3900
    assert (found["pings_total,success"], found["pings_total,fail"], found["pings_total,start"]) == (1, 0, 0)


def test_a_failure_is_told_until_the_next_success() -> None:
    state = take(State(NOW), Ping(NOW + 10, "fail"))
    assert flags(told(HOURLY, state, NOW + 20)) == {"failed": 1}
    assert flags(told(HOURLY, state, NOW + 40, Ping(NOW + 30, "start"))) == {"failed": 1, "running": 1}
    assert flags(told(HOURLY, state, NOW + 60, Ping(NOW + 30, "start"), Ping(NOW + 50, "success"))) == {}


def test_a_run_has_a_length_and_a_limit() -> None:
    schedule = Schedule(period=3600.0, grace=0.0, longest=7200.0)
    state = take(State(NOW), Ping(NOW, "start"))
    assert flags(told(schedule, state, NOW + 7200)) == {"running": 1}
    assert flags(told(schedule, state, NOW + 7201)) == {"running": 1, "running_too_long": 1, "overdue": 1}
    found = told(schedule, state, NOW + 50, Ping(NOW + 42, "success"))
    assert (found["run_duration_seconds"], found["running"]) == (42, 0)


def test_a_start_without_a_limit_puts_it_off_no_longer_than_a_success() -> None:
    state = take(State(NOW), Ping(NOW, "start"))
    assert flags(told(HOURLY, state, NOW + 3901)) == {"running": 1, "overdue": 1}


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 3 * * *", "UTC", "2026-09-20T12:00:00+00:00", "2026-09-21T03:00:00+00:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-09-20T12:00:00+00:00", "2026-09-21T01:00:00+00:00"),
        # 02:30 does not exist on that night, and exists twice on the other
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+00:00", "2026-03-29T01:00:00+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+00:00", "2026-10-25T00:30:00+00:00"),
        ("*/15 9-17 * * 1-5", "UTC", "2026-09-18T17:50:00+00:00", "2026-09-21T09:00:00+00:00"),
    ],
)
def test_cron_expressions_are_those_of_debian_in_their_time_zone(
    cron: str, zone: str, after: str, expected: str
) -> None:
    schedule = Schedule(cron=cron, timezone=zone, grace=0.0)
    found = due(schedule, datetime.fromisoformat(after).timestamp())
    assert datetime.fromtimestamp(found, ZoneInfo("UTC")).isoformat() == expected


@given(schedules, pings, st.floats(NOW - 2e5, NOW + 2e5))
def test_a_run_that_may_go_on_is_not_overdue(schedule: Schedule, came: list[Ping], now: float) -> None:
    found = told(schedule, State(NOW), now, *came)
    may_go_on = found["running"] and schedule.longest is not None and not found["running_too_long"]
    assert not (may_go_on and found["overdue"])
    assert not (found["overdue"] and now <= found["next_due_timestamp_seconds"])
    assert found["running"] or not found["running_too_long"]
    assert all(value <= now for name, value in found.items() if name.startswith("last_"))


@given(schedules, pings, st.integers(0, 20), st.floats(NOW - 2e5, NOW + 2e5))
def test_a_restart_between_any_two_pings_changes_nothing(
    schedule: Schedule, came: list[Ping], cut: int, now: float
) -> None:
    state = State(NOW)
    for ping in came[:cut]:
        state = take(state, ping)
    again = restored(json.loads(json.dumps(stored(state))))
    assert again == state
    assert told(schedule, again, now, *came[cut:]) == told(schedule, State(NOW), now, *came)


@given(schedules, pings, st.floats(NOW - 2e5, NOW + 2e5), st.floats(0, 1e5))
def test_a_clock_that_was_set_back_delays_a_miss_by_no_more_than_the_schedule(
    schedule: Schedule, came: list[Ping], now: float, later: float
) -> None:
    state, samples = step(schedule, State(NOW), came, now)
    (until,) = (sample.value for sample in samples if sample.family is heartbeat.DUE)
    assert until <= max(due(schedule, now), now + (schedule.longest or 0))
    assert step(schedule, state, (), now)[1] == samples
    after = {sample.family: sample.value for sample in step(schedule, state, (), now + later)[1]}
    assert after[heartbeat.DUE] <= max(until, due(schedule, now))


@given(pings)
def test_pings_are_counted_and_only_grow(came: list[Ping]) -> None:
    state = State(NOW)
    for ping in came:
        before, state = state, take(state, ping)
        assert sum(state.counts) == sum(before.counts) + 1
        assert state.duration is None or state.duration >= 0


def test_what_the_agent_reads_is_parsed_and_rendered() -> None:
    job = Heartbeat(name="cron", key=Secret("0123456789abcdef"), period=60.0)
    state = take(State(NOW), Ping(NOW, "success"))
    payload = json.loads(json.dumps({"schedule": job.schedule, "state": stored(state), "now": NOW + 1}))
    page = render(parse(payload)).decode()
    assert 'heartbeat_pings_total{kind="success"} 1\n' in page
    assert "0123456789abcdef" not in repr(job) + json.dumps(payload) + job.model_dump_json()
    assert {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")} == {
        family.name for family in heartbeat.FAMILIES if family is not heartbeat.DURATION
    }


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"schedule": {}, "state": {}, "now": 1},
        {"schedule": {"period": 1}, "state": {"since": 1, "counts": 3}, "now": 1},
    ],
)
def test_what_is_no_state_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        parse(payload)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"key": "short", "period": 60}, "expected a key of 16 to 200"),
        ({"key": "with/slash/and/more!", "period": 60}, "expected a key of 16 to 200"),
        ({"period": 60}, "expected key or key_file"),
        ({"key": "0123456789abcdef"}, "expected period or cron"),
        ({"key": "0123456789abcdef", "period": 60, "cron": "* * * * *"}, "expected period or cron"),
        ({"key": "0123456789abcdef", "cron": "0 0 30 2 *"}, "expected a cron"),
        ({"key": "0123456789abcdef", "cron": "nonsense"}, "expected a cron expression"),
        ({"key": "0123456789abcdef", "cron": "* * * * *", "timezone": "Mars/Olympus"}, "expected a time zone"),
        ({"key": "0123456789abcdef", "cron": "* * * * *", "timezone": "../etc/passwd"}, "expected a time zone"),
    ],
)
def test_settings_that_could_never_work_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        Heartbeat.model_validate({"name": "cron", **settings})
    assert "0123456789abcdef" not in str(refused.value.errors()[0]["msg"])


def test_names_are_ours_by_our_rules() -> None:
    for family in heartbeat.FAMILIES:
        assert family.name.startswith("heartbeat_")
        assert family.help.endswith(".")
        assert family.name.endswith("_total") == (family.kind == "counter")
