"""Takes in samples of the past: of times of which a target has nothing yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from history.model import Labels
from history.samples import Floats, Ints, Mask, absent, blank
from history.store import head, rolling, tiers
from history.store.codec import SMALL
from history.store.naming import canonical
from history.store.sealing import Column, prepare
from history.store.target import StoredTarget
from history.store.tiers import HOUR, RAW, VALUES

if TYPE_CHECKING:
    from history.store.store import Store


class Series(Protocol):
    @property
    def labels(self) -> Labels: ...
    @property
    def stamps(self) -> Sequence[int]: ...
    @property
    def values(self) -> Sequence[float]: ...


IDENTITY = ("job", "instance")


@dataclass(frozen=True)
class Past:
    """Series of one target, as scrapes: a series that is not in one had ended, or not begun."""

    labels: Labels
    """The target's own, which all of its series have."""
    series: Sequence[Labels]
    stamps: Ints  # ms, ascending
    values: Floats  # [series x stamps]

    @property
    def count(self) -> int:
        return int((~absent(self.values)).sum())


def target_of(store: "Store", labels: Labels) -> Labels:
    """Labels of the target whose series this is: one that the store has, else job and instance."""
    known = [stored.labels for stored in store.targets() if stored.labels.items() <= labels.items()]
    asked = {name: labels[name] for name in IDENTITY if name in labels}
    return max((each for each in known if asked.items() <= each.items()), key=len, default=asked)


def take(store: "Store", past: Past) -> int:
    """How many of the samples were taken; the others are of times that the target has."""
    stored, ids = store.declare(past.labels, past.series)
    order = np.argsort(ids)
    ids, values = ids[order], past.values[order]
    taken = 0
    for some in _pieces(stored, past.stamps):
        here = values[:, some]
        rows = ~absent(here).all(axis=1)
        block = prepare(RAW, past.stamps[some], [Column(VALUES, ids[rows], here[rows])], level=SMALL)
        while not store.exchange(stored, come=[block]):
            stored, _ = store.declare(past.labels, past.series)  # another process was faster: it is a new object
        taken += int((~absent(here)).sum())
        _roll(store, stored, block.t0, block.t1)
    return taken


def free(stored: StoredTarget, stamps: Ints) -> Mask:
    """Of which of these times the target has nothing."""
    taken = np.zeros(len(stamps), dtype=bool)
    for block in stored.of(tuple(stored.blocks)):
        taken |= (stamps >= block.t0) & (stamps <= block.t1)
    if stored.head.count:
        taken |= stamps >= stored.head.stamps[0]
    return ~taken


def _pieces(stored: StoredTarget, stamps: Ints) -> Iterator[slice]:
    """What becomes a block: between two blocks that are there, and all of it rolled up or all of it not."""
    blocks = stored.of(tuple(stored.blocks))
    cuts = {border for block in blocks for border in (block.t0, block.t1 + 1, block.until + 1)}
    cuts |= set(stored.head.stamps[:1].tolist())
    borders = [0, *np.searchsorted(stamps, sorted(cuts)).tolist(), len(stamps)]
    open_times = free(stored, stamps)
    for begin, end in pairwise(borders):
        inner = np.flatnonzero(open_times[begin:end])
        for first in range(begin, begin + len(inner), 2 * head.SCRAPES):
            yield slice(first, min(first + 2 * head.SCRAPES, begin + len(inner)))


def _roll(store: "Store", stored: StoredTarget, first: int, last: int) -> None:
    """What is older than the tiers, they will not come back for: their part is built now."""
    fine = next((tier for tier in rolling.FINE if stored.blocks.get(tier)), None)
    if fine is None or last > rolling.rolled_until(stored, rolling.FINE):
        return
    kinds = {name: tiers.is_counter(name, found.type) for name, found in store.metadata().items()}
    for tier, below in ((fine, (RAW,)), (HOUR, rolling.FINE)):
        if tier == HOUR and last > rolling.rolled_until(stored, (HOUR,)):
            return
        sources = tuple(block for block in stored.of(below) if block.t0 >= first and block.t1 <= last)
        what = rolling.Due(tier, first - 1, last, sources)
        store.exchange(stored, come=[rolling.build(stored, what, store.slow_reader, kinds)])


def by_target(store: "Store", series: Sequence[Series]) -> Iterator[Past]:
    """One target after the other. Of two samples of a series at one stamp the first is kept."""
    found: dict[str, tuple[Labels, list[Series]]] = {}
    for each in series:
        labels = target_of(store, each.labels)
        found.setdefault(canonical(labels), (labels, []))[1].append(each)
    yield from (_scrapes(labels, members) for labels, members in found.values())


def _scrapes(labels: Labels, series: Sequence[Series]) -> Past:
    stamps = np.unique(np.concatenate([np.asarray(each.stamps) for each in series]))
    values = blank(len(series), len(stamps))
    for row, each in enumerate(series):
        unique, at = np.unique(np.asarray(each.stamps), return_index=True)
        values[row, np.searchsorted(stamps, unique)] = np.asarray(each.values)[at]
    return Past(labels, [each.labels for each in series], stamps, values)
