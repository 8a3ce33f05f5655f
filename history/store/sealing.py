"""Blocks on their way into the database: values become pages first, outside of any transaction."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Insert, delete, insert, select, update

from history.samples import Floats, Ints
from history.store.codec import FAST
from history.store.page import Ids, pack, pack_stamps, split
from history.store.sealed import Block, Layout, PageEntry
from history.store.tables import block_table, generation_table, layout_table, page_table
from history.store.target import StoredTarget


@dataclass(frozen=True)
class Column:
    """One value of each series and stamp."""

    kind: int
    ids: Ids  # ascending; each has a sample
    values: Floats  # [series x stamps]


@dataclass(frozen=True)
class Prepared:
    tier: int
    t0: int  # ms
    t1: int  # ms
    count: int
    stamps: bytes
    pages: tuple[tuple[int, Ids, bytes], ...]
    """Kind, series, data."""

    @property
    def bytes(self) -> int:
        return len(self.stamps) + sum(len(data) for _, _, data in self.pages)


def prepare(tier: int, stamps: Ints, columns: Iterable[Column], level: int = FAST) -> Prepared:
    t0, t1 = int(stamps[0]), int(stamps[-1])
    pages = tuple(
        (column.kind, column.ids[some], pack(column.ids[some], t0, column.values[some], level))
        for column in columns
        for some in split(column.ids)
    )
    return Prepared(tier, t0, t1, len(stamps), pack_stamps(stamps), pages)


def write_block(connection: Connection, stored: StoredTarget, block: Prepared) -> Block:
    row = {
        "target_id": stored.id, "tier": block.tier, "t0": block.t0, "t1": block.t1, "count": block.count,
        "pages": len(block.pages), "bytes": block.bytes, "stamps": block.stamps,
    }  # fmt: skip
    block_id = new_id(connection, insert(block_table).values(row))
    entries = []
    for kind, ids, data in block.pages:
        layout = layout_of(connection, stored, ids)
        page = insert(page_table).values(block_id=block_id, layout_id=layout.id, kind=kind, data=data)
        entries.append(PageEntry(new_id(connection, page), kind, layout))
    return Block(block_id, block.tier, block.t0, block.t1, block.count, block.bytes, 0, tuple(entries))


def delete_blocks(connection: Connection, block_ids: list[int]) -> None:
    connection.execute(delete(page_table).where(page_table.c.block_id.in_(block_ids)))
    connection.execute(delete(block_table).where(block_table.c.id.in_(block_ids)))


def count_generation(connection: Connection) -> int:
    """The new generation, by which who follows sees that blocks have come or gone."""
    number = generation_table.c.number
    if not connection.execute(update(generation_table).values(number=number + 1)).rowcount:
        connection.execute(insert(generation_table).values(number=1))
    return int(connection.execute(select(number)).scalar_one())


def layout_of(connection: Connection, stored: StoredTarget, ids: Ids) -> Layout:
    """The target's layout of these series, made where there is none."""
    data = ids.astype("<u4").tobytes()
    if data not in stored.layouts:
        row = insert(layout_table).values(target_id=stored.id, series_ids=data)
        stored.layouts[data] = Layout(new_id(connection, row), np.array(ids, dtype=np.uint32))
    return stored.layouts[data]


def new_id(connection: Connection, row: Insert) -> int:
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])
