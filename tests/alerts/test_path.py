"""Who is told what when: grouping, waiting, deciding, repeating."""

from itertools import pairwise

import pytest
from sqlalchemy import Engine

from alerts.path import store
from alerts.path.flow import Address
from alerts.silences import acknowledge
from tests.alerts.walk import Walk, routes

ONE = "route: {receiver: ops, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 1h}"


@pytest.fixture
def walk(engine: Engine) -> Walk:
    return Walk(engine, routes(ONE))


@pytest.mark.a3("Routing", "A group's first message waits for group_wait, so that what fires together is one message.")
def test_group_wait(walk: Walk) -> None:
    walk.fire()
    assert walk.tick(20) == []
    walk.fire(host="web2")
    assert walk.tick(10) == []
    [told] = walk.tick(10)
    assert (told.after, told.names, told.reason) == (30, ("Broken", "Broken"), "first firing")


@pytest.mark.a3("Routing", "An alert that is over within group_wait is told to nobody.")
def test_over_within_the_wait(walk: Walk) -> None:
    key = walk.fire()
    walk.tick(20)
    walk.end()
    assert walk.tick(3600, each=60) == []
    assert walk.flow().known.memories == {}
    assert [(one.decision, one.reason) for one in walk.decisions(key)] == [("held", "over before it was told")]


@pytest.mark.a3("Routing", "An alert that fired longer than group_wait ago is told at once: a restart delays nothing.")
def test_the_wait_counts_from_firing(walk: Walk) -> None:
    walk.fire()
    walk.now += 300
    assert [told.after for told in walk.tick()] == [300]


@pytest.mark.a3("Routing", "What is new or over in a group is told at the next group_interval tick.")
def test_group_interval(walk: Walk) -> None:
    walk.fire()
    walk.tick(60)
    walk.fire(host="web2")
    [told] = walk.tick(300)
    assert (told.after, told.names, told.reason) == (330, ("Broken", "Broken"), "new in the group")
    walk.end()
    [told] = walk.tick(300)
    assert (told.after, told.names, told.reason) == (630, ("Broken", "-Broken"), "some resolved")
    walk.end(host="web2")
    [told] = walk.tick(300)
    assert (told.status, told.reason) == ("resolved", "all resolved")
    assert walk.tick(3600, each=60) == []
    assert walk.flow().known.memories == {}
    assert walk.flow().known.told == {}


@pytest.mark.a3("Routing", "What fires again before its end was told is not told at all.")
def test_over_and_back_between_two_ticks(walk: Walk) -> None:
    walk.fire()
    walk.tick(60)
    walk.end()
    walk.tick(60)
    walk.fire()
    assert walk.tick(600) == []


@pytest.mark.a3("Routing", "repeat_interval is looked at only at group_interval ticks.")
def test_repeats(walk: Walk) -> None:
    walk.fire()
    told = walk.tick(3 * 3600, each=30)
    assert [(one.after, one.reason) for one in told] == [
        (30, "first firing"), (30 + 3600, "repeated"), (30 + 7200, "repeated"),
    ]  # fmt: skip
    walk.plan = routes(ONE.replace("1h", "7m"))
    stamps = [one.after for one in walk.tick(3600, each=30)]
    assert {later - earlier for earlier, later in pairwise(stamps)} == {600}


@pytest.mark.a3("Routing", "A resolve goes only to receivers that got the firing.")
def test_a_resolve_only_to_who_got_the_firing(engine: Engine) -> None:
    walk = Walk(engine, routes())  # no route: everybody
    walk.accept = lambda receiver: receiver == "ops"
    walk.fire()
    walk.tick(60)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alert_outbox SET failed = 1 WHERE channel = 'boss'")
    walk.accept = lambda _receiver: True
    walk.end()
    assert [(told.receiver, told.status) for told in walk.tick(120)] == [("ops", "resolved")]


@pytest.mark.a3("Delivery", "Fired and over before it could be delivered is one message.")
def test_one_message_after_an_outage(walk: Walk) -> None:
    walk.accept = lambda _receiver: False
    walk.fire()
    walk.tick(60)
    walk.end()
    walk.tick(600)
    walk.accept = lambda _receiver: True
    assert [(told.status, told.names) for told in walk.tick()] == [("resolved", ("-Broken",))]


