"""The circuit breaker of a channel: alone, and in a delivery over failures, restarts and clocks."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from alerts import outbox, state
from alerts.breaker import OPENS_AFTER, Breaker, remembered
from alerts.delivery import LONGEST_WAIT
from alerts.notifier import Answer
from tests.alerts.examples import T, alert, tell
from tests.alerts.test_delivery import Hand


def fill(hand: Hand, groups: int = 8) -> None:
    for number in range(groups):
        assert tell(hand.engine, hand.channel, alert(host=f"web{number}")) == 1


def test_opens_after_failures_in_a_row() -> None:
    breaker = Breaker()
    for failure in range(1, OPENS_AFTER + 2):
        breaker = breaker.failed(T, 8.0)
        assert (breaker.is_open, breaker.until) == ((True, T + 8) if failure >= OPENS_AFTER else (False, 0.0))


def test_a_receiver_that_asks_for_quiet_gets_it_at_once() -> None:
    assert Breaker().failed(T, 90.0, 90.0) == Breaker(1, T + 90)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1e10)), max_size=20))
def test_is_remembered_from_the_outbox(tries: list[tuple[int, float]]) -> None:
    breaker = remembered(tries)
    assert breaker.is_open == any(attempts >= OPENS_AFTER for attempts, _ in tries)
    assert breaker.until in (0.0, *(next_try for attempts, next_try in tries if attempts))


def test_many_messages_do_not_hammer_a_receiver_that_is_away(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(503)] * 1000)
    fill(hand)
    for _ in range(600):
        hand.go(1)
    assert OPENS_AFTER < len(hand.sent) < OPENS_AFTER + 25
    assert state.waiting(engine)["ops"][0] == 8


def test_all_is_told_once_the_probe_succeeds(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(503)] * 12)
    fill(hand)
    while len(hand.sent) < 13:
        hand.go(5)
    assert hand.delivery.stats["ops"].sent == 1
    for _ in range(7):
        hand.go()  # no waiting
    assert state.waiting(engine) == {}


def test_the_probe_is_the_message_with_the_fewest_tries(engine: Engine) -> None:
    hand = Hand(engine)
    tell(engine, hand.channel, alert(host="old"))
    message = state.next_message(engine, "ops")
    assert message
    state.postpone(engine, replace(message, attempts=9), T + 5, "HTTP 500")
    tell(engine, hand.channel, alert(host="new"), now=T + 10)
    again = Hand(engine)
    again.go(20)
    assert [request.json["groupLabels"]["host"] for request in again.sent] == ["new"]


def test_what_would_wait_longer_is_told_too_once_the_probe_succeeds(engine: Engine) -> None:
    hand = Hand(engine)
    for number, wait in enumerate((5, 60, 60)):
        tell(engine, hand.channel, alert(host=f"web{number}"))
        message = state.next_message(engine, "ops")
        assert message
        state.postpone(engine, replace(message, attempts=9), T + wait, "HTTP 503")
    again = Hand(engine)
    again.go(5)
    again.go()
    again.go()
    assert (len(again.sent), state.waiting(engine)) == (3, {})


def test_a_failed_probe_waits_again(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(503)] * 100)
    fill(hand)
    for _ in range(200):
        hand.go(1)
    before = len(hand.sent)
    hand.go(LONGEST_WAIT)
    hand.go()
    assert len(hand.sent) == before + 1


def test_survives_a_restart(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(500)] * 40)
    fill(hand, 1)
    while len(hand.sent) < OPENS_AFTER:
        hand.go(1)
    tell(engine, hand.channel, alert(host="new"), now=hand.now)
    again = Hand(engine, Answer(200))
    again.now = hand.now
    again.go()
    assert again.sent == []
    again.go(LONGEST_WAIT)
    assert [request.json["groupLabels"]["host"] for request in again.sent] == ["new"]  # tried least often


def test_one_message_that_is_never_taken_does_not_keep_the_others(engine: Engine) -> None:
    hand = Hand(engine)
    hand.delivery._send = lambda request, _: Answer(500 if "poison" in str(request.json) else 200)
    tell(engine, hand.channel, alert(host="poison"))
    for _ in range(100):
        hand.go(10)
    fill(hand, 3)
    for _ in range(10):
        hand.go(LONGEST_WAIT)
    assert hand.delivery.stats["ops"].sent == 3
    assert state.waiting(engine)["ops"][0] == 1


def test_a_refusal_or_a_bug_of_ours_does_not_open_it(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(400)] * 4, *[RuntimeError("bug")] * 4)
    fill(hand)
    for _ in range(8):
        hand.go()
    fill(hand, 9)
    hand.go()
    assert hand.delivery.stats["ops"].sent == 1


def test_quiet_that_was_asked_for_holds_for_every_message(engine: Engine) -> None:
    hand = Hand(engine, Answer(429, "90"))
    fill(hand, 3)
    hand.go()
    hand.go(89)
    assert len(hand.sent) == 1
    hand.go(1)
    assert len(hand.sent) == 2


def test_a_clock_that_is_set_back_does_not_keep_it_open(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(503)] * OPENS_AFTER)
    fill(hand)
    for _ in range(100):
        hand.go(1)
    hand.now -= 86400
    hand.go()
    assert len(hand.sent) > OPENS_AFTER


def test_tries_are_those_that_wait(engine: Engine) -> None:
    hand = Hand(engine, Answer(503), Answer(400))
    fill(hand, 3)
    hand.go()
    hand.go()
    assert sorted(outbox.tries(engine, "ops")) == [(0, T), (1, T + 0.5)]
