import math
from dataclasses import replace

import pytest

from alerts.engine import GAP_SECONDS, Evaluation, Reading, RuleState, advance, retire, step
from alerts.model import Labels
from tests.alerts.clock import KEY, LABELS, RULE, Clock, restarted, true


@pytest.mark.a3("Rules", "An alert is pending at the first true and fires when it was true for `for`.")
def test_pending_then_firing_when_held_for_long_enough() -> None:
    clock = Clock()
    states = [clock.true(1000 + 10 * n) for n in range(7)]
    assert [alert.state for alert in states if alert] == ["pending"] * 6 + ["firing"]
    assert clock.alert
    assert (clock.alert.active_at, clock.alert.fired_at) == (1000, 1060)
    assert [(t.before and t.before.state, t.after and t.after.state) for t in clock.transitions] == [
        (None, "pending"), ("pending", "firing"),
    ]  # fmt: skip


@pytest.mark.a3("Rules", "Without `for` it fires at once.")
def test_without_for_it_fires_at_once() -> None:
    alert = Clock(replace(RULE, hold=0)).true(1000)
    assert alert.state == "firing"


@pytest.mark.a3("Rules", "A `for` shorter than the interval fires at the next evaluation.")
def test_for_shorter_than_the_interval_fires_at_the_next_evaluation() -> None:
    clock = Clock(replace(RULE, hold=1))
    assert [clock.true(t).state for t in (1000, 1010)] == ["pending", "firing"]


def test_pending_that_ends_starts_anew() -> None:
    clock = Clock()
    for t in range(1000, 1060, 10):
        clock.true(t)
    assert clock.at(1060) is None
    assert clock.transitions[-1].after is None
    alert = clock.true(1070)
    assert (alert.state, alert.active_at) == ("pending", 1070)


@pytest.mark.a3("Rules", "Labels of the rule override those of the result; `__name__` goes, `alertname` comes last.")
def test_labels_of_the_rule_override_and_alertname_is_last() -> None:
    rule = replace(RULE, labels={"host": "other", "alertname": "No", "at": "{{ $labels.host }}", "empty": ""})
    state = advance(RuleState(), Evaluation(rule, 10, true(0, empty="x")), 0)
    assert [dict(key) for key in state.alerts] == [{"host": "other", "at": "web1", "alertname": "Broken"}]


@pytest.mark.a3("Rules", "Value and annotations are refreshed at each evaluation and are not identity.")
def test_value_and_annotations_are_refreshed_and_are_not_identity() -> None:
    clock = Clock()
    clock.at(1000, true(1000, 1.5))
    alert = clock.at(1010, true(1010, 2.5))
    assert alert
    assert (alert.value, alert.annotations, alert.active_at) == (2.5, {"summary": "2.5"}, 1000)


@pytest.mark.a3("Rules", "The lowest and the highest value while it is active are kept, for the message of its end.")
def test_lowest_and_highest() -> None:
    clock = Clock()
    for at, value in enumerate((5.0, 9.0, math.nan, 2.0)):
        clock.at(1000 + 10 * at, true(0, value))
    assert clock.alert
    assert (clock.alert.lowest, clock.alert.highest) == (2, 9)
    clock.at(9000)
    clock.at(9010, true(0, 4.0))
    assert (clock.alert.lowest, clock.alert.highest) == (4, 4)


@pytest.mark.a3("Rules", "Two elements with equal labels are an error of the rule, and change nothing.")
def test_equal_labels_are_an_error_and_change_nothing() -> None:
    clock = Clock().firing()
    before = clock.alert
    clock.at(1070, (*true(1070), *true(1070, __name__="y")))
    assert clock.alert == before
    assert "two elements" in clock.state.error
    clock.true(1080)
    assert clock.state.error == ""


