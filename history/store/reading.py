"""One target's samples, and its roll-ups where those have gone or are too many."""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from history.samples import Floats, Group, Ints, Matcher, Rolled, TooMany, Wanted, absent, blank
from history.store import tiers
from history.store.page import Ids
from history.store.plan import Piece, needed, pieces
from history.store.rolling import newest
from history.store.sealed import Block, Reader, holding
from history.store.target import StoredTarget
from history.store.tiers import COUNT, HOUR, LAST, MAX, MIN, RAW, SUM, VALUES

PART_SAMPLES = 4_000_000
"""What is walked through comes in parts of so many samples."""

Span = tuple[int, int]
"""start <= t <= end (ms)"""


class Reading:
    """Any thread. `lock` guards what the targets have in memory."""

    def __init__(self, reader: Reader, lock: threading.Lock) -> None:
        self._reader = reader
        self._lock = lock

    def samples(
        self, stored: StoredTarget, matchers: Sequence[Matcher], span: Span, budget: int, *, strict: bool
    ) -> Group | None:
        """None: nothing that matches has a sample in that time. TooMany: more than `budget` samples."""
        with self._lock:
            found = stored.find(matchers)
            if not len(found):  # most of the targets of most questions
                return None
            blocks = stored.within(RAW, *span)
            stamps, head = stored.head.read(found.tolist(), *span)
        here = ~absent(head).all(axis=1) | np.isin(found, holding(blocks, found))
        if int(here.sum()) * (sum(block.count for block in blocks) + len(stamps)) > budget:
            raise TooMany(int(here.sum()) * (sum(block.count for block in blocks) + len(stamps)))
        return self._group(stored, found[here], blocks, (stamps, head[here]), span, strict=strict)

    def parts(self, stored: StoredTarget, ids: Ids, span: Span) -> Iterator[Callable[..., Group | None]]:
        """For each few of the series a function that reads them."""
        each = 1 + sum(block.count for block in stored.within(RAW, *span)) + stored.head.count
        for some in np.array_split(ids, -(-len(ids) * each // PART_SAMPLES)) if len(ids) else []:
            yield partial(self._part, stored, some, span)

    def _part(self, stored: StoredTarget, ids: Ids, span: Span, *, strict: bool) -> Group | None:
        with self._lock:
            blocks = stored.within(RAW, *span)
            head = stored.head.read(ids.tolist(), *span)
        return self._group(stored, ids, blocks, head, span, strict=strict)

    def _group(
        self,
        stored: StoredTarget,
        ids: Ids,
        blocks: Sequence[Block],
        head: tuple[Ints, Floats],
        span: Span,
        *,
        strict: bool,
    ) -> Group | None:
        if not len(ids):
            return None
        stamps, values = self._with_head(ids, blocks, VALUES, head, span, strict=strict)
        alive = ~absent(values).all(axis=1)
        labels = [stored.series[series_id] for series_id in ids[alive].tolist()]
        return Group(labels, stamps, values if alive.all() else values[alive]) if labels else None

    def rolled(
        self, stored: StoredTarget, matchers: Sequence[Matcher], wanted: Wanted, *, raw_first: bool, strict: bool
    ) -> Rolled | None:
        """Roll-ups and samples as plan.pieces lays them out, from two hours before to one hour after that time."""
        with self._lock:
            ids = stored.find(matchers)
            if not len(ids):
                return None
            around = wanted.start - 2 * HOUR * 1000, wanted.end + HOUR * 1000
            planned = pieces(stored, *around, wanted.resolution, raw_first=raw_first)
            blocks = [stored.within(piece.tier, *piece.span) for piece in planned]
            heads = [stored.head.read(ids.tolist(), *piece.span) if piece.tier == RAW else None for piece in planned]
        width = sum(block.count for some in blocks for block in some) + sum(len(head[0]) for head in heads if head)
        if len(ids) * width * len(wanted.kinds) > wanted.at_once:
            raise TooMany(len(ids) * width * len(wanted.kinds))
        read: list[tuple[Ints, tiers.Columns]] = []
        for piece, some, head in zip(planned, blocks, heads, strict=True):
            if head is None:
                read.append(self._buckets(piece, some, ids, needed(wanted.kinds), strict=strict))
            else:
                before = newest(np.hstack([blank(len(ids), 0), *(columns[LAST] for _, columns in read)]))
                stamps, values = self._with_head(ids, some, VALUES, head, piece.span, strict=strict)
                read.append((stamps, tiers.as_columns(values, before)))
        return _joined(stored, ids, planned, read, wanted.kinds) if read else None

    def _buckets(
        self, piece: Piece, blocks: Sequence[Block], ids: Ids, kinds: Sequence[int], *, strict: bool
    ) -> tuple[Ints, tiers.Columns]:
        empty = np.empty(0, dtype=np.int64), blank(len(ids), 0)
        columns: dict[int, Floats] = {}
        stamps = empty[0]
        for kind in kinds:
            stamps, columns[kind] = self._with_head(ids, blocks, kind, empty, piece.span, strict=strict)
        # What is not kept of a counter is made of its last values; a gauge that falls was not reset.
        for kind in (MIN, MAX):
            if kind in columns:
                columns[kind] = np.where(absent(columns[kind]), columns[LAST], columns[kind])
        if SUM in columns:
            made = np.where(absent(columns[LAST]), columns[LAST], columns[LAST] * columns[COUNT])
            columns[SUM] = np.where(absent(columns[SUM]), made, columns[SUM])
        return stamps, columns

    def _with_head(
        self, ids: Ids, blocks: Sequence[Block], kind: int, head: tuple[Ints, Floats], span: Span, *, strict: bool
    ) -> tuple[Ints, Floats]:
        """Stamps and values [ids x stamps] of the blocks within the span, then of the head."""
        fresh, latest = head
        if not blocks:
            return head
        sealed = sum(block.count for block in blocks)
        values = blank(len(ids), sealed + len(fresh))
        values[:, sealed:] = latest
        old = self._reader.read(blocks, ids, kind, values, strict=strict)
        first, last = np.searchsorted(old, (span[0], span[1] + 1))
        stamps = np.concatenate([old[first:last], fresh])
        return stamps, values[:, first : last + len(fresh)] if last == sealed else values[:, first:last]


def _joined(
    stored: StoredTarget,
    ids: Ids,
    planned: Sequence[Piece],
    read: Sequence[tuple[Ints, tiers.Columns]],
    kinds: Sequence[int],
) -> Rolled | None:
    stamps = np.concatenate([some for some, _ in read])
    widths = np.concatenate(
        [np.full(len(some), piece.tier * 1000) for piece, (some, _) in zip(planned, read, strict=True)]
    )
    last = np.hstack([columns[LAST] for _, columns in read])
    rows = np.flatnonzero(~absent(last).all(axis=1))
    if not len(rows):
        return None
    columns = {kind: np.hstack([columns[kind] for _, columns in read])[rows] for kind in kinds}
    return Rolled([stored.series[series_id] for series_id in ids[rows].tolist()], stamps, widths, columns)
