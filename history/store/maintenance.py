"""What keeps a store in shape, one small step at a time: sealing, roll-ups, retention, room, merging, sweeping."""

from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from history.database import give_back, room
from history.retention import Retention
from history.samples import blank
from history.store import head, rolling, tiers
from history.store.codec import SMALL
from history.store.expiry import Clock, expired, forgotten, sacrifices
from history.store.sealed import Block, PagesGone, holding
from history.store.sealing import Column, Prepared, prepare
from history.store.target import StoredTarget
from history.store.tiers import RAW, VALUES

if TYPE_CHECKING:
    from history.store.store import Store

LOOK_EVERY = 60_000
"""ms between looks for what is past its time, and for room."""
SWEEP_EVERY = 6 * 3_600_000  # ms
GIVE_BACK = 2**23
"""Bytes that go back to the file system in one step."""
AT_ONCE = 16
"""Blocks that go in one transaction."""


class Maintenance:
    """By one thread. Every step is one transaction at most, and each can be taken again."""

    def __init__(self, store: "Store", retention: Retention) -> None:
        self._store = store
        self._retention = retention
        self._clock = Clock(store.newest)
        self._measured = 0  # ms, when it was last found that there is room enough
        self._looked = 0  # ms, when it was last looked for what is past its time
        self._swept = 0  # ms
        self._spoilt: set[int] = set()
        """Blocks with damage: they stay as they are."""

    def step(self, now: int) -> bool:
        """What is most urgent at `now` (ms), if anything is. True: there may be more to do."""
        self._store.catch_up()
        try:
            return (
                self.seal()
                or self.roll()
                or self._expire(now)
                or self._make_room(now)
                or self.merge()
                or self._sweep(now)
            )
        except PagesGone:  # another process has merged or trimmed them meanwhile
            self._store.refresh()
            return True

    def trusts(self, now: float) -> bool:
        """Whether the clock (Unix seconds) can be believed when it says that something is old."""
        return self._clock.steady(round(now * 1000))

    def seal(self) -> bool:
        """One target's oldest scrapes in memory, if there are enough of them."""
        stored = next((stored for stored in self._store.targets() if stored.head.due), None)
        if stored is None:
            return False
        with self._store.memory:
            stamps, ids, values = stored.head.oldest()
        self._store.exchange(stored, come=[prepare(RAW, stamps, [Column(VALUES, ids, values)])], seals=stamps)
        return True

    def roll(self) -> bool:
        """One block of a coarser tier, if one is due."""
        for stored in self._store.targets():
            if stored.settled:
                continue
            with self._store.memory:
                what = rolling.due(stored)
                stored.settled = what is None
            if what is not None:
                kinds = {name: tiers.is_counter(name, found.type) for name, found in self._store.metadata().items()}
                block = rolling.build(stored, what, self._store.slow_reader, kinds)
                self._store.exchange(stored, come=[block])
                return True
        return False

    def pairs(self) -> list[tuple[StoredTarget, Block, Block]]:
        """Neighbouring blocks of samples that are packed better as one."""
        with self._store.memory:
            return [
                (stored, *pair)
                for stored in self._store.targets()
                for pair in pairwise(stored.within(RAW, -(2**62), 2**62))
                if pair[0].count + pair[1].count <= 2 * head.SCRAPES and not self._damaged(pair)
            ]

    def merge(self) -> bool:
        """Two blocks into one, packed with more effort."""
        for stored, *pair in self.pairs():
            block = self._merged(stored, pair)
            if block is not None:
                self._store.exchange(stored, gone=pair, come=[block])
                return True
        return False

    def sweep(self) -> bool:
        """Rows of series and layouts that nothing refers to any more."""
        return any(self._store.sweep(stored) for stored in self._store.targets())

    def _damaged(self, blocks: tuple[Block, ...]) -> bool:
        return any(block.missing or block.id in self._spoilt for block in blocks)

    def _merged(self, stored: StoredTarget, pair: list[Block]) -> Prepared | None:
        ids = holding(pair, np.array(sorted(stored.series), dtype=np.uint32))
        values = blank(len(ids), sum(block.count for block in pair))
        reader = self._store.slow_reader
        stamps = reader.read(pair, ids, VALUES, values)
        spoilt = {
            block.id for block in pair for page in (-block.id, *(p.id for p in block.pages)) if page in reader.damaged
        }
        self._spoilt |= spoilt
        return None if spoilt else prepare(RAW, stamps, [Column(VALUES, ids, values)], level=SMALL)

    def _expire(self, now: int) -> bool:
        if not self._clock.steady(now) or 0 <= now - self._looked < LOOK_EVERY:
            return False
        for stored in self._store.targets():
            with self._store.memory:
                gone = expired(stored, self._retention, now)[:AT_ONCE]
                old = int(np.searchsorted(stored.head.stamps, forgotten(self._retention.raw, now)))
                seals = stored.head.stamps[:old].copy() if old else None
            if gone or old:
                self._store.exchange(stored, gone=gone, seals=seals)
                return True
        self._looked = now
        return False

    def _make_room(self, now: int) -> bool:
        """Bring the database below its size; the step that looked and found no need is the last for some time."""
        if 0 <= now - self._measured < LOOK_EVERY:
            return False
        found = room(self._store.engine)
        if found.used + found.spare > self._retention.most_bytes and found.spare:
            give_back(self._store.engine, GIVE_BACK)
        if found.used <= self._retention.most_bytes:
            self._measured = now
            return False
        with self._store.memory:
            gone = list(islice(sacrifices(self._store.targets()), 1))
        for stored, block in gone:
            self._store.exchange(stored, gone=[block])
        if not gone:
            self._measured = now
        return bool(gone)

    def _sweep(self, now: int) -> bool:
        if 0 <= now - self._swept < SWEEP_EVERY:
            return False
        if not self.sweep():
            self._swept = now
            return False
        return True