@pytest.mark.a3("Delivery", "An end that could not be delivered is in the next message, whatever that is about.")
def test_no_end_is_lost_in_an_outage(walk: Walk) -> None:
    walk.fire()
    walk.fire(host="web2")
    walk.tick(60)
    walk.accept = lambda _receiver: False
    walk.end()
    walk.tick(400)
    walk.end(host="web2")
    walk.tick(400)
    walk.accept = lambda _receiver: True
    assert [told.names for told in walk.tick()] == [("-Broken", "-Broken")]


@pytest.mark.a3("Routing", "An end is told even if it comes longer before the tick than ended alerts are kept.")
def test_a_long_group_interval_loses_no_end(engine: Engine) -> None:
    walk = Walk(engine, routes(ONE.replace("5m", "3h")))
    walk.fire()
    walk.tick(60)
    walk.end()
    walk.tick(60)
    walk.forget()
    assert [told.names for told in walk.tick(3 * 3600, each=60)] == [("-Broken",)]


@pytest.mark.a3("Routing", "Without a route: critical after 10 s, each minute, repeated hourly; warning after "
                "a minute, each 15 minutes, repeated daily; info to nobody.")  # fmt: skip
def test_without_a_route(engine: Engine) -> None:
    walk = Walk(engine, routes())
    for severity in ("critical", "warning", "info", "none"):
        walk.fire(severity, severity=severity)
    told = walk.tick(120) + walk.tick(25 * 3600, each=60)
    first = {one.names[0]: one.after for one in told if one.reason == "first firing"}
    assert first == {"critical": 10, "warning": 60}
    assert {one.receiver for one in told} == {"ops", "boss"}
    repeats = [one for one in told if one.receiver == "ops" and one.reason == "repeated"]
    assert [one.names for one in repeats if one.names == ("warning",)] == [("warning",)]
    assert len(repeats) - 1 == 25


@pytest.mark.a3("Routing", "Every decision is recorded with its reason, once for each change.")
def test_decisions_are_recorded(walk: Walk) -> None:
    key = walk.fire()
    walk.tick(1200)
    assert [(one.decision, one.reason) for one in walk.decisions(key)] == [
        ("held", "told before, nothing is new"), ("told", "first firing"),
    ]  # fmt: skip
    acknowledge(walk.engine, walk.alerts[key], "kim", now=walk.now, until=walk.now + 3600)
    walk.tick(600)
    newest = walk.decisions(key)[0]
    assert (newest.receiver, newest.decision, newest.reason) == (
        "ops", "held", "acknowledged by kim: acknowledged",
    )  # fmt: skip


def test_a_quiet_tick_writes_nothing(walk: Walk) -> None:
    walk.fire()
    walk.tick(60)
    with walk.engine.connect() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar()
        walk.tick(60)
        assert connection.exec_driver_sql("PRAGMA data_version").scalar() == before


def test_the_next_tick_is_known(walk: Walk) -> None:
    walk.fire()
    assert walk.advance().due == walk.now + 30
    walk.now += 30
    assert walk.advance().due == walk.now + 300


def test_a_clock_set_back_does_not_stop_it(walk: Walk) -> None:
    walk.fire()
    walk.tick(60)
    walk.now -= 86400
    walk.fire(host="web2")
    assert [told.reason for told in walk.tick(400)] == ["new in the group"]


def test_a_group_of_another_configuration_is_told_its_end(walk: Walk) -> None:
    walk.fire()
    walk.tick(60)
    walk.plan = routes(ONE.replace("alertname", "host"))
    walk.end()
    assert [told.names for told in walk.tick(600)] == [("-Broken",)]
    assert walk.flow().known.memories == {}


def test_what_was_told_before_there_were_groups_is_let_go(engine: Engine) -> None:
    walk = Walk(engine, routes(ONE))
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alert_told VALUES ('ops', '{}:{}', '[\"x\"]', 1.0, 1)")
    walk.tick()
    assert walk.flow().known.told == {}


def test_two_alerts_with_equal_labels_are_one(walk: Walk) -> None:
    key = walk.fire()
    walk.alerts["other rule"] = walk.alerts[key]
    assert [told.names for told in walk.tick(60)] == [("Broken",)]
    walk.end()
    assert walk.tick(600) == []  # the other one fires


