from dataclasses import replace

import pytest
from sqlalchemy import Engine

from alerts import silences
from alerts.matchers import parse_matchers
from alerts.silences import HISTORY_SECONDS, Silence, UnknownSilence, post
from tests.alerts.examples import T, alert

ONE = Silence(parse_matchers('host="web1"'), T, T + 3600, "kim", "known")


def stored(engine: Engine) -> list[Silence]:
    with engine.connect() as connection:
        return list(silences.silences(connection))


@pytest.mark.a3("Suppressing", "A silence is in the database before its id is told.")
def test_posted(engine: Engine) -> None:
    silence_id = post(engine, ONE, T)
    assert stored(engine) == [replace(ONE, id=silence_id, updated=T)]
    assert silences.get(engine, silence_id).state(T) == "active"


@pytest.mark.parametrize(("change", "words"), [
    ({"matchers": ()}, "at least one matcher"),
    ({"matchers": parse_matchers("a=~.*,b=")}, "every alert"),
    ({"author": " "}, "createdBy"),
    ({"comment": ""}, "comment"),
    ({"ends": T}, "yet to come"),
    ({"comment": "x" * 1001}, "at most 1000 characters"),
    ({"starts": T + 7200}, "after the start"),
])  # fmt: skip
@pytest.mark.a3("Suppressing", "A silence needs a matcher that does not fit emptiness, an author, a comment, and an "
                "end after its start.")  # fmt: skip
def test_refused(engine: Engine, change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        post(engine, replace(ONE, **change), T)  # type: ignore[arg-type]
    assert stored(engine) == []


def test_there_are_not_endlessly_many(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silences, "MOST", 2)
    first = post(engine, ONE, T)
    post(engine, ONE, T)
    with pytest.raises(ValueError, match="no more are taken"):
        post(engine, ONE, T)
    silences.expire(engine, first, T + 1)
    post(engine, ONE, T + 1)


def test_one_of_the_past_begins_now(engine: Engine) -> None:
    post(engine, replace(ONE, starts=T - 9999), T)
    assert stored(engine)[0].starts == T


@pytest.mark.a3("Suppressing", "A silence whose matchers change is ended and a new one begun; the old one is kept.")
def test_changed(engine: Engine) -> None:
    first = post(engine, ONE, T)
    longer = replace(ONE, id=first, ends=T + 7200, comment="longer")
    assert post(engine, longer, T + 60) == first
    assert stored(engine) == [replace(longer, updated=T + 60)]
    second = post(engine, replace(longer, matchers=parse_matchers('host="web2"')), T + 120)
    assert second != first
    assert {one.id: one.state(T + 121) for one in stored(engine)} == {first: "expired", second: "active"}
    third = post(engine, replace(ONE, id=first), T + 130)  # ended ones do not come back
    assert third not in (first, second)


def test_one_that_has_not_begun_may_begin_otherwise(engine: Engine) -> None:
    first = post(engine, replace(ONE, starts=T + 600), T)
    assert post(engine, replace(ONE, id=first, starts=T + 300), T) == first
    assert stored(engine)[0].starts == T + 300
    assert post(engine, replace(ONE, id=first, starts=T + 900), T + 400) != first  # it is active by now


def test_ended(engine: Engine) -> None:
    silence_id = post(engine, ONE, T)
    silences.expire(engine, silence_id, T + 60)
    silences.expire(engine, silence_id, T + 90)
    assert [(one.ends, one.state(T + 60)) for one in stored(engine)] == [(T + 60, "expired")]
    pending = post(engine, replace(ONE, starts=T + 600), T + 60)
    silences.expire(engine, pending, T + 90)
    assert silences.get(engine, pending).state(T + 90) == "expired"


def test_unknown(engine: Engine) -> None:
    for call in (silences.get, lambda engine, name: silences.expire(engine, name, T)):
        with pytest.raises(UnknownSilence):
            call(engine, "none")
    with pytest.raises(UnknownSilence):
        post(engine, replace(ONE, id="none"), T)


def test_history_is_let_go_in_the_end(engine: Engine) -> None:
    post(engine, ONE, T)
    for now, left in ((T + HISTORY_SECONDS, 1), (T + HISTORY_SECONDS + 3601, 0)):
        with engine.begin() as connection:
            silences.settle(connection, [], [], now)
        assert len(stored(engine)) == left


def test_an_acknowledgement_is_of_one_alert(engine: Engine) -> None:
    silence_id = silences.acknowledge(engine, alert(), "kim", now=T, until=T + 60)
    ack = silences.get(engine, silence_id)
    assert ack.covers(alert())
    assert not ack.covers(alert(disk="sda"))
    assert ack.source == "acknowledged by kim: acknowledged"
