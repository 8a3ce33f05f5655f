"""Coarser tiers: what is kept of the samples of each 5 minutes and each hour when the samples themselves have gone.

A bucket is left-open, as ranges are. Its stamp is that of its last scrape, so what a counter had then is a real value
and increases between buckets can be interpolated exactly. Kinds of values:

    last    the newest sample                                 all series
    reset   what resets have taken from a counter in it       counters that were reset
    count   how many samples                                  all series
    min, max, sum                                             all but counters
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from history.samples import Floats, Ints, Mask, absent, blank

RAW, MINUTE, FIVE_MINUTES, HOUR = 0, 60, 300, 3600
"""Tiers are named by the seconds of their buckets."""

SPANS = {MINUTE: 8 * HOUR, FIVE_MINUTES: 24 * HOUR, HOUR: 120 * HOUR}
"""How many seconds a block of the tier covers."""

VALUES, LAST, RESET, COUNT, MIN, MAX, SUM = range(7)
"""Kinds. VALUES: samples as they came."""

OFTEN = 5_000
"""Read more often than each so many ms, a target has a tier of minutes, not of five."""

COUNTER_ENDINGS = ("_total", "_bucket", "_count", "_sum")

Columns = Mapping[int, Floats]
"""Kind -> values [series x stamps]."""


def is_counter(name: str, kind: str) -> bool | None:
    """By its declared type, else by its name; None: it may be either."""
    if kind in ("counter", "gauge"):
        return kind == "counter"
    return True if name.endswith(COUNTER_ENDINGS) else None


@dataclass(frozen=True)
class Buckets:
    """Where each bucket begins in the stamps; those without any stamp are left out."""

    starts: Ints
    stamps: Ints  # ms, of each bucket's last scrape


def buckets(stamps: Ints, seconds: int) -> Buckets:
    number = -(-stamps // (seconds * 1000))  # left-open: a stamp on the border ends a bucket
    starts = np.flatnonzero(np.diff(number, prepend=number[0] - 1)) if len(stamps) else np.empty(0, dtype=np.int64)
    ends = np.append(starts[1:], len(stamps)) - 1
    return Buckets(starts, stamps[ends] if len(starts) else stamps)


def as_columns(values: Floats, before: Floats) -> Columns:
    """Samples as if each was a bucket of its own. `before` [series]: the last sample before them, or absent."""
    there = ~absent(values)
    ones = np.where(there, 1.0, blank(1, 1))
    return {LAST: values, COUNT: ones, MIN: values, MAX: values, SUM: values, RESET: resets(values, before)}


def resets(values: Floats, before: Floats) -> Floats:
    """What a counter has lost at each sample: its value before, where it is lower now; else 0."""
    joined = np.concatenate([before[:, None], values], axis=1)
    there = ~absent(joined)
    if not there.all():
        at = np.maximum.accumulate(np.where(there, np.arange(joined.shape[1]), 0), axis=1)
        joined = np.take_along_axis(joined, at, axis=1)  # a gap has the value before it
    former, now = joined[:, :-1], joined[:, 1:]
    return np.where(now < former, former, 0.0)


def roll(columns: Columns, into: Buckets) -> Columns:
    """Every kind of the columns, bucket by bucket."""
    nothing = np.logical_and.reduceat(absent(columns[LAST]), into.starts, axis=1)
    rolled = {}
    for kind, values in columns.items():
        gaps = absent(values)
        # Where a series is, no reset means that it lost nothing; of other kinds it may have none.
        empty = nothing if kind == RESET else np.logical_and.reduceat(gaps, into.starts, axis=1)
        if kind == LAST:
            at = np.maximum.reduceat(np.where(gaps, -1, np.arange(values.shape[1])), into.starts, axis=1)
            found = np.take_along_axis(values, np.maximum(at, 0), axis=1)
        else:
            found = _REDUCE[kind](values, gaps, into.starts)
        rolled[kind] = np.where(empty, blank(1, 1), found)
    return rolled


def _total(values: Floats, gaps: Mask, starts: Ints) -> Floats:
    sums: Floats = np.add.reduceat(np.where(gaps, 0.0, values), starts, axis=1)
    return sums


def _extreme(ufunc: np.ufunc) -> Callable[..., Floats]:
    def reduced(values: Floats, gaps: Mask, starts: Ints) -> Floats:
        # fmin and fmax pass over NaN, but not over the signalling one that absence is.
        found: Floats = ufunc.reduceat(np.where(gaps, np.nan, values), starts, axis=1)
        return found

    return reduced


_REDUCE: Mapping[int, Callable[..., Floats]] = {
    RESET: _total, COUNT: _total, SUM: _total, MIN: _extreme(np.fmin), MAX: _extreme(np.fmax),
}  # fmt: skip


def kept_kinds(counter: bool | None) -> Sequence[int]:
    """What a tier keeps of a series."""
    both = (LAST, COUNT)
    return (*both, *(() if counter is False else (RESET,)), *(() if counter else (MIN, MAX, SUM)))


def climbing(last: Floats, lost: Floats) -> Floats:
    """A counter as if it had never been reset: what it has plus all that it lost; gaps stay gaps."""
    gaps = absent(last)
    total = np.cumsum(np.where(absent(lost), 0.0, lost), axis=1)
    return np.where(gaps, last, last + total)
