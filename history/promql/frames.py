"""What expressions evaluate to: many steps at once, as arrays [series x steps] with a mask of presence.

A value that is not present is arbitrary: NaN is a value like any other, never a sign of absence.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from history.model import Labels, QueryError
from history.samples import Floats, Group, Ints, Mask, Series, absent, blank

NAME = "__name__"
METADATA = frozenset({NAME, "__type__", "__unit__"})
"""Labels that say what a metric is: they go when a result is something else."""
SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True)
class Frame:
    labels: Sequence[Labels]
    values: Floats  # [series x steps]
    present: Mask  # [series x steps]

    def take(self, rows: Sequence[int]) -> "Frame":
        return Frame([self.labels[row] for row in rows], self.values[rows], self.present[rows])


@dataclass(frozen=True)
class Window:
    """Series without any gap that share stamps, and which of their samples each step's range covers."""

    labels: Sequence[Labels]
    stamps: Ints  # ms
    values: Floats  # [series x stamps]
    first: Ints  # [steps], index of the first sample in the range
    after: Ints  # [steps], index after the last

    @property
    def counts(self) -> Ints:
        return self.after - self.first


@dataclass(frozen=True)
class Ranges:
    """A range vector at every step."""

    windows: Sequence[Window]
    ends: Ints  # [steps], ms: where the ranges end, offset and @ applied
    range: int  # ms


def empty(steps: int) -> Frame:
    return Frame([], np.empty((0, steps)), np.empty((0, steps), dtype=bool))


def stack(frames: Iterable[Frame], steps: int) -> Frame:
    kept = [frame for frame in frames if frame.labels]
    if not kept:
        return empty(steps)
    if len(kept) == 1:
        return kept[0]
    labels = [labels for frame in kept for labels in frame.labels]
    return Frame(labels, np.vstack([f.values for f in kept]), np.vstack([f.present for f in kept]))


def side_by_side(frames: Sequence[Frame]) -> Frame:
    """Frames of one span after another as one; a series may be in some of them only."""
    rows: dict[Hashable, int] = {}
    labels: list[Labels] = []
    for each in (each for frame in frames for each in frame.labels):
        if key(each) not in rows:
            rows[key(each)] = len(labels)
            labels.append(each)
    steps = [frame.values.shape[1] for frame in frames]
    values, present = np.zeros((len(labels), sum(steps))), np.zeros((len(labels), sum(steps)), dtype=bool)
    begin = 0
    for frame, width in zip(frames, steps, strict=True):
        places = [rows[key(each)] for each in frame.labels]
        values[places, begin : begin + width] = frame.values
        present[places, begin : begin + width] = frame.present
        begin += width
    return Frame(labels, values, present)


def windows(groups: Iterable[Group], ends: Ints, span: int, *, closed: bool = False) -> Ranges:
    """Each step's range is left-open: end - span < t <= end; `closed`: its left border belongs to it."""
    found = []
    for group in groups:
        for labels, stamps, values in _gapless(group):
            first = np.searchsorted(stamps, ends - span, side="left" if closed else "right")
            after = np.searchsorted(stamps, ends, side="right")
            found.append(Window(labels, stamps, values, first, after))
    return Ranges(found, ends, span)


def _gapless(group: Group) -> Iterable[tuple[Sequence[Labels], Ints, Floats]]:
    """The group split by where its series have gaps: within each part there are none."""
    if not group.labels:
        return
    gaps = absent(group.values)
    if not gaps.any():
        yield group.labels, group.stamps, group.values
        return
    alike: dict[bytes, list[int]] = {}
    for row, pattern in enumerate(np.packbits(gaps, axis=1)):
        alike.setdefault(pattern.tobytes(), []).append(row)
    for rows in alike.values():
        there = ~gaps[rows[0]]
        if there.any():
            yield [group.labels[row] for row in rows], group.stamps[there], group.values[rows][:, there]


def as_group(frame: Frame, stamps: Ints) -> Group:
    """A frame as samples: what a subquery's range is taken over."""
    return Group(frame.labels, stamps, np.where(frame.present, frame.values, blank(1, 1)))


def key(labels: Mapping[str, str]) -> Hashable:
    return labels.key if isinstance(labels, Series) else frozenset(labels.items())


def without_name(frame: Frame) -> Frame:
    """The frame without metric names; QueryError if two series have become one."""
    return relabel(frame, drop_name)


def drop_name(labels: Labels) -> Labels:
    return {name: value for name, value in labels.items() if name not in METADATA}


def relabel(frame: Frame, rename: Callable[[Labels], Labels]) -> Frame:
    return merge(Frame([rename(labels) for labels in frame.labels], frame.values, frame.present))


def merge(frame: Frame, problem: str = SAME_LABELS) -> Frame:
    """Rows of equal labels become one; QueryError(problem) if two have a value at the same step."""
    rows: dict[Hashable, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        rows.setdefault(key(labels), []).append(row)
    if len(rows) == len(frame.labels):
        return frame
    merged = frame.take([alike[0] for alike in rows.values()])
    for at, alike in enumerate(rows.values()):
        if len(alike) > 1:
            if (frame.present[alike].sum(axis=0) > 1).any():
                raise QueryError("execution", problem)
            for row in alike[1:]:
                merged.values[at] = np.where(frame.present[row], frame.values[row], merged.values[at])
                merged.present[at] |= frame.present[row]
    return merged


def alive(frame: Frame) -> Frame:
    """The frame without the series that have no value at any step."""
    some = frame.present.any(axis=1)
    return frame if some.all() else frame.take(np.flatnonzero(some).tolist())
