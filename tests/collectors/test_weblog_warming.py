"""How long caches took to be warm again, by the minute, from what access logs say."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from collectors.model import Event
from collectors.weblog import COLLECTOR, warming
from collectors.weblog.engine import step
from tests.collectors.weblog_lines import line, payload

START = 1_795_342_020.0  # a whole minute
Heard = Sequence[tuple[str, float]]


class Log:
    def __init__(self) -> None:
        self.known: Any = None
        self.now = START
        self.cached: dict[str, int] = {}
        self.told: list[Event] = []

    def minute(self, hits: int, misses: int, *heard: tuple[str, float]) -> list[Event]:
        """A minute with so many answers, which came in its middle, and what was heard of then."""
        for state, count in (("drupal hit", hits), ("drupal miss", misses)):
            self.cached[state] = self.cached.get(state, 0) + count
        before = json.dumps(self.known)
        after, events = warming.step("shop", self.known, self.cached, heard, self.now + 30)
        assert json.dumps(self.known) == before
        self.known = json.loads(json.dumps(after))
        self.now += 60
        return events


@pytest.fixture
def warm() -> Log:
    log = Log()
    assert [log.minute(80, 20) for _ in range(20)] == [[]] * 20
    return log


def test_a_rebuild_is_followed_until_the_caches_are_warm_again(warm: Log) -> None:
    rebuilt = ("shop", warm.now + 5)
    assert warm.minute(10, 90) == []
    assert warm.minute(5, 95, rebuilt) == []  # it is heard of a minute late
    assert warm.minute(40, 60, rebuilt) == []
    assert warm.minute(75, 25, rebuilt) == []  # this minute is not over
    (event,) = warm.minute(80, 20, rebuilt)
    assert (event.kind, event.site, event.severity) == ("drupal.cache_warm", "shop", "info")
    assert (event.first, event.last) == (rebuilt[1], rebuilt[1] - 5 + 240)
    assert event.title == (
        "The caches were warm again 4 min after they were emptied: 5% of answers came from them at the lowest, where"
        " 80% are usual"
    )
    assert event.evidence == ({"usual hit ratio": "80%", "lowest hit ratio": "5%", "seconds": "235"},)
    assert [warm.minute(80, 20, rebuilt) for _ in range(70)] == [[]] * 70


def test_a_second_rebuild_while_they_warm_belongs_to_the_first_and_a_later_one_does_not(warm: Log) -> None:
    first = ("shop", warm.now + 1)
    assert warm.minute(0, 100, first) == []
    second = ("shop", warm.now + 1)
    assert warm.minute(0, 100, second, first) == []
    assert warm.minute(80, 20, second, first) == []
    (event,) = warm.minute(80, 20, second, first)
    assert event.first == first[1]
    third = ("shop", warm.now + 1)
    assert warm.minute(0, 100, third) == []
    assert warm.minute(80, 20, third) == []
    (again,) = warm.minute(80, 20, third)
    assert (again.first, again.id == event.id) == (third[1], False)


def test_caches_that_were_warm_within_the_first_minute_were_never_below(warm: Log) -> None:
    rebuilt = ("shop", warm.now + 1)
    assert warm.minute(70, 30, rebuilt) == []
    assert warm.minute(82, 18, rebuilt) == []
    (event,) = warm.minute(82, 18, rebuilt)
    assert event.title == (
        "The caches were warm again 2 min after they were emptied: in no whole minute fewer answers came from them"
        " than usual"
    )


def test_few_answers_are_taken_together(warm: Log) -> None:
    rebuilt = ("shop", warm.now + 1)
    told = [warm.minute(*each, rebuilt) for each in ((1, 9), (2, 8), (9, 1), (8, 2), (9, 1), (9, 1))]
    assert [len(events) for events in told] == [0, 0, 0, 0, 0, 1]
    assert told[-1][0].evidence[0]["lowest hit ratio"] == "55%"


def test_caches_that_stay_cold_are_told_after_an_hour(warm: Log) -> None:
    rebuilt = ("shop", warm.now + 30)
    told = [warm.minute(10, 90, rebuilt) for _ in range(61)]
    assert [len(events) for events in told] == [0] * 60 + [1]
    assert told[-1][0].title.startswith("The caches are still cold 60 min after they were emptied: 10% of")
    assert warm.minute(80, 20, rebuilt) == []


def test_nothing_is_said_where_nothing_is_known() -> None:
    log = Log()
    assert [log.minute(4, 1, ("shop", START + 5)) for _ in range(70)] == [[]] * 70  # few answers before it
    log = Log()
    told = [log.minute(1, 99, *([("shop", START + 605)] if minute > 9 else ())) for minute in range(80)]
    assert told == [[]] * 80  # nobody had an answer from a cache
    log = Log()
    told = [log.minute(80, 20, ("other", START + 605)) for _ in range(20)]
    told += [log.minute(0, 0, ("shop", log.now)) for _ in range(70)]  # nobody came since
    assert told == [[]] * 90


def test_the_engine_tells_it_of_the_site_whose_log_it_is() -> None:
    follower = COLLECTOR.followers[0]
    assert set(follower.hears) == {"drupal.cache_rebuild", "drupal.tag_storm"}
    state: dict[str, Any] = {}
    told: list[Event] = []
    for minute in range(20):
        said = "MISS" if 14 <= minute < 17 else "HIT"
        row = ("GET", "/", "", "200", "1", "curl", "0.1", "0.1", said, "shop.example")
        given = payload("".join(f"{line(row)}\n" for _ in range(30)))
        given |= {"at": START + 60 * minute, "heard": [["shop", START + 60 * 14]] if minute >= 14 else []}
        after, events = step(state, given)
        state, told = json.loads(json.dumps(after)), [*told, *events]
    told_of = [(event.kind, event.site, event.last - event.first) for event in told]
    assert told_of == [("drupal.cache_warm", "shop", 240)]