@pytest.mark.a3("Rules", "More alerts than the group's `limit` are an error, and change nothing.")
def test_more_than_the_limit_is_an_error_and_changes_nothing() -> None:
    clock = Clock().firing()
    before = clock.alert
    clock.at(1070, (*true(1070), *true(1070, host="web2")), limit=1)
    assert (clock.alert, "limit of 1" in clock.state.error) == (before, True)
    clock.at(1080, (*true(1080), *true(1080, host="web2")), limit=2)
    assert (len(clock.state.alerts), clock.state.error) == (2, "")


@pytest.mark.a3("Rules", "An evaluation that fails is not a false one.")
def test_an_error_is_not_false() -> None:
    clock = Clock().firing()
    before = clock.alert
    for t in range(1070, 1700, 10):
        clock.at(t, error="timeout")
    assert clock.alert == before
    assert clock.state.error == "timeout"


def test_resolved_at_the_first_false_and_kept_for_an_hour() -> None:
    clock = Clock().firing()
    alert = clock.false(1070)
    assert (alert.state, alert.resolved_at, alert.fired_at) == ("resolved", 1070, 1060)
    assert clock.false(1070 + 3600)
    assert clock.at(1070 + 3601) is None
    assert len(clock.transitions) == 3


@pytest.mark.a3("Rules", "What is over and true again is a new alert.")
def test_resolved_then_true_again_is_a_new_alert() -> None:
    clock = Clock().firing()
    clock.false(1070)
    alert = clock.true(1080)
    assert (alert.state, alert.active_at, alert.resolved_at, alert.fired_at) == ("pending", 1080, None, None)


class TestKeepFiring:
    rule = replace(RULE, keep_firing_for=30)

    @pytest.mark.a3("Rules", "`keep_firing_for` counts from the first false; then the alert is over.")
    def test_holds_then_resolves(self) -> None:
        clock = Clock(self.rule).firing()
        states = [clock.false(t).state for t in (1070, 1080, 1090, 1100)]
        assert states == ["firing", "firing", "firing", "resolved"]

    @pytest.mark.a3("Rules", "True again while `keep_firing_for` holds it: the hold begins anew.")
    def test_true_again_clears_the_hold(self) -> None:
        clock = Clock(self.rule).firing()
        clock.false(1070)
        clock.false(1090)
        alert = clock.true(1095)
        assert alert.false_since is None
        assert [clock.false(t).state for t in (1100, 1120, 1130)] == ["firing", "firing", "resolved"]

    @pytest.mark.a3("Restart and clock", "`keep_firing_for` survives a restart, and does not count the time between.")
    def test_survives_a_restart_without_the_downtime(self) -> None:
        clock = Clock(self.rule).firing()
        clock.false(1070)
        clock.false(1080)
        clock = restarted(clock)
        states = [clock.false(t).state for t in (5000, 5010, 5020, 5030)]
        assert states == ["firing", "firing", "firing", "resolved"]


class TestGaps:
    def test_a_short_one_counts(self) -> None:
        clock = Clock()
        clock.true(1000)
        alert = clock.true(1000 + GAP_SECONDS)
        assert alert.state == "firing"

    @pytest.mark.a3("Rules", "A gap of more than three intervals and two minutes does not count for `for`.")
    def test_a_long_one_does_not(self) -> None:
        clock = Clock()
        clock.true(1000)
        clock.true(1010)
        assert clock.true(1010 + GAP_SECONDS + 1).state == "pending"
        states = [clock.true(1131 + held).state for held in (49, 50)]
        assert states == ["pending", "firing"]

    def test_three_intervals_count_where_they_are_longer(self) -> None:
        points = true(0)
        rule = replace(RULE, hold=170)
        state = advance(RuleState(), Evaluation(rule, 60, points), 0)
        assert advance(state, Evaluation(rule, 60, points), 180).alerts[KEY].state == "firing"

    def test_errors_in_a_row_are_a_gap(self) -> None:
        clock = Clock()
        clock.true(1000)
        for t in range(1010, 1500, 10):
            clock.at(t, error="timeout")
        assert clock.true(1500).state == "pending"

    def test_a_clock_set_back_neither_fires_nor_hangs(self) -> None:
        clock = Clock()
        clock.true(1000)
        clock.true(1050)
        alert = clock.true(100)
        assert (alert.state, alert.active_at) == ("pending", 50)
        assert clock.true(110).state == "firing"


