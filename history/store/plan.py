"""Which tier answers for which time: the samples themselves where they are kept and few enough, else roll-ups."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from history.store import tiers
from history.store.rolling import rolled_until
from history.store.target import StoredTarget
from history.store.tiers import HOUR, RAW, SPANS

EVER = 2**62
"""ms"""


@dataclass(frozen=True)
class Piece:
    """Of the tier, what is of after < t <= until (ms)."""

    tier: int
    after: int
    until: int

    @property
    def span(self) -> tuple[int, int]:
        """First and last ms."""
        return self.after + 1, self.until


def pieces(stored: StoredTarget, start: int, end: int, resolution: int, *, raw_first: bool) -> list[Piece]:
    """All that is kept of start <= t <= end (ms), each moment once, in order.

    Not `raw_first`: the coarsest tier whose buckets are no wider than the resolution (ms) goes first, then finer ones.
    Wider ones stand in where nothing else is left.
    """
    coarse = sorted(tier for tier in SPANS if stored.blocks.get(tier))
    fitting = [] if raw_first else [tier for tier in reversed(coarse) if tier * 1000 <= resolution]
    order = [*fitting, RAW, *(tier for tier in coarse if tier not in fitting)]
    found: list[Piece] = []
    open_spans = [(start - 1, end)]
    for tier in order:
        first, last = reach(stored, tier)
        found += [Piece(tier, max(a, first), min(b, last)) for a, b in open_spans if max(a, first) < min(b, last)]
        open_spans = [span for each in open_spans for span in _outside(*each, first, last)]
    return sorted(found, key=lambda piece: piece.after)


def raw_suffices(stored: StoredTarget, start: int) -> bool:
    """Of no earlier time than its samples, from `start` (ms) on, is anything kept."""
    oldest = _oldest(stored)
    return oldest < start or not _remembered(stored, oldest)


def reach(stored: StoredTarget, tier: int) -> tuple[int, int]:
    """after, until (ms): for which time the tier has all that there was; after >= until for a tier without any."""
    if tier != RAW:
        blocks = stored.blocks.get(tier)
        return (_border_before(blocks[0].t0, tier), rolled_until(stored, (tier,))) if blocks else (EVER, -EVER)
    oldest = _oldest(stored)
    if oldest == EVER:
        return EVER, -EVER
    # A bucket that is half gone is read as a bucket: the samples begin where the next one of any tier does.
    aligned = -(-(oldest - 1) // (HOUR * 1000)) * HOUR * 1000
    behind = any(reach(stored, tier)[1] >= aligned for tier in _remembered(stored, oldest))
    return (aligned if behind else oldest - 1), EVER


def _oldest(stored: StoredTarget) -> int:
    """Stamp (ms) of the first sample that is kept as it came."""
    blocks = stored.blocks.get(RAW)
    return blocks[0].t0 if blocks else int(stored.head.stamps[0]) if stored.head.count else EVER


def _remembered(stored: StoredTarget, stamp: int) -> list[int]:
    """Tiers that have something of before that stamp."""
    return [tier for tier in SPANS if stored.blocks.get(tier) and stored.blocks[tier][0].t0 < stamp]


def _border_before(stamp: int, tier: int) -> int:
    width = tier * 1000
    return (stamp - 1) // width * width


def _outside(after: int, until: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """What is left of a span when another is taken out of it."""
    if first >= last or last <= after or first >= until:
        yield after, until
        return
    if after < first:
        yield after, first
    if last < until:
        yield last, until


def needed(kinds: Sequence[int]) -> list[int]:
    """The kinds to read for those: what one that is not kept is made of comes with it."""
    found = {tiers.LAST, *kinds}
    if tiers.SUM in found:
        found.add(tiers.COUNT)
    return sorted(found)
