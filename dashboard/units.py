"""Numbers on axes: the scale that fits the top, and tops whose half is round; the browser uses the same table."""

import math

from alerts.message.units import GAP, SCALES, Unit, number, scale, text

__all__ = ["GAP", "SCALES", "Unit", "axis_text", "axis_top", "number", "scale", "text"]

STEPS = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)
"""Tops of an axis whose half is a round number too."""


def axis_text(share: float, top: float, unit: Unit) -> str:
    """A share of the axis in the scale of its top (half of 1.2 MiB is 0.6 MiB, not 614 KiB).

    Without what the chart's title says: a second, cores.
    """
    factor, suffix = scale(top, unit)
    said = suffix.removesuffix("/s").removesuffix("cores")
    return f"{number(share * top / factor)}{GAP}{said}" if said else number(share * top / factor)


def axis_top(highest: float, unit: Unit) -> float:
    """A round number at or above; 1 of the unit's plain scale where there is nothing to see."""
    if highest <= 0 or not math.isfinite(highest):
        return 0.01 if unit == "ratio" else 1.0
    factor = max((factor for factor, _ in SCALES[unit] if factor <= highest), default=SCALES[unit][0][0])
    power = 10 ** math.floor(math.log10(highest / factor))
    larger = min((each for each, _ in SCALES[unit] if each > factor), default=0.0)
    tops = (float(step * power * factor) for step in STEPS if step * power * factor >= highest * (1 - 1e-9))
    tops = (larger if 1000 * factor <= top < larger else top for top in tops)  # no 1000 KiB
    if unit == "count" and float(highest).is_integer():  # of what comes in whole numbers no half is shown
        return next((top for top in tops if (top / 2).is_integer()), 2.0)
    return next(tops)