class TestMissing:
    missing = staticmethod(lambda _labels: Reading(missing=True, read_at=0))

    def test_keeps_its_state(self) -> None:
        clock = Clock().firing()
        alert = clock.false(1070, reading=self.missing)
        assert (alert.state, alert.missing_since) == ("firing", 1070)
        for t in range(1080, 9000, 10):
            alert = clock.false(t, reading=self.missing)
        assert (alert.state, alert.missing_since) == ("firing", 1070)
        assert clock.true(9000).missing_since is None

    def test_a_pending_alert_does_not_ripen_unseen(self) -> None:
        clock = Clock()
        clock.true(1000)
        for t in range(1010, 2000, 10):
            assert clock.false(t, reading=self.missing).state == "pending"
        assert clock.true(2000).state == "pending"

    @pytest.mark.a3("Data that is missing", "An end is believed only when what is behind the rule was read again.")
    def test_false_is_believed_only_of_a_newer_read(self) -> None:
        clock = Clock().firing()
        assert clock.false(1070, reading=lambda _: Reading(read_at=1060)).state == "firing"
        assert clock.false(1080, reading=lambda _: Reading(read_at=1061)).state == "resolved"

    def test_asks_for_the_labels_of_the_alert(self) -> None:
        asked: list[dict[str, str]] = []

        def reading(labels: Labels) -> Reading:
            asked.append(dict(labels))
            return Reading()

        Clock().firing().false(1070, reading=reading)
        assert asked == [LABELS]


class TestRestart:
    @pytest.mark.a3("Restart and clock", "After a restart nothing ends before two evaluations.")
    def test_nothing_ends_before_two_evaluations(self) -> None:
        clock = restarted(Clock().firing())
        assert [clock.false(t).state for t in (1080, 1090)] == ["firing", "resolved"]

    def test_an_error_is_no_evaluation(self) -> None:
        clock = restarted(Clock().firing())
        clock.at(1080, error="timeout")
        assert [clock.false(t).state for t in (1090, 1100)] == ["firing", "resolved"]

    def test_firing_stays_firing_from_when_it_fired(self) -> None:
        clock = restarted(Clock().firing())
        alert = clock.true(4000)
        assert (alert.state, alert.fired_at) == ("firing", 1060)
        assert clock.transitions == []

    @pytest.mark.a3("Restart and clock", "Time while Raingauge was down does not count for `for`.")
    def test_pending_time_excludes_the_downtime(self) -> None:
        clock = Clock()
        for t in range(1000, 1050, 10):
            clock.true(t)
        clock = restarted(clock)
        assert [clock.true(t).state for t in (1100, 1110, 1120)] == ["pending", "pending", "firing"]


def test_alerts_of_a_rule_that_is_gone_end() -> None:
    clock = Clock().firing()
    states, transitions = retire({"r": clock.state, "s": RuleState()}, ["s"], 1070)
    assert list(states) == ["s"]
    assert [(t.after.state, t.after.resolved_at) for t in transitions if t.after] == [("resolved", 1070)]


def test_a_rule_that_was_not_evaluated_keeps_its_state() -> None:
    state = Clock().firing().state
    assert step({"r": state}, {}, 2000) == ({"r": state}, [])


@pytest.mark.parametrize("gone", ["pending", "firing"])
def test_retired_alerts(gone: str) -> None:
    clock = Clock()
    clock.true(1000)
    if gone == "firing":
        clock.firing()
    _, transitions = retire({"r": clock.state}, [], 2000)
    assert [t.after.state if t.after else None for t in transitions] == [None if gone == "pending" else "resolved"]
