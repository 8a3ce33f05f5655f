"""From the database to memory: targets, series, layouts, the index of blocks, and head rows that are not there yet."""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from history.store.sealed import Block, Layout, PageEntry
from history.store.tables import (
    block_table,
    generation_table,
    head_table,
    layout_table,
    page_table,
    series_table,
    target_table,
)  # fmt: skip
from history.store.target import StoredTarget

LONG_AGO = -(2**62)  # ms


def generation(connection: Connection) -> int:
    """Grows whenever blocks come or go."""
    return int(connection.execute(select(func.max(generation_table.c.number))).scalar() or 0)


def load(connection: Connection, known: dict[str, StoredTarget], *, blocks: bool) -> dict[str, StoredTarget]:
    """Every target by key, those of `known` brought up to date in place; with `blocks` also their index of blocks."""
    targets = dict(known)
    for row in connection.execute(select(target_table)).all():
        if row.key not in targets:
            targets[row.key] = StoredTarget(row.id, json.loads(row.labels))
    _load_series(connection, targets.values())
    _load_layouts(connection, targets.values())
    if blocks:
        load_blocks(connection, targets.values())
    for stored in targets.values():
        _load_head(connection, stored)
    return targets


def load_blocks(connection: Connection, targets: Iterable[StoredTarget]) -> None:
    """Anew: what was there before and is not in the database is forgotten."""
    layouts = {layout.id: layout for stored in targets for layout in stored.layouts.values()}
    column = page_table.c
    pages: dict[int, list[PageEntry]] = {}
    rows = connection.execute(select(column.block_id, column.id, column.kind, column.layout_id).order_by(column.id))
    for block_id, page_id, kind, layout_id in rows:
        if layout_id in layouts:
            pages.setdefault(block_id, []).append(PageEntry(page_id, kind, layouts[layout_id]))
    by_target: dict[int, list[Block]] = {}
    at = block_table.c
    query = select(at.target_id, at.id, at.tier, at.t0, at.t1, at.count, at.bytes, at.pages).order_by(at.t0)
    for target_id, block_id, tier, t0, t1, count, size, expected in connection.execute(query):
        there = tuple(pages.get(block_id, ()))
        block = Block(block_id, tier, t0, t1, count, size, expected - len(there), there)
        by_target.setdefault(target_id, []).append(block)
    for stored in targets:
        stored.set_blocks(by_target.get(stored.id, []))


def _load_series(connection: Connection, targets: Iterable[StoredTarget]) -> None:
    by_id = {stored.id: stored for stored in targets}
    newest = max((max(stored.series, default=0) for stored in by_id.values()), default=0)
    table = series_table.c
    query = select(table.target_id, table.id, table.labels).where(table.id > newest).order_by(table.id)
    for target_id, series_id, text in connection.execute(query):
        if target_id in by_id:
            by_id[target_id].add_series(series_id, json.loads(text), text)


def _load_layouts(connection: Connection, targets: Iterable[StoredTarget]) -> None:
    by_id = {stored.id: stored for stored in targets}
    newest = max((layout.id for stored in by_id.values() for layout in stored.layouts.values()), default=0)
    table = layout_table.c
    query = select(table.target_id, table.id, table.series_ids).where(table.id > newest).order_by(table.id)
    for target_id, layout_id, data in connection.execute(query):
        if target_id in by_id:
            by_id[target_id].layouts[data] = Layout(layout_id, np.frombuffer(data, dtype="<u4").astype(np.uint32))


def _load_head(connection: Connection, stored: StoredTarget) -> None:
    table = head_table.c
    stored.forget_sealed()
    here = select(func.count()).where(table.target_id == stored.id)
    last = LONG_AGO if stored.last is None else stored.last
    if connection.execute(here.where(table.t <= last)).scalar() != stored.head.count:
        stored.forget_head()  # a clock was put back, and ticks came in between
        last = LONG_AGO
    query = select(table.layout_id, table.t, table.data).where(table.target_id == stored.id, table.t > last)
    rows = connection.execute(query.order_by(table.t)).all()
    known = {layout.id: layout for layout in stored.layouts.values()}
    for layout_id, run in groupby(rows, key=lambda row: int(row[0])):
        _extend(stored, known[layout_id], list(run))


def _extend(stored: StoredTarget, layout: Layout, rows: list[Row[Any, Any, Any]]) -> None:
    values = np.frombuffer(b"".join(data for _, _, data in rows), dtype="<f8")
    stamps = np.array([t for _, t, _ in rows], dtype=np.int64)
    stored.extend(stamps, layout, values.reshape(len(rows), len(layout.ids)).T)
