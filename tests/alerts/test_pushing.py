"""A receiver that forgets what it is not told again: told on change, every resend, and of ends for 15 minutes."""

import json
from dataclasses import replace

from sqlalchemy import Engine

from alerts import outbox, pipeline, state
from alerts.matchers import parse_matchers
from alerts.notifier import Answer
from alerts.path.plan import Plan, Route
from alerts.pushing import RESOLVED_SECONDS
from tests.alerts.examples import T, alert, tell
from tests.alerts.test_delivery import Hand
from tests.alerts.told import channel


def hand_of(engine: Engine, *answers: Answer | Exception) -> Hand:
    return Hand(engine, *answers, channel=channel("alertmanager"))


def states(hand: Hand) -> list[list[str]]:
    return [
        ["firing" if each["endsAt"] > each["startsAt"] and hand_over(each) else "resolved" for each in request.json]
        for request in hand.sent
    ]


def hand_over(each: dict[str, str]) -> bool:
    return each["endsAt"] != "2023-11-14T22:13:50.000Z"  # resolved_at of the examples


def cycle(hand: Hand, *alerts: object, at: float) -> int:
    hand.now = at
    count = tell(hand.engine, hand.channel, *alerts, now=at)  # type: ignore[arg-type]
    hand.go()
    return count


def test_as_long_as_it_fires(engine: Engine) -> None:
    hand = hand_of(engine)
    told = [cycle(hand, alert(), at=T + seconds) for seconds in range(0, 190, 10)]
    assert [number * 10 for number, one in enumerate(told) if one] == [0, 60, 120, 180]
    ends = [request.json[0]["endsAt"] for request in hand.sent]
    assert ends == [f"2023-11-14T22:{minute}:20.000Z" for minute in (17, 18, 19, 20)]  # four intervals ahead
    assert {request.json[0]["startsAt"] for request in hand.sent} == {"2023-11-14T22:13:20.000Z"}


def test_a_change_is_told_at_once(engine: Engine) -> None:
    hand = hand_of(engine)
    cycle(hand, alert(), at=T)
    assert cycle(hand, alert(), alert(disk="sda"), at=T + 10) == 1
    assert cycle(hand, alert(), alert(disk="sda", state="resolved"), at=T + 30) == 1
    assert states(hand) == [["firing"], ["firing", "firing"], ["resolved", "firing"]]


def test_an_end_is_told_for_a_quarter_of_an_hour(engine: Engine) -> None:
    hand = hand_of(engine)
    cycle(hand, alert(), at=T)
    over = alert(state="resolved")  # at T + 30
    told = [cycle(hand, over, at=T + 30 + seconds) for seconds in range(0, 1200, 30)]
    assert [number * 30 for number, one in enumerate(told) if one] == list(range(0, int(RESOLVED_SECONDS) + 1, 60))
    assert states(hand)[1:] == [["resolved"]] * 16
    assert state.waiting(engine) == {}
    with engine.connect() as connection:
        assert state.told(connection, "ops") == {}


def test_pending_is_not_told(engine: Engine) -> None:
    assert cycle(hand_of(engine), alert(state="pending"), at=T) == 0


def test_while_it_is_away_one_message_waits_and_tells_the_present(engine: Engine) -> None:
    hand = hand_of(engine, *[Answer(503)] * 3)
    cycle(hand, alert(), at=T)
    for seconds in range(60, 1800, 60):
        tell(engine, hand.channel, alert(state="resolved"), now=T + seconds)
    assert state.waiting(engine)["ops"] == (1, T)
    for _ in range(9):
        hand.go(60)
    assert states(hand)[-1] == ["resolved"]
    assert state.waiting(engine) == {}


def test_what_is_long_over_when_it_comes_back_is_not_told(engine: Engine) -> None:
    hand = hand_of(engine, Answer(503))
    cycle(hand, alert(), at=T)
    assert tell(engine, hand.channel, now=T + 7200) == 0  # the engine has forgotten it too
    assert state.waiting(engine) == {}


def test_a_refused_message_is_not_repeated_and_the_next_has_all_again(engine: Engine) -> None:
    hand = hand_of(engine, Answer(400, text="invalid label set"))
    cycle(hand, alert(), at=T)
    hand.go(50)
    assert len(hand.sent) == 1
    assert outbox.dead_letters(engine) == {"ops": 1}
    cycle(hand, alert(), at=T + 60)
    assert len(hand.sent) == 2
    assert outbox.dead_letters(engine) == {}


def test_equal_labels_of_two_rules_fire_while_one_does(engine: Engine) -> None:
    hand = hand_of(engine)
    cycle(hand, alert(), alert(state="resolved"), at=T + 40)
    assert states(hand) == [["firing"]]


def test_without_ends_if_nobody_wants_them(engine: Engine) -> None:
    hand = Hand(engine, channel=channel("alertmanager", send_resolved=False))
    cycle(hand, alert(), alert(disk="sda", state="resolved"), at=T + 30)
    assert len(hand.sent[0].json) == 1


def test_500_alerts_are_one_message(engine: Engine) -> None:
    hand = hand_of(engine)
    cycle(hand, *(replace(alert(disk=f"sd{number}"), annotations={}) for number in range(500)), at=T)
    assert len(hand.sent) == 1
    assert len(json.loads(json.dumps(hand.sent[0].json))) == 500


def test_a_clock_that_is_set_back_does_not_silence_it(engine: Engine) -> None:
    hand = hand_of(engine)
    cycle(hand, alert(), at=T)
    assert cycle(hand, alert(), at=T - 86400) == 1


def test_one_that_routes_name_gets_what_they_bring_to_it(engine: Engine) -> None:
    hand = hand_of(engine)
    routes = Plan(Route(routes=(Route(receiver=hand.channel.name, matchers=parse_matchers("severity=critical")),)))
    mild, bad = (alert(severity=severity) for severity in ("warning", "critical"))
    with engine.begin() as connection:
        assert pipeline.advance(connection, [hand.channel], routes, [mild, bad], now=T).messages == 1
    hand.now = T
    hand.go()
    assert [each["labels"]["severity"] for each in hand.sent[0].json] == ["critical"]
