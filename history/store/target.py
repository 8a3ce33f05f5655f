"""One target of the store in memory: its series, its head, its index of blocks, and how a tick lies in its layout."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collectors.model import Family, Sample
from history.model import Labels
from history.samples import Floats, Ints, Matcher, Series, matches
from history.store.head import Head
from history.store.naming import series_labels
from history.store.page import Ids
from history.store.sealed import Block, Layout, holding
from history.store.tiers import RAW

REMEMBERED = 1000
"""Selections whose series a target remembers."""


@dataclass(frozen=True)
class Arrangement:
    """How the samples of one tick become a vector in layout order. Kept while ticks look alike: they mostly do."""

    families: tuple[Family, ...]
    labels: tuple[tuple[str, ...], ...]
    order: NDArray[np.intp]
    layout: Layout

    def fits(self, families: tuple[Family, ...], labels: tuple[tuple[str, ...], ...]) -> bool:
        return self.families == families and self.labels == labels


@dataclass(eq=False)
class StoredTarget:
    id: int
    labels: Labels
    head: Head = field(default_factory=Head)
    blocks: dict[int, list[Block]] = field(default_factory=dict)
    """Tier -> its blocks, oldest first; those of a tier never overlap."""
    series: dict[int, Labels] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    """Canonical labels -> series id."""
    layouts: dict[bytes, Layout] = field(default_factory=dict)
    arrangement: Arrangement | None = None
    settled: bool = False
    """Nothing was sealed since it was last found that no coarser block is due."""
    _named: dict[str, list[int]] = field(default_factory=dict)
    _found: dict[tuple[Matcher, ...], Ids] = field(default_factory=dict)
    _placed: tuple[Head, Layout, NDArray[np.intp]] | None = None

    @property
    def sealed_until(self) -> int | None:
        """ms; no tick can come before it any more."""
        blocks = self.blocks.get(RAW)
        return blocks[-1].t1 if blocks else None

    @property
    def last(self) -> int | None:
        """The newest stamp (ms)."""
        return int(self.head.stamps[-1]) if self.head.count else self.sealed_until

    def takes(self, stamp: int) -> bool:
        """It is not there yet, and what it would stand among is not sealed."""
        return (self.sealed_until is None or stamp > self.sealed_until) and not self.head.holds(stamp)

    def extends(self, stamp: int) -> bool:
        """There is a tick of that stamp, and it is not sealed."""
        return (self.sealed_until is None or stamp > self.sealed_until) and self.head.holds(stamp)

    def add_series(self, series_id: int, labels: Labels, text: str) -> None:
        self.series[series_id] = Series(labels)
        self._found.clear()
        self.ids[text] = series_id
        self._named.setdefault(labels["__name__"], []).append(series_id)

    def forget(self, layouts: Sequence[Layout], series: Sequence[int]) -> None:
        """They are in no block and no tick."""
        self._found.clear()
        gone = {layout.id for layout in layouts}
        self.layouts = {data: layout for data, layout in self.layouts.items() if layout.id not in gone}
        for series_id in series:
            labels = self.series.pop(series_id)
            self._named[labels["__name__"]].remove(series_id)
        left = set(self.series)
        self.ids = {text: series_id for text, series_id in self.ids.items() if series_id in left}
        self._named = {name: ids for name, ids in self._named.items() if ids}

    def names(self, samples: Sequence[Sample]) -> list[dict[str, str]]:
        """Labels of each sample's series."""
        return [series_labels(sample.family, sample.labels, self.labels) for sample in samples]

    def extend(self, stamps: Ints, layout: Layout, values: Floats) -> None:
        """`values` [series of the layout x stamps], any number of stamps, later than all that are here."""
        self.head.extend(stamps, self._place(layout), values)

    def put(self, stamp: int, layout: Layout, values: Floats) -> None:
        """Further samples of a tick that is there."""
        self.head.put(stamp, self._place(layout), values)

    def insert(self, stamp: int, layout: Layout, values: Floats) -> None:
        """One tick, wherever it belongs in the head."""
        if self.head.count and stamp < self.head.stamps[-1]:
            self.head.insert(stamp, self._place(layout), values)
        else:
            self.extend(np.array([stamp]), layout, values[:, None])

    def _place(self, layout: Layout) -> NDArray[np.intp]:
        if self._placed is None or self._placed[0] is not self.head or self._placed[1] is not layout:
            self._placed = (self.head, layout, self.head.place(layout.ids.tolist()))
        return self._placed[2]

    def drop_head(self, scrapes: int) -> None:
        self.head.drop(scrapes)
        self._placed = None

    def set_blocks(self, blocks: Sequence[Block]) -> None:
        """In place of all that were known."""
        by_tier: dict[int, list[Block]] = {}
        for block in sorted(blocks, key=lambda block: block.t0):
            by_tier.setdefault(block.tier, []).append(block)
        self.settled = False
        self.blocks = by_tier

    def exchange_blocks(self, gone: Sequence[Block], come: Sequence[Block]) -> None:
        former = {block.id for block in gone}
        self.set_blocks([block for block in self.of(tuple(self.blocks)) if block.id not in former] + list(come))

    def forget_sealed(self) -> None:
        """What another process has sealed meanwhile leaves the head."""
        if self.sealed_until is not None and self.head.count:
            sealed = int(np.searchsorted(self.head.stamps, self.sealed_until, side="right"))
            if sealed:
                self.drop_head(sealed)

    def forget_head(self) -> None:
        self.head, self._placed = Head(), None

    def of(self, tiers: Sequence[int]) -> list[Block]:
        """The blocks of those tiers, oldest first."""
        return sorted((block for tier in tiers for block in self.blocks.get(tier, ())), key=lambda block: block.t0)

    def within(self, tier: int, start: int, end: int) -> list[Block]:
        return [block for block in self.blocks.get(tier, ()) if block.t0 <= end and block.t1 >= start]

    def alive(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Labels]:
        """Labels of what matches and has a sample in that time, or in a sealed block that touches it."""
        found = self.find(matchers)
        living = self.head.alive(found.tolist(), start, end)
        touched = [block for tier in self.blocks for block in self.within(tier, start, end)]
        living |= set(holding(touched, found).tolist())
        return [self.series[series_id] for series_id in found.tolist() if series_id in living]

    def find(self, matchers: Sequence[Matcher]) -> Ids:
        """Ids of the series that match, ascending. Rules and charts ask for the same ones again and again."""
        asked = tuple(matchers)
        found = self._found.get(asked)
        if found is None:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            found = self._found[asked] = self._find(asked)
        return found

    def _find(self, matchers: Sequence[Matcher]) -> Ids:
        names = [matcher for matcher in matchers if matcher.label == "__name__"]
        others = [matcher for matcher in matchers if matcher.label != "__name__"]
        exact = [matcher.value for matcher in names if matcher.op == "="]
        candidates = exact[:1] if exact else list(self._named)
        hits = [name for name in candidates if all(matcher(name) for matcher in names)]
        series = self.series
        found = sorted(at for name in hits for at in self._named.get(name, ()) if matches(series[at], others))
        return np.array(found, dtype=np.uint32)
