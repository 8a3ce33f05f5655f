"""One target of the store in memory: its series, its blocks, and how a tick's samples lie in its layout."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.model import Family, Sample
from history.model import Labels
from history.samples import Floats, Group, Ints, Matcher, absent, matches
from history.store.block import Block
from history.store.naming import canonical, series_labels


@dataclass(frozen=True)
class Layout:
    id: int
    series_ids: tuple[int, ...]  # ascending


@dataclass(frozen=True)
class Arrangement:
    """How the samples of one tick become a vector in layout order. Kept while ticks look alike: they mostly do."""

    families: tuple[Family, ...]
    labels: tuple[tuple[str, ...], ...]
    order: NDArray[np.intp]
    layout: Layout

    def fits(self, families: tuple[Family, ...], labels: tuple[tuple[str, ...], ...]) -> bool:
        return self.families == families and self.labels == labels


@dataclass
class StoredTarget:
    id: int
    labels: Labels
    blocks: list[Block] = field(default_factory=list)
    series: dict[int, Labels] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    """Canonical labels -> series id."""
    layouts: dict[tuple[int, ...], Layout] = field(default_factory=dict)
    last: int | None = None  # ms
    arrangement: Arrangement | None = None
    _named: dict[str, list[int]] = field(default_factory=dict)
    _placed: tuple[Block, Layout, NDArray[np.intp]] | None = None

    def add_series(self, series_id: int, labels: Labels, text: str) -> None:
        self.series[series_id] = labels
        self.ids[text] = series_id
        self._named.setdefault(labels["__name__"], []).append(series_id)

    def names(self, samples: Sequence[Sample]) -> list[tuple[str, Labels]]:
        """Canonical text and labels of each sample's series."""
        named = [series_labels(sample.family, sample.labels, self.labels) for sample in samples]
        return [(canonical(labels), labels) for labels in named]

    def extend(self, stamps: Ints, layout: Layout, values: Floats) -> None:
        """`values` [series of the layout x stamps], any number of stamps."""
        done = 0
        while done < len(stamps):
            if not self.blocks or self.blocks[-1].full:
                self.blocks.append(Block(len(layout.series_ids)))
            block = self.blocks[-1]
            end = min(done + block.room, len(stamps))
            block.extend(stamps[done:end], self._place(block, layout), values[:, done:end])
            done = end
        self.last = int(stamps[-1])

    def _place(self, block: Block, layout: Layout) -> NDArray[np.intp]:
        if self._placed is None or self._placed[0] is not block or self._placed[1] is not layout:
            self._placed = (block, layout, block.rows(layout.series_ids))
        return self._placed[2]

    def forget(self, before: int) -> None:
        """Drop the blocks that end before that stamp (ms)."""
        while self.blocks and self.blocks[0].full and self.blocks[0].stamps[-1] < before:
            del self.blocks[0]

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> Group | None:
        """None: nothing that matches has a sample in that time."""
        found = self._find(matchers)
        blocks = self._within(start, end)
        if not found or not blocks:
            return None
        pieces = [block.read(found, start, end) for block in blocks]
        stamps = np.concatenate([stamps for stamps, _ in pieces])
        values = np.concatenate([values for _, values in pieces], axis=1) if len(pieces) > 1 else pieces[0][1]
        alive = np.flatnonzero(~absent(values).all(axis=1)).tolist()
        if not alive:
            return None
        labels = [self.series[found[row]] for row in alive]
        return Group(labels, stamps, values if len(alive) == len(found) else values[alive])

    def alive(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Labels]:
        """Labels of what matches and has a sample in that time."""
        found = self._find(matchers)
        living = set[int]().union(*(block.alive(found, start, end) for block in self._within(start, end)))
        return [self.series[series_id] for series_id in found if series_id in living]

    def _within(self, start: int, end: int) -> list[Block]:
        return [block for block in self.blocks if block.stamps[0] <= end and block.stamps[-1] >= start]

    def _find(self, matchers: Sequence[Matcher]) -> list[int]:
        """Series in the order they came."""
        names = [matcher for matcher in matchers if matcher.label == "__name__"]
        others = [matcher for matcher in matchers if matcher.label != "__name__"]
        exact = [matcher.value for matcher in names if matcher.op == "="]
        candidates = exact[:1] if exact else list(self._named)
        hits = [name for name in candidates if all(matcher(name) for matcher in names)]
        series = self.series
        return [at for name in hits for at in self._named.get(name, ()) if matches(series[at], others)]
