"""Durations, moments, lengths and a line of blocks as people read them."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
NEVER = "0001-01-01T00:00:00Z"
WIDTH = 30
"""Blocks of a sparkline at most: it fits a telephone."""


def duration(seconds: float) -> str:
    """`40 s`, `6 min`, `2 h 5 min`, `3 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def iso(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def stamp(at: float | None) -> str:
    """RFC 3339 in UTC, to the millisecond; Go's zero time for None."""
    if at is None:
        return NEVER
    found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(at * 1000))
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"


def cut_bytes(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, and no half character."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - len("…".encode())].decode(errors="ignore").rstrip() + "…"


def sparkline(values: Sequence[float]) -> str:
    """A block for each value from the lowest to the highest, a blank for none; "" when there is no number at all."""
    values = _fewer(values)
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    steps = [0 if span == 0 else round((value - low) / span * 7) if math.isfinite(value) else 0 for value in values]
    return "".join(BLOCKS[step] if math.isfinite(value) else " " for step, value in zip(steps, values, strict=True))


def _fewer(values: Sequence[float]) -> Sequence[float]:
    """The highest of each bucket, so that a spike is still seen."""
    if len(values) <= WIDTH:
        return values
    edges = [round(place * len(values) / WIDTH) for place in range(WIDTH + 1)]
    buckets = [values[start:end] for start, end in pairwise(edges)]
    return [max((value for value in bucket if math.isfinite(value)), default=math.nan) for bucket in buckets]
