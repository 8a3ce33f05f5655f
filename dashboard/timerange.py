"""Which span of time a page shows: `?from=now-3h&to=now`, or two absolute times."""

import math
import re
from dataclasses import dataclass
from datetime import datetime

from dashboard.moments import Zone, iso
from history import numbers

DEFAULT = ("now-3h", "now")
YOUNG = ((900.0, "now-15m"), (3600.0, "now-1h"))
"""What is shown at first of a history that is shorter than so many seconds: more would be mostly empty."""
PRESETS = (("1 h", "now-1h"), ("3 h", "now-3h"), ("24 h", "now-24h"), ("7 d", "now-7d"), ("30 d", "now-30d"))
SHORTEST = 60.0  # seconds
LONGEST = 400 * 86400.0  # seconds
TICKS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000)
MOST_TICKS = 5
RELATIVE = re.compile(r"now(?:-(\S+))?")


class RangeError(ValueError):
    """The message says which of the two is wrong, what was found and what was expected."""


@dataclass(frozen=True)
class TimeRange:
    start: float  # Unix seconds
    end: float  # Unix seconds
    from_: str
    to: str
    live: bool
    """It ends now and moves on."""

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def absolute(self) -> dict[str, str]:
        """The same span as parameters that mean the same tomorrow."""
        return {"from": iso(self.start), "to": iso(self.end)}


def parse(from_: str, to: str, now: float, zone: Zone) -> TimeRange:
    """Times without a zone are in the page's. RangeError for what cannot be shown."""
    from_, to = from_.strip() or DEFAULT[0], to.strip() or DEFAULT[1]
    start, end = _time("from", from_, now, zone), _time("to", to, now, zone)
    if end <= start:
        raise RangeError(f"from={from_} is not before to={to}")
    if start > now:
        raise RangeError(f"from={from_} is in the future")
    end = min(end, max(now, start + SHORTEST))  # what is still to come is no gap
    if end - start < SHORTEST:
        raise RangeError(f"from={from_} to={to} is {end - start:g} s long, expected at least {SHORTEST:g} s")
    if end - start > LONGEST:
        raise RangeError(f"from={from_} to={to} is longer than {LONGEST / 86400:g} days")
    return TimeRange(start, end, from_, to, live=to == "now")


def usual(measured: float) -> str:
    """Where the span begins when nobody chose one, of a history with so many seconds of samples."""
    return next((from_ for seconds, from_ in YOUNG if measured < seconds), DEFAULT[0])


def _time(name: str, text: str, now: float, zone: Zone) -> float:
    if relative := RELATIVE.fullmatch(text):
        return now - (_duration(name, text, relative[1]) if relative[1] else 0.0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    try:
        if moment is not None and moment.tzinfo is None:
            return numbers.time(f"{text}+00:00" if "T" in text or " " in text else f"{text}T00:00+00:00") - zone.offset
        return numbers.time(text)
    except ValueError:
        raise RangeError(
            f"{name}={text} is no time, expected now, now-3h, 2026-11-22T03:02, 2026-11-22T03:02:00Z or Unix seconds"
        ) from None


def _duration(name: str, text: str, duration: str) -> float:
    try:
        return numbers.duration(duration)
    except ValueError:
        raise RangeError(f"{name}={text}: expected now- and a duration such as 90s, 15m, 3h, 7d or 2w") from None


@dataclass(frozen=True)
class Grid:
    """At which times a chart is asked, and how many of these become one column of its picture.

    Aligned to multiples of its own step, so that points stay where they are while the window moves on.
    """

    start: float  # Unix seconds
    step: float  # seconds
    count: int
    group: int
    """Asked times that become two shown points, their lowest and highest; 1: every one is shown."""

    @property
    def end(self) -> float:
        return self.start + self.step * (self.count - 1)

    @property
    def dx(self) -> float:
        """Seconds between two shown points."""
        return self.step if self.group == 1 else self.step * self.group / 2


MOST_TIMES = 10_000
"""Every tick is asked up to so many, so that no peak between two points is lost: a day of ticks of ten seconds."""


def grid(shown: TimeRange, columns: int, interval: float) -> Grid:
    """At most about `columns` points; `interval`: seconds between ticks, the finest there is."""
    step = interval * max(1, math.ceil(shown.seconds / interval / MOST_TIMES))
    times = math.floor(shown.seconds / step) + 1
    group = 1 if times <= columns else math.ceil(times * 2 / columns)
    block = step * group
    start = math.floor(shown.start / block + 1e-6) * block
    count = math.floor((shown.end - start) / step + 1e-6) + 1
    return Grid(start, step, count, group)


def axis(start: float, end: float, zone: Zone) -> list[tuple[float, str]]:
    """Round times of the zone, at most MOST_TICKS, none at the very edge."""
    step = next((step for step in TICKS if (end - start) / step <= MOST_TICKS), TICKS[-1])
    edge = (end - start) * 0.03
    first = math.ceil((start + edge + zone.offset) / step) * step - zone.offset
    found: list[tuple[float, str]] = []
    for number in range(MOST_TICKS + 1):
        t = first + number * step
        if t > end - edge:
            break
        moment = zone.at(t)
        whole_day = step >= 86400 or (end - start > 86400 and moment.hour == moment.minute == 0)
        found.append((t, moment.strftime("%m-%d" if whole_day else "%H:%M")))
    return found
