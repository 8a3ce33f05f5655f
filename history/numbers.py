"""Numbers, times and durations as Prometheus writes and reads them."""

import math
import re
from datetime import datetime
from decimal import Decimal

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
ORDER = ("y", "w", "d", "h", "m", "s", "ms")


def plain(value: float) -> str:
    """The fewest digits that read back the same, never with an exponent; NaN, +Inf, -Inf."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def number(value: float) -> str:
    """As `plain`, but with an exponent below 1e-6 and from 1e21 on: the HTTP API's form."""
    if value and (abs(value) < 1e-6 or abs(value) >= 1e21) and math.isfinite(value):
        mantissa, exponent = f"{Decimal(repr(float(value))).normalize():e}".split("e")
        return f"{mantissa}e{exponent[0]}{exponent[1:]:0>2}"
    return plain(value)


def duration(text: str) -> float:
    """`90`, `1.5`, `15s`, `1h30m` -> seconds. ValueError for anything else."""
    try:
        value = float(text)
    except ValueError:
        found = DURATION.fullmatch(text)
        if not text or found is None:
            raise ValueError(f'cannot parse "{text}" to a valid duration, expected 15s, 1h30m or seconds') from None
        value = sum(float(count) * UNITS[unit] for count, unit in zip(found.groups(), ORDER, strict=True) if count)
    if not math.isfinite(value):
        raise ValueError(f'cannot parse "{text}" to a valid duration: it is not finite')
    return value


def time(text: str) -> float:
    """Unix seconds or RFC 3339 -> Unix seconds. ValueError for anything else."""
    try:
        value = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ValueError(f'cannot parse "{text}" to a valid timestamp, expected Unix seconds or RFC 3339') from None
        return moment.timestamp()
    if not math.isfinite(value):
        raise ValueError(f'cannot parse "{text}" to a valid timestamp: it is not finite')
    return value
