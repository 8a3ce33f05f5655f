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
    first, _ = reach(stored, RAW)
    return first < start or all(reach(stored, tier)[0] >= first for tier in SPANS)


def reach(stored: StoredTarget, tier: int) -> tuple[int, int]:
    """after, until (ms): for which time the tier has all that there was; after >= until for a tier without any."""
    if tier != RAW:
        blocks = stored.blocks.get(tier)
        return (_border_before(blocks[0].t0, tier), rolled_until(stored, (tier,))) if blocks else (EVER, -EVER)
    oldest = [block.t0 for block in stored.within(RAW, -EVER, EVER)[:1]] + stored.head.stamps[:1].tolist()
    if not oldest:
        return EVER, -EVER
    first = oldest[0] - 1
    # A bucket that is half gone is read as a bucket: the samples begin where the next one of any tier does.
    aligned = -(-first // (HOUR * 1000)) * HOUR * 1000
    behind = any(reach(stored, other)[0] < first and reach(stored, other)[1] >= aligned for other in SPANS)
    return (aligned if behind else first), EVER


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
