"""Some hours of one target in memory: a matrix of series x scrapes whose rows share the stamps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from history.samples import Floats, Ints, absent, blank

SCRAPES = 480
"""Scrapes a block holds: also what is sealed as one."""


class Block:
    """Not locked: the store lets one thread write and hands out copies."""

    def __init__(self, series: int) -> None:
        self.count = 0
        self._stamps = np.empty(SCRAPES, dtype=np.int64)
        self._values = blank(series, SCRAPES)
        self._row: dict[int, int] = {}

    @property
    def room(self) -> int:
        return SCRAPES - self.count

    @property
    def full(self) -> bool:
        return self.count == SCRAPES

    @property
    def stamps(self) -> Ints:
        return self._stamps[: self.count]

    def rows(self, series_ids: Sequence[int]) -> NDArray[np.intp]:
        """The row of each series, made where there is none yet."""
        row = self._row
        for series_id in series_ids:
            row.setdefault(series_id, len(row))
        if len(row) > len(self._values):
            grown = blank(len(row) + len(row) // 4, SCRAPES)
            grown[: len(self._values)] = self._values
            self._values = grown
        return np.fromiter((row[series_id] for series_id in series_ids), dtype=np.intp, count=len(series_ids))

    def extend(self, stamps: Ints, rows: NDArray[np.intp], values: Floats) -> None:
        """`values` [rows x stamps]; a row that is not named has no sample at these stamps."""
        end = self.count + len(stamps)
        self._stamps[self.count : end] = stamps
        self._values[rows, self.count : end] = values
        self.count = end

    def alive(self, series_ids: Sequence[int], start: int, end: int) -> set[int]:
        """Those of the series that have a sample of start <= t <= end (ms)."""
        first, last = np.searchsorted(self.stamps, (start, end + 1))
        row = self._row
        found = [series_id for series_id in series_ids if series_id in row]
        if (first, last) == (0, self.count) or not found:
            return set(found)  # a row is made for a sample
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
