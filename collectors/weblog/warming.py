"""How long a site's caches take until they are warm again after they were emptied, by what the access log says of them.

That they were emptied is heard of: a rebuild, or a storm of cache tags, is known from the site's database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from collectors.model import Event

HEARS = ("drupal.cache_rebuild", "drupal.tag_storm")
MINUTE = 60.0
BEFORE = 1800.0
"""Seconds ahead of it that say what is usual."""
LEAST, ENOUGH = 100, 20
"""Answers by which a hit ratio is known: the usual one, and the one of some minutes since."""
MOST = 0.1
"""A usual hit ratio below it is no cache that anybody would miss."""
WARM = 0.8
"""So much of what is usual."""
GIVEN_UP = 3600.0
KEPT_MINUTES = 100


@dataclass
class Warming:
    """Of one site, as it is kept between two steps."""

    hits: int = 0
    answers: int = 0
    """Of which a cache said something. Both since the log is read."""
    minutes: list[list[int]] = field(default_factory=list)
    """Number of the minute, hits and answers in it; the newest last, those without answers left out."""
    heard: float = 0.0  # Unix seconds
    """Of the newest time at which they were emptied."""
    since: float = 0.0  # Unix seconds; 0: they are warm
    usual: float = 0.0

    def packed(self) -> dict[str, Any]:
        return asdict(self)


def step(
    site: str, known: Any, cached: Mapping[str, int], heard: Iterable[Sequence[Any]], now: float
) -> tuple[dict[str, Any], list[Event]]:
    """`cached`: `cache state` -> answers so far. `heard`: site and time, as a follower hears of them."""
    found = Warming(**known) if known else Warming()
    found.minutes = [list(minute) for minute in found.minutes]
    _count(found, cached, now)
    for _, t in sorted((each for each in heard if each[0] == site and each[1] > found.heard), key=lambda each: each[1]):
        found.heard = t
        if not found.since:  # what empties them once more while they warm belongs to it
            _emptied(found, t)
    events = _ended(site, found, now)
    return found.packed(), events


def _count(found: Warming, cached: Mapping[str, int], now: float) -> None:
    hits = sum(count for state, count in cached.items() if state.endswith(" hit"))
    answers = sum(cached.values())
    if answers > found.answers:
        minute = int(now // MINUTE)
        if not found.minutes or found.minutes[-1][0] != minute:
            found.minutes = [*found.minutes, [minute, 0, 0]][-KEPT_MINUTES:]
        found.minutes[-1][1] += hits - found.hits
        found.minutes[-1][2] += answers - found.answers
    found.hits, found.answers = hits, answers


def _emptied(found: Warming, t: float) -> None:
    before = [minute for minute in found.minutes if t - BEFORE <= minute[0] * MINUTE <= t - MINUTE]
    hits, answers = sum(each[1] for each in before), sum(each[2] for each in before)
    if answers >= LEAST and hits / answers >= MOST:
        found.since, found.usual = t, hits / answers


def _ended(site: str, found: Warming, now: float) -> list[Event]:
    """By whole minutes since, those that are over, as many of them together as tell something."""
    if not found.since:
        return []
    since, lowest, hits, answers = found.since, 1.0, 0, 0
    for minute, more_hits, more in found.minutes:
        if since <= minute * MINUTE <= now - MINUTE:
            hits, answers = hits + more_hits, answers + more
            if answers >= ENOUGH:
                lowest = min(lowest, hits / answers)
                if hits / answers >= WARM * found.usual:
                    found.since = 0.0
                    return [_event(site, found.usual, lowest, (since, (minute + 1) * MINUTE), warm=True)]
                hits = answers = 0
    if now - since < GIVEN_UP:
        return []
    found.since = 0.0
    return [_event(site, found.usual, lowest, (since, now), warm=False)] if lowest < 1.0 else []


def _event(site: str, usual: float, lowest: float, times: tuple[float, float], *, warm: bool) -> Event:
    minutes = f"{max(1.0, (times[1] - times[0]) / MINUTE):.0f} min"
    said = f"were warm again {minutes}" if warm else f"are still cold {minutes}"
    evidence = {
        "usual hit ratio": f"{usual:.0%}", "lowest hit ratio": f"{lowest:.0%}",
        "seconds": f"{times[1] - times[0]:.0f}",
    }  # fmt: skip
    how = (
        f"{lowest:.0%} of answers came from them at the lowest, where {usual:.0%} are usual"
        if lowest < WARM * usual
        else "in no whole minute fewer answers came from them than usual"
    )
    name = blake2b(f"{site} {times[0]}".encode(errors="replace"), digest_size=8).hexdigest()
    return Event(
        f"drupal.cache_warm:{name}", "drupal.cache_warm", "info", "", site, *times, 1,
        f"The caches {said} after they were emptied: {how}", (evidence,),
        dedup_key=f"drupal.cache_warm:{site}"[:255], source="web",
    )  # fmt: skip
