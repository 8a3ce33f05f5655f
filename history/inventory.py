"""What a store holds, in numbers, and whether all of it can be read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from history.database import room
from history.retention import Retention
from history.samples import blank
from history.store import Store
from history.store.sealed import Block
from history.store.tiers import RAW


@dataclass(frozen=True)
class Kept:
    """One tier of all targets."""

    tier: int  # seconds of a bucket; 0: samples as they came
    since: int  # ms
    until: int  # ms
    blocks: int
    bytes: int
    samples: int
    """At most: a series that is not in all of a block's scrapes counts as if it was."""


@dataclass(frozen=True)
class Holding:
    """What of the history is kept, and for how long."""

    tiers: tuple[Kept, ...]
    spans: tuple[float, ...]
    """Seconds for which each of the tiers is kept."""
    used: int  # bytes
    most: int  # bytes
    damaged: tuple[str, ...]


def holding(store: Store, keep: Retention) -> Holding:
    tiers = tuple(kept(store))
    spans = tuple(keep.of(tier.tier) for tier in tiers)
    return Holding(tiers, spans, room(store.engine).used, keep.most_bytes, tuple(store.damaged().values()))


def kept(store: Store) -> list[Kept]:
    """Tiers that have something, the samples first; those in memory are among the samples, their bytes are not."""
    with store.memory:
        targets = store.targets()
        heads = [stored.head for stored in targets if stored.head.count]
        blocks = [block for stored in targets for block in stored.of(tuple(stored.blocks))]
        spans = [(int(head.stamps[0]), int(head.stamps[-1]), head.samples) for head in heads]
    found = []
    for tier in sorted({block.tier for block in blocks} | ({RAW} if spans else set())):
        some = [block for block in blocks if block.tier == tier]
        fresh = spans if tier == RAW else []
        since = min([block.t0 for block in some] + [first for first, _, _ in fresh])
        until = max([block.t1 for block in some] + [last for _, last, _ in fresh])
        samples = sum(block.count * _series(block) for block in some) + sum(count for *_, count in fresh)
        found.append(Kept(tier, since, until, len(some), sum(block.bytes for block in some), samples))
    return found


def _series(block: Block) -> int:
    """Rows of its pages, of every kind of value."""
    return sum(len(page.layout.ids) for page in block.pages)


def verify(store: Store) -> Iterator[int]:
    """Reads every page of every block; yields how many blocks are read. `Store.damaged` then has what was wrong."""
    with store.memory:
        blocks = [(stored, block) for stored in store.targets() for block in stored.of(tuple(stored.blocks))]
    for number, (_, block) in enumerate(blocks, 1):
        for kind in {page.kind for page in block.pages}:
            pages = [page for page in block.pages if page.kind == kind]
            ids = np.unique(np.concatenate([page.layout.ids for page in pages]))
            store.slow_reader.read([block], ids, kind, blank(len(ids), block.count), strict=False)
        yield number
