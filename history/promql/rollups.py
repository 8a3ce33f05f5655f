"""Vectors and functions of ranges where roll-ups answer, because the samples have gone or are too many.

What a counter or a sum had at the ends of a range is interpolated between buckets, so a range needs no whole buckets:
it may even be narrower than one. A minimum or maximum is that of all buckets which the range touches.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from history.model import Labels
from history.promql.frames import Frame, Window, empty, stack
from history.promql.reduce import segments
from history.samples import Floats, Ints, Mask, Rolled, absent
from history.store.tiers import COUNT, LAST, MAX, MIN, RESET, SUM, climbing

EXACT = 5_000_000
"""So many samples are read rather than roll-ups: 40 MB, a tenth of a second."""

LOOKBACK = 300_000  # ms


@dataclass(frozen=True)
class Part:
    """Series that have every bucket."""

    labels: Sequence[Labels]
    stamps: Ints  # ms
    widths: Ints  # ms
    columns: Mapping[int, Floats]

    @property
    def borders(self) -> Ints:
        """Where each bucket ends (ms)."""
        width = np.maximum(self.widths, 1)
        return -(-self.stamps // width) * width

    @property
    def begins(self) -> Ints:
        return self.borders - np.maximum(self.widths, 1)

    @property
    def reach(self) -> Ints:
        """How long (ms) a bucket's last value holds."""
        return np.maximum(2 * self.widths, LOOKBACK)


@dataclass(frozen=True)
class Asked:
    """Ranges of start < t <= end, of each step."""

    ends: Ints  # ms
    span: int  # ms

    @property
    def starts(self) -> Ints:
        return self.ends - self.span


Answer = tuple[Floats, Mask]
"""Values [series x steps], and at which steps there are any."""


def parts(rolled: Rolled) -> Iterator[Part]:
    """The group split by where its series have gaps."""
    gaps = absent(rolled.columns[LAST])
    alike: dict[bytes, list[int]] = {}
    for row, pattern in enumerate(np.packbits(gaps, axis=1)):
        alike.setdefault(pattern.tobytes(), []).append(row)
    for rows in alike.values():
        there = ~gaps[rows[0]]
        columns = {kind: values[rows][:, there] for kind, values in rolled.columns.items()}
        yield Part([rolled.labels[row] for row in rows], rolled.stamps[there], rolled.widths[there], columns)


def latest(rolled: Sequence[Rolled], ends: Ints) -> tuple[Frame, Floats]:
    """Each series' newest last value at each step, and its stamp (seconds)."""
    frames, stamps = [], []
    for part in (part for each in rolled for part in parts(each)):
        at, there = _newest(part, ends, 0)
        values = part.columns[LAST][:, at]
        frames.append(Frame(part.labels, values, np.broadcast_to(there, values.shape).copy()))
        stamps.append(np.broadcast_to(part.stamps[at] / 1000, values.shape))
    newest = stack(frames, len(ends))
    return newest, np.vstack(stamps) if stamps else newest.values


def over_time(name: str, rolled: Sequence[Rolled], asked: Asked) -> Frame:
    """A function of KINDS."""
    frames = []
    for part in (part for each in rolled for part in parts(each)):
        values, there = FUNCTIONS[name](part, asked)
        frames.append(Frame(part.labels, values, np.broadcast_to(there, values.shape).copy()))
    return stack(frames, len(asked.ends)) if frames else empty(len(asked.ends))


def _newest(part: Part, ends: Ints, span: int) -> tuple[Ints, Mask]:
    at = np.searchsorted(part.stamps, ends, side="right") - 1
    there: Mask = (at >= 0) & (part.stamps[at] > ends - np.maximum(part.reach[at], span))
    return at, there


def _touched(part: Part, asked: Asked) -> tuple[Ints, Ints]:
    """First bucket, and the one after the last, that each range has a share of."""
    first = np.searchsorted(part.borders, asked.starts, side="right")
    return first, np.searchsorted(part.begins, asked.ends, side="left")


def _increase(part: Part, asked: Asked) -> Answer:
    return _rise(part, asked, climbing(part.columns[LAST], part.columns[RESET]))


def _delta(part: Part, asked: Asked) -> Answer:
    return _rise(part, asked, part.columns[LAST])


def _rate(part: Part, asked: Asked) -> Answer:
    rise, there = _increase(part, asked)
    return rise / (asked.span / 1000), there


