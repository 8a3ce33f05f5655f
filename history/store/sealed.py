"""Sealed blocks: which pages there are, kept in memory, and reading of only those that a query needs."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, select

from history.samples import Floats, Ints
from history.store.cache import Cache
from history.store.codec import Unreadable
from history.store.page import Ids, Page, unpack_stamps
from history.store.tables import block_table, page_table

log = logging.getLogger("raingauge.history")

AT_ONCE = 64
"""Pages fetched by one statement: a few MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which series stand in which order."""

    id: int
    ids: Ids  # ascending


@dataclass(frozen=True, slots=True)
class PageEntry:
    id: int
    kind: int
    layout: Layout


@dataclass(frozen=True, slots=True)
class Block:
    id: int
    tier: int  # seconds, 0: raw
    t0: int  # ms
    t1: int  # ms
    count: int
    bytes: int
    missing: int
    """Pages that it should have and has not."""
    pages: tuple[PageEntry, ...]


class PagesGone(Exception):
    """Pages of the index are in the database no more: it was compacted, or trimmed, or damaged meanwhile."""


@dataclass(frozen=True)
class Piece:
    """One page's share of an answer: which rows of the page go to which rows of the answer."""

    block: Block
    page: PageEntry
    rows: NDArray[np.intp]
    places: NDArray[np.intp]
    begin: int
    """The answer's column at which the block begins."""


class Reader:
    """Any thread. `damaged` names what could not be read, by page (or -block for its stamps): the rest is served."""

    def __init__(self, engine: Engine, cache: Cache) -> None:
        self._engine = engine
        self._cache = cache
        self.damaged: dict[int, str] = {}

    def read(self, blocks: Sequence[Block], ids: Ids, kind: int, into: Floats, *, strict: bool = True) -> Ints:
        """Stamps of the blocks, one after the other; the ascending ids' values go into `into` [ids x stamps or more].

        PagesGone when a page is missing, unless not `strict`: then it counts as damaged.
        """
        columns = [0, *np.cumsum([block.count for block in blocks]).tolist()]
        pieces = list(_pieces(blocks, columns, ids, kind))
        with self._engine.connect() as connection:
            stamps = self._stamps(connection, blocks)
            for some in _batches(pieces):
                self._fill(connection, some, into, strict=strict)
        return stamps

    def _stamps(self, connection: Connection, blocks: Sequence[Block]) -> Ints:
        found = [self._cache.get(-block.id).get(0) for block in blocks]
        missing = [block for block, stamps in zip(blocks, found, strict=True) if stamps is None]
        fetched: dict[int, Floats] = {}
        for begin in range(0, len(missing), AT_ONCE):
            column = block_table.c
            some = [block.id for block in missing[begin : begin + AT_ONCE]]
            for row in connection.execute(select(column.id, column.stamps).where(column.id.in_(some))):
                try:
                    fetched[row.id] = unpack_stamps(row.stamps).view(np.float64)
                    self._cache.add(-row.id, {0: fetched[row.id]})
                except Unreadable as error:
                    self._spoilt(-row.id, f"block {row.id}: {error}")
        pieces = []
        for block, stamps in zip(blocks, found, strict=True):
            known = stamps if stamps is not None else fetched.get(block.id)
            if known is None and -block.id not in self.damaged:
                raise PagesGone(f"block {block.id}")
            # Without its stamps a block still has its place: what it held is absent then.
            pieces.append(known.view(np.int64) if known is not None else np.linspace(block.t0, block.t1, block.count))
        return np.concatenate(pieces).astype(np.int64) if pieces else np.empty(0, dtype=np.int64)

    def _fill(self, connection: Connection, pieces: Sequence[Piece], values: Floats, *, strict: bool) -> None:
        cached = [self._cache.get(piece.page.id) for piece in pieces]
        absent = [
            piece.page.id
            for piece, rows in zip(pieces, cached, strict=True)
            if not all(row in rows for row in piece.rows.tolist())
        ]
        column = page_table.c
        wanted = [page for page in absent if page not in self.damaged]
        query = select(column.id, column.data).where(column.id.in_(wanted))
        blobs = {row.id: row.data for row in connection.execute(query)} if wanted else {}
        for page in wanted:
            if page not in blobs:
                if strict:
                    raise PagesGone(f"page {page}")
                self._spoilt(page, f"page {page} is missing")
        for piece, known in zip(pieces, cached, strict=True):
            if -piece.block.id in self.damaged:
                continue
            blob = blobs.get(piece.page.id)
            rows = known if blob is None else {**known, **self._decode(piece, blob, set(known))}
            end = piece.begin + piece.block.count
            for row, place in zip(piece.rows.tolist(), piece.places.tolist(), strict=True):
                if row in rows:
                    values[place, piece.begin : end] = rows[row]

    def _decode(self, piece: Piece, blob: bytes, known: set[int]) -> dict[int, Floats]:
        try:
            page = Page(blob, piece.page.layout.ids, piece.block.t0, piece.block.count)
            rows = {row: page.row(row) for row in piece.rows.tolist() if row not in known}
        except Unreadable as error:
            self._spoilt(piece.page.id, f"page {piece.page.id} of block {piece.block.id}: {error}")
            return {}
        self._cache.add(piece.page.id, rows)
        return rows

    def _spoilt(self, number: int, problem: str) -> None:
        if number not in self.damaged:
            self.damaged[number] = problem
            log.error("history=damaged problem=%r", problem)


def holding(blocks: Iterable[Block], ids: Ids) -> Ids:
    """Those of the ascending ids that any of the blocks has."""
    seen = {page.layout.id: page.layout for block in blocks for page in block.pages}
    here = np.zeros(len(ids), dtype=bool)
    for layout in seen.values():
        here[_common(layout.ids, ids)[1]] = True
    return ids[here]


def _common(page: Ids, wanted: Ids) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the page and places among the wanted at which the same id stands. Both are ascending."""
    first, after = np.searchsorted(wanted, (page[0], page[-1] + 1)) if len(page) else (0, 0)
    some = wanted[first:after]
    rows = np.searchsorted(page, some)
    same = page[rows] == some if len(some) else np.empty(0, dtype=bool)
    return rows[same], np.flatnonzero(same) + first


def _pieces(blocks: Sequence[Block], columns: Sequence[int], ids: Ids, kind: int) -> Iterator[Piece]:
    common: dict[int, tuple[NDArray[np.intp], NDArray[np.intp]]] = {}
    for block, begin in zip(blocks, columns, strict=False):
        for page in block.pages:
            if page.kind != kind:
                continue
            if page.layout.id not in common:
                common[page.layout.id] = _common(page.layout.ids, ids)
            rows, places = common[page.layout.id]
            if len(rows):
                yield Piece(block, page, rows, places, begin)


def _batches(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    for begin in range(0, len(pieces), AT_ONCE):
        yield pieces[begin : begin + AT_ONCE]
