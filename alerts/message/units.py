"""Numbers for people: at most three significant digits, and the scale that fits; the browser uses the same table."""

import math
from typing import Literal

Unit = Literal["count", "per_second", "bytes", "bytes_per_second", "seconds", "ratio", "cores"]

GAP = "\N{NARROW NO-BREAK SPACE}"

# Unit -> (factor, suffix), smallest first.
SCALES: dict[Unit, tuple[tuple[float, str], ...]] = {
    "count": ((1, ""), (1e3, "k"), (1e6, "M"), (1e9, "G")),
    "per_second": ((1, "/s"), (1e3, "k/s"), (1e6, "M/s")),
    "bytes": ((1, "B"), (2**10, "KiB"), (2**20, "MiB"), (2**30, "GiB"), (2**40, "TiB")),
    "bytes_per_second": ((1, "B/s"), (2**10, "KiB/s"), (2**20, "MiB/s"), (2**30, "GiB/s")),
    "seconds": ((1e-6, "µs"), (1e-3, "ms"), (1, "s"), (60, "min"), (3600, "h"), (86400, "d")),
    "ratio": ((0.01, "%"),),
    "cores": ((1, "cores"),),
}


def text(value: float | None, unit: Unit) -> str:
    """`3.84 s`, `97 %`, `212 /s`; an en dash for None, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return "–"
    factor, suffix = scale(value, unit)
    return f"{number(value / factor)}{GAP}{suffix}" if suffix else number(value / factor)


def scale(value: float, unit: Unit) -> tuple[float, str]:
    """The largest scale in which the value, once rounded, is at least 1."""
    scales = SCALES[unit]
    plain = next((each for each in scales if each[0] == 1), scales[0])
    fitting = [each for each in scales if abs(_rounded(value / each[0])) >= 1]
    return fitting[-1] if fitting else (plain if value == 0 else scales[0])


def number(value: float) -> str:
    if abs(value) < 0.0005:
        return "0"
    rounded = _rounded(value)
    digits = min(3, max(0, 2 - math.floor(math.log10(abs(rounded)))))
    shown = f"{rounded:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
