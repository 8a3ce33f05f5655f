"""Takes rows out that nothing refers to any more: layouts without pages, series without layouts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Column, Connection, delete, select

from history.store.sealed import Layout
from history.store.tables import head_table, layout_table, series_table
from history.store.target import StoredTarget

AT_ONCE = 500
"""Rows that one statement names."""


@dataclass(frozen=True)
class Dead:
    layouts: Sequence[Layout]
    series: Sequence[int]


def dead(stored: StoredTarget, used: Iterable[int]) -> Dead:
    """What of the target nothing refers to, neither its blocks nor one of the layouts `used`."""
    living = {page.layout.id for block in stored.of(tuple(stored.blocks)) for page in block.pages}
    living |= {*used, *([stored.arrangement.layout.id] if stored.arrangement else [])}
    gone = [layout for layout in stored.layouts.values() if layout.id not in living]
    kept = [layout.ids for layout in stored.layouts.values() if layout.id in living]
    ids = np.array(sorted(stored.series), dtype=np.uint32)
    used_ids = np.unique(np.concatenate(kept)) if kept else ids[:0]
    if not len(used_ids):
        return Dead(gone, ids.tolist() if gone else [])
    # Newer ones may be another process' that has not written its first block yet.
    return Dead(gone, np.setdiff1d(ids[ids < used_ids[-1]], used_ids).tolist())


def used_by_head(connection: Connection, stored: StoredTarget) -> list[int]:
    table = head_table.c
    return list(connection.execute(select(table.layout_id).where(table.target_id == stored.id).distinct()).scalars())


def delete_dead(connection: Connection, what: Dead) -> None:
    _delete(connection, layout_table.c.id, [layout.id for layout in what.layouts])
    _delete(connection, series_table.c.id, what.series)


def _delete(connection: Connection, column: Column[int], ids: Sequence[int]) -> None:
    for begin in range(0, len(ids), AT_ONCE):
        connection.execute(delete(column.table).where(column.in_(ids[begin : begin + AT_ONCE])))
