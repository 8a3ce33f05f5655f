"""Builds the blocks of the coarser tiers, one day or more of one target at a time, from what is sealed below them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from history.samples import Floats, Ints, absent, blank
from history.store import tiers
from history.store.page import Ids, split
from history.store.sealed import Block, Reader, holding
from history.store.sealing import Column, Prepared, prepare
from history.store.target import StoredTarget
from history.store.tiers import COUNT, FIVE_MINUTES, HOUR, LAST, MAX, MIN, MINUTE, RAW, RESET, SUM, VALUES

FINE = (MINUTE, FIVE_MINUTES)


@dataclass(frozen=True)
class Due:
    """A block that can be built: all of its samples are sealed below."""

    tier: int  # seconds
    start: int  # ms; its samples are of start < t <= end
    end: int  # ms
    sources: tuple[Block, ...]


def due(stored: StoredTarget) -> Due | None:
    """The target's next block of the finer tier that can be built, else of the coarser one."""
    return _due(stored, (RAW,), FINE) or _due(stored, FINE, (HOUR,))


def _due(stored: StoredTarget, below: tuple[int, ...], above: tuple[int, ...]) -> Due | None:
    done = rolled_until(stored, above)
    blocks = stored.of(below)
    fresh = next((block for block in blocks if block.t1 > done), None)
    if fresh is None:
        return None
    tier = above[-1] if fresh.count < 2 or (fresh.t1 - fresh.t0) / (fresh.count - 1) >= tiers.OFTEN else above[0]
    span = tiers.SPANS[tier] * 1000
    start = max(done, fresh.t0 - 1)
    end = (start // span + 1) * span
    if (blocks[-1].t1 if below == (RAW,) else rolled_until(stored, below)) < end:
        return None
    before = start - tier * 1000  # for the value that a counter had
    return Due(tier, start, end, tuple(block for block in blocks if block.t0 <= end and block.t1 > before))


def rolled_until(stored: StoredTarget, of: tuple[int, ...]) -> int:
    """Up to where (ms) those tiers have all that there was."""
    ends = [block.t1 + -block.t1 % (tiers.SPANS[block.tier] * 1000) for block in stored.of(of)]
    return max(ends, default=-(2**62))


def build(stored: StoredTarget, what: Due, reader: Reader, counters: Mapping[str, bool | None]) -> Prepared:
    """The block, perhaps without any series. `counters`: tiers.is_counter of each metric's name."""
    stamps = reader.read(what.sources, np.empty(0, dtype=np.uint32), VALUES, blank(0, 0))
    into = tiers.buckets(stamps[(stamps > what.start) & (stamps <= what.end)], what.tier)
    ids = holding(what.sources, np.array(sorted(stored.series), dtype=np.uint32))
    with np.errstate(all="ignore"):  # NaN is a value as any other
        columns: list[Column] = []
        for some in split(ids):
            rolled = tiers.roll(_read(what, ids[some], stamps, reader), into)
            columns += _columns(stored, ids[some], rolled, counters)
    return prepare(what.tier, into.stamps, columns)


def _read(what: Due, ids: Ids, stamps: Ints, reader: Reader) -> tiers.Columns:
    first, after = np.searchsorted(stamps, (what.start, what.end), side="right")
    if what.tier != HOUR:
        values = _values(what, ids, stamps, VALUES, reader)
        return tiers.as_columns(values[:, first:after], _newest(values[:, :first]))
    kinds = (LAST, RESET, COUNT, MIN, MAX, SUM)
    return {kind: _values(what, ids, stamps, kind, reader)[:, first:after] for kind in kinds}


def _values(what: Due, ids: Ids, stamps: Ints, kind: int, reader: Reader) -> Floats:
    values = blank(len(ids), len(stamps))
    reader.read(what.sources, ids, kind, values)
    return values


def _newest(values: Floats) -> Floats:
    """Each row's last sample, absent where there is none."""
    joined = np.concatenate([blank(len(values), 1), values], axis=1)
    at = np.where(absent(joined), 0, np.arange(joined.shape[1])).max(axis=1)
    newest: Floats = joined[np.arange(len(joined)), at]
    return newest


def _columns(
    stored: StoredTarget, ids: Ids, rolled: tiers.Columns, counters: Mapping[str, bool | None]
) -> Iterator[Column]:
    kinds = [
        set(tiers.kept_kinds(counters.get(name, tiers.is_counter(name, ""))))
        for name in (stored.series[series_id]["__name__"] for series_id in ids.tolist())
    ]
    for kind, values in rolled.items():
        # A reset that never was need not be kept: what is absent counts as none.
        something = (
            ~absent(values).all(axis=1) if kind != RESET else (np.where(absent(values), 0.0, values) > 0).any(axis=1)
        )
        rows = np.flatnonzero(something & np.array([kind in kept for kept in kinds], dtype=bool))
        if len(rows):
            yield Column(kind, ids[rows], values[rows])
