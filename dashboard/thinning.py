"""Rows of values made small for a picture: fewer points without losing a peak, fewer digits without losing sight."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIGNIFICANT = 4
"""Digits of a value; more than anybody sees in a chart."""


def thinned(row: Floats, group: int) -> Floats:
    """Of each group the lowest and the highest, in the order in which they came."""
    if group == 1:
        return row
    padded = np.full(-(-len(row) // group) * group, np.nan)
    padded[: len(row)] = row
    blocks = padded.reshape(-1, group)
    there = np.isfinite(blocks)
    some = there.any(axis=1)
    low = np.where(some, np.where(there, blocks, np.inf).argmin(axis=1), 0)
    high = np.where(some, np.where(there, blocks, -np.inf).argmax(axis=1), 0)
    rows, half = np.arange(len(blocks)), group // 2
    pair: Floats = np.stack([blocks[rows, np.minimum(low, high)], blocks[rows, np.maximum(low, high)]], axis=1)
    # Where a gap begins or ends, the half without a sample stays empty.
    pair[~there[:, :half].any(axis=1), 0] = np.nan
    pair[~there[:, half:].any(axis=1), 1] = np.nan
    return pair.ravel()


def rounded(row: Floats) -> Floats:
    """To SIGNIFICANT digits, and such that few digits are written."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.floor(np.log10(np.abs(row)))
        digits = np.where(np.isfinite(power), SIGNIFICANT - 1 - power, 0)
        up, down = 10.0 ** np.maximum(digits, 0), 10.0 ** np.maximum(-digits, 0)
        rounded: Floats = np.rint(row * up / down) / up * down
    return rounded
