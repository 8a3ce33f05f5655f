"""Storms: what is too much for a receiver is a digest, and nothing is lost."""

import pytest
from sqlalchemy import Engine

from alerts.path.storm import MOST
from tests.alerts.test_suppressing import AT_ONCE
from tests.alerts.walk import Walk, routes


@pytest.mark.a3("Suppressing", "More than 20 groups in a minute are one digest for a receiver, with what is most of "
                "it; its end is told there too.")  # fmt: skip
def test_storm(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    for number in range(MOST):
        walk.fire(f"Early{number:02}")
    assert len(walk.tick()) == MOST
    for number in range(30):
        walk.fire("Many" if number < 25 else "Few", host=f"h{number}", severity="warning")
        walk.fire(f"Late{number:02}")
    [digest] = walk.tick()
    assert digest.reason == "storm: 32 groups in one message, most of them Many (25), Few (5), Late00 (1)"
    assert len(digest.names) == 60
    assert digest.names[0].startswith("Late")  # critical first
    walk.fire("Later")
    assert [one.names for one in walk.tick(60)] == [("Later",)]  # by then the storm is over
    assert walk.tick(600, each=30) == []
    for number in range(30):
        walk.end(f"Late{number:02}")
    [told] = walk.tick(600, each=30)
    assert (told.reason, len([name for name in told.names if name.startswith("-")])) == ("some resolved", 30)
    walk.fire("Late00")
    assert [one.names for one in walk.tick(120)] == [("Late00",)]


@pytest.mark.a3("Suppressing", "A storm that goes on is a digest a minute; nothing is lost.")
def test_a_long_storm(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    for second in range(18):
        for number in range(10):
            walk.fire(f"Broken{second}-{number}")
        walk.tick()
    walk.tick(300)
    spoken_of = {name for told in walk.told for name in told.names}
    assert len(spoken_of) == 180
    assert len(walk.told) <= MOST + 4


ESCALATING = AT_ONCE.replace("receiver: ops", "receiver: ops, escalate: [{after: 10m, receiver: boss}]")


def test_what_came_in_a_storm_is_escalated(engine: Engine) -> None:
    walk = Walk(engine, routes(ESCALATING))
    for number in range(25):
        walk.fire(f"Broken{number}")
    assert [one.receiver for one in walk.tick(60)] == ["ops"]
    escalated = [one for one in walk.tick(900, each=30) if one.receiver == "boss"]
    assert len({name for one in escalated for name in one.names}) == 25
    assert len(escalated) == 1  # a storm for that receiver too


def test_what_is_escalated_one_by_one_makes_a_storm_too(engine: Engine) -> None:
    walk = Walk(engine, routes(ESCALATING))
    for number in range(MOST):
        walk.fire(f"Early{number}")
    walk.tick()
    for number in range(5):
        walk.fire(f"Late{number}")
    told = [one for one in walk.tick(700) if one.receiver == "boss"]
    assert [len(one.names) for one in told] == [1] * MOST + [5]