def _rise(part: Part, asked: Asked, values: Floats) -> Answer:
    first, after = _touched(part, asked)
    begin, lower, _ = _at(part, values, asked.starts, ended=False)
    end, _, upper = _at(part, values, asked.ends, ended=True)
    return end - begin, (after > first) & (upper > lower)


def _at(part: Part, values: Floats, when: Ints, *, ended: bool) -> tuple[Floats, Ints, Ints]:
    """Values [series x steps] interpolated between two buckets, and these.

    In a gap it is the value after it, or if a range has `ended` there, the value before it.
    """
    upper = np.searchsorted(part.stamps, when, side="left")
    lower = np.maximum(upper - 1, 0)
    upper = np.minimum(upper, len(part.stamps) - 1)
    apart = part.stamps[upper] - part.stamps[lower]
    gap = apart > part.reach[upper]
    lower, upper = (np.where(gap, lower, x) if ended else np.where(gap, upper, x) for x in (lower, upper))
    share = np.clip((when - part.stamps[lower]) / np.maximum(part.stamps[upper] - part.stamps[lower], 1), 0, 1)
    before = values[:, lower]
    return before + share * (values[:, upper] - before), lower, upper


def _total(kind: int) -> Callable[[Part, Asked], Answer]:
    def total(part: Part, asked: Asked) -> Answer:
        first, after = _touched(part, asked)
        so_far = np.cumsum(np.pad(part.columns[kind], ((0, 0), (1, 1))), axis=1)
        return _until(part, so_far, asked.ends) - _until(part, so_far, asked.starts), after > first

    return total


def _until(part: Part, so_far: Floats, when: Ints) -> Floats:
    """What came up to then, of a bucket that lasts longer its share."""
    whole = np.searchsorted(part.borders, when, side="right")
    at = np.minimum(whole, len(part.stamps) - 1)
    share = np.clip((when - part.begins[at]) / np.maximum(part.widths[at], 1), 0, 1)
    before = so_far[:, whole]
    return before + np.where(whole > at, 0.0, share) * (so_far[:, whole + 1] - before)


def _mean(part: Part, asked: Asked) -> Answer:
    total, there = _total(SUM)(part, asked)
    count, _ = _total(COUNT)(part, asked)
    return total / count, there


def _extreme(kind: int, ufunc: np.ufunc) -> Callable[[Part, Asked], Answer]:
    def extreme(part: Part, asked: Asked) -> Answer:
        first, after = _touched(part, asked)
        there = after > first
        values = np.zeros((len(part.labels), len(asked.ends)))
        if there.any():
            values[:, there] = segments(ufunc, part.columns[kind], first[there], after[there])
        return values, there

    return extreme


def _last(part: Part, asked: Asked) -> Answer:
    at, there = _newest(part, asked.ends, asked.span)
    return part.columns[LAST][:, at], there


def _present(part: Part, asked: Asked) -> Answer:
    first, after = _touched(part, asked)
    return np.ones((len(part.labels), len(asked.ends))), after > first


FUNCTIONS: dict[str, Callable[[Part, Asked], Answer]] = {
    "rate": _rate,
    "increase": _increase,
    "delta": _delta,
    "min_over_time": _extreme(MIN, np.fmin),
    "max_over_time": _extreme(MAX, np.fmax),
    "sum_over_time": _total(SUM),
    "count_over_time": _total(COUNT),
    "avg_over_time": _mean,
    "last_over_time": _last,
    "present_over_time": _present,
}

KINDS: dict[str, Sequence[int]] = {
    **dict.fromkeys(FUNCTIONS, (LAST,)),
    "rate": (LAST, RESET),
    "increase": (LAST, RESET),
    "min_over_time": (LAST, MIN),
    "max_over_time": (LAST, MAX),
    "sum_over_time": (LAST, SUM),
    "count_over_time": (LAST, COUNT),
    "avg_over_time": (LAST, SUM, COUNT),
}
"""What each function is made of."""


def windows(rolled: Sequence[Rolled], asked: Asked) -> list[Window]:
    """Last values as samples, for functions that fit a line: their errors at the ends of the range hardly matter."""
    return [
        Window(
            part.labels,
            part.stamps,
            part.columns[LAST],
            np.searchsorted(part.stamps, asked.starts, side="right"),
            np.searchsorted(part.stamps, asked.ends, side="right"),
        )
        for each in rolled
        for part in parts(each)
    ]
