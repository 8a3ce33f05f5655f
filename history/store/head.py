"""One target's newest scrapes in memory: a matrix of series x scrapes whose rows share the stamps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from history.samples import Floats, Ints, absent, blank
from history.store.page import Ids

SCRAPES = 480
"""What is sealed as one block."""
SPARE = 64
"""Scrapes that stay in memory when a block is sealed: time in which a clock that was put back loses nothing."""


class Head:
    """Not locked: the store lets one thread write, and hands out copies."""

    def __init__(self) -> None:
        self.count = 0
        self._stamps = np.empty(SPARE, dtype=np.int64)
        self._values = blank(0, SPARE)
        self._row: dict[int, int] = {}

    @property
    def stamps(self) -> Ints:
        return self._stamps[: self.count]

    @property
    def due(self) -> bool:
        """There is a block to seal."""
        return self.count >= SCRAPES + SPARE

    @property
    def samples(self) -> int:
        return int((~absent(self._values[: len(self._row), : self.count])).sum())

    def place(self, series_ids: Sequence[int]) -> NDArray[np.intp]:
        """The row of each series, made where there is none yet."""
        row = self._row
        for series_id in series_ids:
            row.setdefault(series_id, len(row))
        if len(row) > len(self._values):
            grown = blank(len(row) + len(row) // 4, self._values.shape[1])
            grown[: len(self._values)] = self._values
            self._values = grown
        return np.fromiter((row[series_id] for series_id in series_ids), dtype=np.intp, count=len(series_ids))

    def extend(self, stamps: Ints, rows: NDArray[np.intp], values: Floats) -> None:
        """`values` [rows x stamps]; a row that is not named has no sample at these stamps, all later than any here."""
        end = self.count + len(stamps)
        self._reserve(end)
        self._stamps[self.count : end] = stamps
        self._values[rows, self.count : end] = values
        self.count = end

    def insert(self, stamp: int, rows: NDArray[np.intp], values: Floats) -> None:
        """One scrape between those that are here already."""
        self._reserve(self.count + 1)
        at = int(np.searchsorted(self.stamps, stamp))
        for array in (self._stamps[None], self._values):
            array[:, at + 1 : self.count + 1] = array[:, at : self.count].copy()
        self._stamps[at] = stamp
        self._values[:, at] = blank(1, 1)[0, 0]
        self._values[rows, at] = values
        self.count += 1

    def holds(self, stamp: int) -> bool:
        at = int(np.searchsorted(self.stamps, stamp))
        return at < self.count and int(self._stamps[at]) == stamp

    def tick(self, stamp: int) -> tuple[Ids, Floats]:
        """Ascending ids and values of those with a sample at a stamp that is here."""
        column = self._values[: len(self._row), int(np.searchsorted(self.stamps, stamp))]
        rows = np.flatnonzero(~absent(column))
        ids = np.array(list(self._row), dtype=np.uint32)[rows]
        order = np.argsort(ids)
        return ids[order], column[rows[order]]

    def put(self, stamp: int, rows: NDArray[np.intp], values: Floats) -> None:
        """Further samples at a stamp that is here."""
        self._values[rows, int(np.searchsorted(self.stamps, stamp))] = values

    def oldest(self) -> tuple[Ints, Ids, Floats]:
        """What is sealed next: copies of the stamps, of the ids with samples there, ascending, and of their values."""
        values = self._values[: len(self._row), :SCRAPES]
        rows = np.flatnonzero(~absent(values).all(axis=1))
        ids = np.array(list(self._row), dtype=np.uint32)[rows]  # a row's place is the order it came in
        order = np.argsort(ids)
        return self._stamps[:SCRAPES].copy(), ids[order], values[rows[order]]

    def drop(self, scrapes: int) -> None:
        """Forget the first scrapes, and every series that has no sample in the others."""
        kept = self._values[: len(self._row), scrapes : self.count]
        rows = np.flatnonzero(~absent(kept).all(axis=1))
        stamps = self.stamps[scrapes:].copy()
        ids = list(self._row)
        self._row = {ids[row]: at for at, row in enumerate(rows.tolist())}
        self._values = blank(len(rows), max(SPARE, 2 * len(stamps)))
        self._values[:, : len(stamps)] = kept[rows]
        self._stamps = np.empty(self._values.shape[1], dtype=np.int64)
        self._stamps[: len(stamps)] = stamps
        self.count = len(stamps)

    def alive(self, series_ids: Sequence[int], start: int, end: int) -> set[int]:
        """Those of the series that have a sample of start <= t <= end (ms)."""
        first, last = np.searchsorted(self.stamps, (start, end + 1))
        row = self._row
        found = [series_id for series_id in series_ids if series_id in row]
        if not found:
            return set()
        gaps = absent(self._values[:, first:last].take([row[series_id] for series_id in found], axis=0))
        return {series_id for series_id, gap in zip(found, gaps, strict=True) if not gap.all()}

    def read(self, series_ids: Sequence[int], start: int, end: int) -> tuple[Ints, Floats]:
        """Copies of the stamps and values [series_ids x stamps] of start <= t <= end (ms)."""
        first, last = np.searchsorted(self.stamps, (start, end + 1))
        row = self._row
        found = [(at, row[series_id]) for at, series_id in enumerate(series_ids) if series_id in row]
        values = blank(len(series_ids), int(last - first))
        if found and last > first:
            places, rows = (list(column) for column in zip(*found, strict=True))
            values[places] = self._values[:, first:last].take(rows, axis=0)
        return self._stamps[first:last].copy(), values

    def _reserve(self, scrapes: int) -> None:
        room = self._values.shape[1]
        if scrapes <= room:
            return
        values = blank(len(self._values), max(scrapes, 2 * room))
        values[:, :room] = self._values
        stamps = np.empty(values.shape[1], dtype=np.int64)
        stamps[:room] = self._stamps
        self._values, self._stamps = values, stamps
