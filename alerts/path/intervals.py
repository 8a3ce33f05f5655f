"""Time intervals as Alertmanager writes them: quiet hours, working hours, holidays.

Source: https://prometheus.io/docs/alerting/latest/configuration/#time_interval-0
"""

import calendar
import re
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from collectors.config import Config

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = tuple(name.lower() for name in calendar.month_name)
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


def _clock(text: str) -> str:
    if not CLOCK.fullmatch(text):
        raise ValueError("expected a time of day such as 08:00, at most 24:00")
    return text


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _range(text: str, names: tuple[str, ...], low: int, high: int) -> tuple[int, int]:
    """`monday:friday`, `3`, `-3:-1` -> both ends."""

    def one(word: str) -> int:
        word = word.strip().lower()
        if word in names and word:
            return names.index(word)
        if re.fullmatch(r"-?\d{1,4}", word) and low <= int(word) <= high:
            return int(word)
        raise ValueError(f"expected one or a range such as a:b, found {text!r}")

    first, colon, last = text.partition(":")
    begin = one(first)
    end = one(last) if colon else begin
    if begin > end and (begin < 0) == (end < 0):
        raise ValueError(f"expected the earlier end first, found {text!r}")
    return begin, end


def _days(text: str) -> str:
    begin, end = _range(text, (), -31, 31)
    if 0 in (begin, end) or (begin < 0 < end):
        raise ValueError(f"expected days of the month such as 1:5 or -3:-1, found {text!r}")
    return text


def _zone(name: str) -> str:
    if name not in ("", "Local"):
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError("expected a time zone such as Europe/Berlin") from error
    return name


TimeOfDay = Annotated[str, AfterValidator(_clock)]
Weekdays = Annotated[str, AfterValidator(lambda text: (_range(text, WEEKDAYS, 0, 6), text)[1])]
DaysOfMonth = Annotated[str, AfterValidator(_days)]
Months = Annotated[str, AfterValidator(lambda text: (_range(text, MONTHS, 1, 12), text)[1])]
Years = Annotated[str, AfterValidator(lambda text: (_range(text, (), 1, 9999), text)[1])]


class TimeRange(Config):
    start_time: TimeOfDay
    """When it begins."""
    end_time: TimeOfDay
    """When it is over; `24:00` is the end of the day. Over midnight it takes two."""


class TimeSpan(Config):
    times: tuple[TimeRange, ...] = ()
    """Times of day."""
    weekdays: tuple[Weekdays, ...] = ()
    """`monday:friday`, `sunday`."""
    days_of_month: tuple[DaysOfMonth, ...] = ()
    """`1:5`; negative ones count from the end of the month."""
    months: tuple[Months, ...] = ()
    """`january:march`, `12`."""
    years: tuple[Years, ...] = ()
    """`2027:2030`."""
    location: Annotated[str, AfterValidator(_zone)] = ""
    """Time zone such as `Europe/Berlin`, or `Local` for the host's; UTC if not set."""


class TimeInterval(Config):
    name: Annotated[str, Field(min_length=1)]
    """By which routes speak of it."""
    time_intervals: tuple[TimeSpan, ...]
    """It is when any of these is; in each of them everything that is set has to fit."""


def contains(interval: TimeInterval, now: float) -> bool:
    return any(_fits(span, now) for span in interval.time_intervals)


def _fits(span: TimeSpan, now: float) -> bool:
    at = _there(span.location, now)
    minute = at.hour * 60 + at.minute
    if span.times and not any(_minutes(t.start_time) <= minute < _minutes(t.end_time) for t in span.times):
        return False
    last = calendar.monthrange(at.year, at.month)[1]
    checks: tuple[tuple[tuple[str, ...], tuple[str, ...], int], ...] = (
        (span.weekdays, WEEKDAYS, at.isoweekday() % 7), (span.months, MONTHS, at.month), (span.years, (), at.year),
    )  # fmt: skip
    for texts, names, value in checks:
        if texts and not any(_inside(_range(text, names, 0, 9999), value) for text in texts):
            return False
    days = [_range(text, (), -31, 31) for text in span.days_of_month]
    counted = [tuple(day if day > 0 else last + 1 + day for day in ends) for ends in days]
    return not days or any(begin <= at.day <= end for begin, end in counted)


def _inside(ends: tuple[int, int], value: int) -> bool:
    return ends[0] <= value <= ends[1]


def _there(location: str, now: float) -> datetime:
    zone: Any = None if location == "Local" else ZoneInfo(location or "UTC")
    return datetime.fromtimestamp(now, zone) if zone else datetime.fromtimestamp(now).astimezone()
