"""Calendar parts of Unix times, UTC."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from history.samples import Floats

Dates = NDArray[np.datetime64]


def _since(times: Dates, whole: str, unit: str) -> Floats:
    """Whole units since the begin of the larger one."""
    begin = times.astype(f"datetime64[{whole}]").astype(f"datetime64[{unit}]")
    count: Floats = (times.astype(f"datetime64[{unit}]") - begin).astype(np.float64)
    return count


def _days_in_month(times: Dates) -> Floats:
    month = times.astype("datetime64[M]")
    days: Floats = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.float64)
    return days


def _day_of_week(times: Dates) -> Floats:
    since_thursday = times.astype("datetime64[D]").astype(np.float64)  # 1970 began on one
    return np.mod(since_thursday + 4.0, 7.0)


PARTS: dict[str, Callable[[Dates], Floats]] = {
    "minute": lambda times: _since(times, "h", "m"),
    "hour": lambda times: _since(times, "D", "h"),
    "day_of_week": _day_of_week,
    "day_of_month": lambda times: _since(times, "M", "D") + 1,
    "day_of_year": lambda times: _since(times, "Y", "D") + 1,
    "days_in_month": _days_in_month,
    "month": lambda times: _since(times, "Y", "M") + 1,
    "year": lambda times: times.astype("datetime64[Y]").astype(np.float64) + 1970,
}


def part(name: str, seconds: Floats) -> Floats:
    known = np.isfinite(seconds)
    times = np.floor(np.where(known, seconds, 0)).astype("datetime64[s]")
    return np.where(known, PARTS[name](times), np.nan)
