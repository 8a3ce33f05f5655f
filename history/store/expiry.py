"""What goes when: each tier past its time, and the oldest when there is no room; first what a coarser tier covers."""

from collections.abc import Iterator, Sequence

from history.retention import Retention
from history.store import tiers
from history.store.rolling import FINE, rolled_until
from history.store.sealed import Block
from history.store.target import StoredTarget
from history.store.tiers import HOUR, RAW

LEAP = 600_000  # ms
COVERED_BY = {RAW: FINE, **dict.fromkeys(FINE, (HOUR,))}


class Clock:
    """Tells when the clock can be trusted to say what is old: not in the hour after it has jumped ahead."""

    def __init__(self, seen: int | None) -> None:
        """`seen` (ms): when somebody last stored something, if ever."""
        self._seen = seen
        self._until = 0

    def steady(self, now: int) -> bool:
        """`now` in ms, asked at least every few minutes."""
        if self._seen is not None and not -LEAP <= now - self._seen <= LEAP:
            self._until = now + HOUR * 1000
        self._seen = now
        return not self._until - HOUR * 1000 <= now < self._until


def expired(stored: StoredTarget, retention: Retention, now: int) -> list[Block]:
    """The target's blocks that are past their time at `now` (ms)."""
    return [block for tier, blocks in stored.blocks.items() for block in blocks if _past(stored, block, retention, now)]


def _past(stored: StoredTarget, block: Block, retention: Retention, now: int) -> bool:
    age = now - round(retention.of(block.tier) * 1000)
    if block.t1 >= age:
        return False
    return covered(stored, block) or block.t1 < forgotten(retention.of(block.tier), now)


def forgotten(kept: float, now: int) -> int:
    """Before this (ms) goes what no coarser tier will ever cover: its target has ended in the middle of a block."""
    return now - round((kept + 2 * tiers.SPANS[HOUR]) * 1000)


def covered(stored: StoredTarget, block: Block) -> bool:
    """A coarser tier has what the block holds; of the coarsest nothing more is to come."""
    above = COVERED_BY.get(block.tier)
    return above is None or rolled_until(stored, above) >= block.t1


def sacrifices(targets: Sequence[StoredTarget]) -> Iterator[tuple[StoredTarget, Block]]:
    """In the order in which they go when there is no room: first raw, then fine ones that a coarser tier covers."""
    ordered = []
    for stored in targets:
        for block in (block for blocks in stored.blocks.values() for block in blocks):
            spare = block.tier != HOUR and covered(stored, block)
            ordered.append((0 if spare else 1, block.tier if spare else 0, block.t1, block.id, stored, block))
    yield from ((stored, block) for *_, stored, block in sorted(ordered, key=lambda each: each[:4]))