@pytest.mark.a3("Routing", "Quiet hours hold everything back, and what still goes on, or ended, is told after.")
def test_quiet_hours(engine: Engine) -> None:
    quiet = """
    time_intervals: [{name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "23:00"}]}]}]
    route: {receiver: ops, group_wait: 0s, group_interval: 5m, routes: [
      {matchers: ['team="day"'], mute_time_intervals: [night]},
      {matchers: ['team="night"'], active_time_intervals: [night]}]}
    """
    walk = Walk(engine, routes(quiet))  # it begins at 22:13:20 UTC
    key = walk.fire("Day", team="day")
    walk.fire("Night", team="night")
    walk.tick(1200)
    assert [told.names for told in walk.told] == [("Night",)]
    assert walk.decisions(key)[0].reason == "quiet hours: night"
    late = walk.tick(2 * 3600, each=30)
    assert [told.names for told in late] == [("Day",)]
    assert late[0].after >= 47 * 60 - 20
    walk.end("Night", team="night")
    assert [told.names for told in walk.tick(3600, each=30)] == []
    walk.forget()
    assert [told.names for told in walk.tick(22 * 3600, each=300) if told.reason == "all resolved"] == [("-Night",)]


@pytest.mark.a3("Routing", "What nobody acknowledges is told to the next one after the time of its escalation.")
def test_escalation(engine: Engine) -> None:
    steps = ONE.replace("receiver: ops", "receiver: ops, escalate: [{after: 15m, receiver: boss}]")
    walk = Walk(engine, routes(steps))
    walk.fire()
    told = walk.tick(1200)
    assert [(one.receiver, one.after) for one in told] == [("ops", 30), ("boss", 930)]
    walk.end()
    assert [(one.receiver, one.status) for one in walk.tick(600)] == [("ops", "resolved"), ("boss", "resolved")]


@pytest.mark.a3("Routing", "An acknowledged alert is not escalated.")
def test_no_escalation_of_what_is_acknowledged(engine: Engine) -> None:
    steps = ONE.replace("receiver: ops", "receiver: ops, escalate: [{after: 15m, receiver: boss}]")
    walk = Walk(engine, routes(steps))
    key = walk.fire()
    walk.tick(600)
    acknowledge(engine, walk.alerts[key], "kim", now=walk.now, until=walk.now + 4 * 3600)
    assert walk.tick(3600, each=60) == []
    walk.end()
    assert [one.receiver for one in walk.tick(600)] == ["ops"]


def test_nobody_hears_of_what_no_route_takes(engine: Engine) -> None:
    walk = Walk(engine, routes("route: {routes: [{receiver: ops, matchers: ['severity=\"critical\"']}]}"))
    walk.fire(severity="warning")
    walk.fire()
    assert [(told.receiver, told.names) for told in walk.tick(60)] == [("ops", ("Broken",))]


def test_a_route_that_goes_on(engine: Engine) -> None:
    both = "route: {receiver: ops, group_wait: 0s, routes: [{receiver: boss, continue: true}, {receiver: ops}]}"
    walk = Walk(engine, routes(both))
    walk.fire()
    assert {told.receiver for told in walk.tick()} == {"ops", "boss"}
    keys = [address.group_key for address in walk.flow().known.memories]
    assert keys == ['{}/{}:{alertname="Broken", host="web1"}', '{}/{}/1:{alertname="Broken", host="web1"}']
    assert Address("ops", keys[1]) in walk.flow().known.memories


def test_what_another_version_wrote_is_told_once_more(walk: Walk, caplog: pytest.LogCaptureFixture) -> None:
    walk.fire()
    walk.tick(60)
    with walk.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alert_group SET memory = '{}'")
        connection.exec_driver_sql("INSERT INTO alert_flap VALUES ('x', '[]')")
    assert [told.reason for told in walk.tick(60)] == ["first firing"]
    assert caplog.text.count("forgotten") == 2


@pytest.mark.a3("Routing", "Decisions are kept for 30 days, at most 20,000 of them.")
def test_decisions_are_bounded(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "DECISIONS", 5)
    key = walk.fire()
    for _ in range(6):
        walk.tick(310, each=62)
        walk.fire(disk=str(walk.now))
    assert 3 <= len(walk.decisions(key)) <= 5
    walk.now += store.DECISION_SECONDS
    walk.tick(310, each=62)
    assert {one.at for one in walk.decisions(key)} <= {walk.now - 62 * step for step in range(1, 6)}
