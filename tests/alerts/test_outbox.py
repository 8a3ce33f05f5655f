"""What an operator sees of the outbox and does with it."""

from dataclasses import replace

from sqlalchemy import Engine

from alerts import outbox, state
from alerts.engine import RuleState, identity
from alerts.model import Alert
from alerts.notifier import NOTIFY_FAILING, Answer
from alerts.outbox import Standing
from tests.alerts.examples import T, alert, tell, webhook
from tests.alerts.test_delivery import Hand


def remember(engine: Engine, *alerts: Alert) -> None:
    with engine.begin() as connection:
        state.save(connection, {}, {"rule": RuleState({identity(each.labels): each for each in alerts})})


def refused(engine: Engine, *alerts: Alert) -> Hand:
    hand = Hand(engine, Answer(404, text="no such channel"))
    tell(engine, hand.channel, *alerts)
    hand.go()
    assert outbox.dead_letters(engine) == {"ops": 1}
    return hand


def test_standings(engine: Engine) -> None:
    hand = refused(engine, alert())
    tell(engine, webhook(name="late"), alert())
    tell(engine, hand.channel, alert(host="web2"), now=T + 9)
    assert outbox.standings(engine) == {
        "ops": Standing(1, T + 9, 1, "HTTP 404: no such channel"), "late": Standing(1, T, 0, ""),
    }  # fmt: skip


def test_put_back_it_is_told_as_it_is_now(engine: Engine) -> None:
    hand = refused(engine, alert())
    remember(engine, replace(alert(), value=7.0, annotations={"summary": "worse"}))
    assert outbox.requeue(engine, "ops", T + 60) == 1
    hand.go(60)
    (told,) = hand.sent[1].json["alerts"]
    assert (told["status"], told["annotations"]) == ("firing", {"summary": "worse"})
    assert outbox.dead_letters(engine) == {}


def test_put_back_after_it_was_over_it_is_told_as_over(engine: Engine) -> None:
    hand = refused(engine, alert())
    assert outbox.requeue(engine, None, T + 60) == 1
    hand.go(60)
    assert [request.json["status"] for request in hand.sent] == ["firing", "resolved"]


def test_put_back_while_it_is_only_pending_again_it_is_told_as_over(engine: Engine) -> None:
    hand = refused(engine, alert())
    remember(engine, alert(state="pending"))
    outbox.requeue(engine, None, T + 60)
    hand.go(60)
    assert [each["status"] for each in hand.sent[1].json["alerts"]] == ["resolved"]


def test_what_was_told_by_a_newer_message_is_not_put_back(engine: Engine) -> None:
    hand = refused(engine, alert())
    tell(engine, hand.channel, alert(), alert(disk="sda"), now=T + 30)
    assert outbox.requeue(engine, None, T + 60) == 0
    assert outbox.dead_letters(engine) == {}
    hand.go(60)
    assert len(hand.sent) == 2


def test_a_later_message_of_the_group_that_is_taken_ends_the_dead_letter(engine: Engine) -> None:
    hand = refused(engine, alert())
    tell(engine, hand.channel, alert(), alert(disk="sda"), now=T + 30)
    hand.go(60)
    assert outbox.dead_letters(engine) == {}


def test_dead_letters_do_not_pile_up(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(404)] * 20)
    for number in range(20):
        tell(engine, hand.channel, *(alert(disk=f"sd{each}") for each in range(number + 1)), now=T + number)
        hand.go(1)
    assert hand.stats == (0, 0, 20)
    assert outbox.dead_letters(engine) == {"ops": 1}


def test_only_the_chosen_channel(engine: Engine) -> None:
    refused(engine, alert())
    assert outbox.requeue(engine, "other", T) == 0
    assert outbox.dead_letters(engine) == {"ops": 1}


def test_that_a_channel_fails_is_told_by_the_others(engine: Engine) -> None:
    failing = alert(NOTIFY_FAILING, channel="ops")
    assert tell(engine, webhook(name="ops"), failing) == 0
    assert tell(engine, webhook(name="other"), failing) == 1
    assert tell(engine, webhook(name="ops"), alert(NOTIFY_FAILING, channel="other")) == 1
    assert tell(engine, webhook(name="ops"), alert("Broken", channel="ops")) == 1
