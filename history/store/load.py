"""From the database to memory: targets, series, layouts and head rows that are not there yet."""

import json
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from history.store.tables import head_table, layout_table, series_table, target_table
from history.store.target import Layout, StoredTarget

LONG_AGO = -(2**62)  # ms


def load(connection: Connection, known: dict[str, StoredTarget]) -> dict[str, StoredTarget]:
    """Every target by key, those of `known` brought up to date in place."""
    targets = dict(known)
    for row in connection.execute(select(target_table)).all():
        if row.key not in targets:
            targets[row.key] = StoredTarget(row.id, json.loads(row.labels))
    for stored in targets.values():
        _load_series(connection, stored)
        _load_head(connection, stored)
    return targets


def _load_series(connection: Connection, stored: StoredTarget) -> None:
    newest = max(stored.series, default=0)
    table = series_table.c
    query = select(table.id, table.labels).where(table.target_id == stored.id, table.id > newest).order_by(table.id)
    for series_id, text in connection.execute(query).all():
        stored.add_series(series_id, json.loads(text), text)


def _load_head(connection: Connection, stored: StoredTarget) -> None:
    last = LONG_AGO if stored.last is None else stored.last
    table = head_table.c
    query = select(table.layout_id, table.t, table.data).where(table.target_id == stored.id, table.t > last)
    rows = connection.execute(query.order_by(table.t)).all()
    if not rows:
        return
    known = {layout.id: layout for layout in stored.layouts.values()}
    if any(row[0] not in known for row in rows):
        known = _load_layouts(connection, stored)
    for layout_id, run in groupby(rows, key=lambda row: int(row[0])):
        _extend(stored, known[layout_id], list(run))


def _load_layouts(connection: Connection, stored: StoredTarget) -> dict[int, Layout]:
    query = select(layout_table.c.id, layout_table.c.series_ids).where(layout_table.c.target_id == stored.id)
    for layout_id, data in connection.execute(query).all():
        series_ids = tuple(np.frombuffer(data, dtype="<u4").tolist())
        stored.layouts[series_ids] = Layout(layout_id, series_ids)
    return {layout.id: layout for layout in stored.layouts.values()}


def _extend(stored: StoredTarget, layout: Layout, rows: list[Row[Any, Any, Any]]) -> None:
    values = np.frombuffer(b"".join(data for _, _, data in rows), dtype="<f8")
    stamps = np.array([t for _, t, _ in rows], dtype=np.int64)
    stored.extend(stamps, layout, values.reshape(len(rows), len(layout.series_ids)).T)
