"""What a logged value says: a time, a duration. None where it says nothing."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

from collectors.weblog.known import Known

MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
COMMON = re.compile(r"(\d{1,2})/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d)(?: ([+-])(\d\d)(\d\d))?", re.ASCII)
EPOCH = re.compile(r"\d{9,17}(?:\.\d{1,9})?", re.ASCII)
LONGEST_SECONDS = 1e6
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, math.inf)  # seconds


def moment(text: str) -> float | None:
    """Unix seconds of `22/Nov/2026:09:48:50 +0000`, ISO 8601, or seconds, milli- or microseconds of the epoch."""
    try:
        if found := COMMON.match(text):
            day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
            offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
            date = (int(year), MONTHS.index(month) // 3 + 1, int(day), int(hour), int(minute), min(59, int(second)))
            return datetime(*date, tzinfo=timezone(offset)).timestamp()
        if EPOCH.fullmatch(text):
            value = float(text)
            return value / (1e6 if value > 1e14 else 1e3 if value > 1e11 else 1)
        found_date = datetime.fromisoformat(text)
        return (found_date if found_date.tzinfo else found_date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def of_upstreams(text: str) -> float:
    """All tries together: `0.1, 0.2 : 0.3`."""
    parts = (seconds(part) for part in re.split(r"[,:\s]+", text))
    return min(sum(part for part in parts if part), LONGEST_SECONDS)


Timing = tuple[int, float]
"""Number of its bucket, seconds."""


@cache
def timings(unit: float) -> Known[Timing | None]:
    """For logs whose durations are in that unit."""

    def of(text: str) -> Timing | None:
        found = seconds(text)
        if found is None:
            return None
        taken = min(found * unit, LONGEST_SECONDS)
        return next(at for at, most in enumerate(BUCKETS) if taken <= most), taken

    return Known(of)


MOMENTS = Known(moment)
UPSTREAMS = Known(of_upstreams)
