"""The embedded sample store: committed to SQLite tick by tick, answered from memory."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import numpy as np
from sqlalchemy import Connection, Engine, Insert, insert, select, update

from collectors.model import Family, Sample, Target
from history.database import METADATA
from history.model import Labels, Metadata, QueryError
from history.samples import Floats, Group, Matcher
from history.store.load import load
from history.store.naming import canonical, fingerprint, target_labels, unit
from history.store.retention import trim
from history.store.tables import TABLES, head_table, layout_table, metric_table, series_table, target_table
from history.store.target import Arrangement, Layout, StoredTarget

RETENTION = 86_400.0  # seconds
TRIM_EVERY = 60_000  # ms
MOST_SAMPLES = 50_000_000
"""A selector that would copy more than this many samples is refused."""

TYPES = {"untyped": "unknown"}  # as Prometheus' metadata calls it

Tick = tuple[Target, float, Sequence[Sample]]

_insert_head = insert(head_table)


class Store:
    """One process appends; any of its threads reads. Another opens the same database and follows with `refresh`."""

    def __init__(self, engine: Engine, retention: float = RETENTION) -> None:
        """Reads what the database holds. `retention` in seconds: what is older goes."""
        self._engine = engine
        self._retention = round(retention * 1000)
        self._writing = threading.Lock()
        self._reading = threading.Lock()  # guards memory; never held over a statement of the writer
        self._targets: dict[str, StoredTarget] = {}
        self._keys: dict[Target, str] = {}
        self._families: set[Family] = set()
        self._newest = self._trimmed = 0  # ms
        self._touched = False
        METADATA.create_all(engine, tables=list(TABLES))
        self.refresh()

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        """As history.model.Sink. Once it has returned, kill -9 loses nothing of it."""
        self.append_many([(target, t, samples)])

    def append_many(self, ticks: Iterable[Tick]) -> None:
        """Several ticks in one transaction: all are stored, or none and ValueError."""
        with self._writing:
            self._touched = False
            try:
                with self._engine.begin() as connection:
                    written = [self._write(connection, *tick) for tick in ticks]
            except BaseException:
                if self._touched:
                    self._reload()  # memory holds ids that were rolled back
                raise
            with self._reading:
                for stored, stamp, layout, vector in written:
                    stored.extend(np.array([stamp]), layout, vector[:, None])
                    self._newest = max(self._newest, stamp)
            self._trim()

    def refresh(self) -> None:
        """Read what another process has committed since."""
        with self._engine.connect() as connection, self._reading:
            self._targets = load(connection, self._targets)
            self._newest = max((stored.last or 0 for stored in self._targets.values()), default=0)

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Group]:
        """As history.samples.Samples."""
        budget = MOST_SAMPLES
        groups = []
        for stored in list(self._targets.values()):
            with self._reading:
                group = stored.select(matchers, start, end)
            if group is not None:
                groups.append(group)
                budget -= group.values.size
            if budget < 0:
                raise QueryError("execution", "query processing would load too many samples into memory")
        return groups

    def series(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Labels]:
        """Labels of every series that matches and has a sample of start <= t <= end (ms)."""
        labels: list[Labels] = []
        for stored in list(self._targets.values()):
            with self._reading:
                labels += stored.alive(matchers, start, end)
        return labels

    def metadata(self) -> dict[str, Metadata]:
        """By metric name."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(metric_table).order_by(metric_table.c.name)).all()
        return {row.name: Metadata(row.type, row.help, row.unit) for row in rows}

    def _write(
        self, connection: Connection, target: Target, t: float, samples: Sequence[Sample]
    ) -> tuple[StoredTarget, int, Layout, Floats]:
        stored = self._target(connection, target)
        stamp = round(t * 1000)
        if stored.last is not None and stamp <= stored.last:
            raise ValueError(
                f"append to {canonical(target.labels)} at {stamp} ms, but it has a tick at {stored.last} ms"
            )
        stored.last, self._touched = stamp, True
        families, labels, values = zip(*samples, strict=True) if samples else ((), (), ())
        arrangement = stored.arrangement
        if arrangement is None or not arrangement.fits(families, labels):
            arrangement = stored.arrangement = self._arrange(connection, stored, samples, families, labels)
        vector = np.array(values, dtype="<f8")[arrangement.order]
        layout = arrangement.layout
        row = {"target_id": stored.id, "t": stamp, "layout_id": layout.id, "data": vector.tobytes()}
        connection.execute(_insert_head, row)
        return stored, stamp, layout, vector

    def _target(self, connection: Connection, target: Target) -> StoredTarget:
        key = self._keys.get(target)
        if key is None:
            key = self._keys[target] = fingerprint(canonical(target.labels))
        if key not in self._targets:
            self._touched = True
            labels = target_labels(target)
            row = insert(target_table).values(key=key, labels=canonical(labels))
            self._targets[key] = StoredTarget(_new_id(connection, row), labels)
        return self._targets[key]

    def _arrange(
        self,
        connection: Connection,
        stored: StoredTarget,
        samples: Sequence[Sample],
        families: tuple[Family, ...],
        labels: tuple[tuple[str, ...], ...],
    ) -> Arrangement:
        self._describe(connection, set(families) - self._families)
        ids = []
        for text, named in stored.names(samples):
            if text not in stored.ids:
                row = {"fp": fingerprint(stored.id, text), "target_id": stored.id, "name": named["__name__"]}
                series_id = _new_id(connection, insert(series_table).values(**row, labels=text))
                with self._reading:
                    stored.add_series(series_id, named, text)
            ids.append(stored.ids[text])
        # Of a series that comes twice in one tick the first is kept, as Prometheus does.
        unique, order = np.unique(np.array(ids, dtype=np.uint32), return_index=True)
        series_ids = tuple(unique.tolist())
        if series_ids not in stored.layouts:
            row = {"target_id": stored.id, "series_ids": unique.astype("<u4").tobytes()}
            stored.layouts[series_ids] = Layout(_new_id(connection, insert(layout_table).values(row)), series_ids)
        return Arrangement(families, labels, order, stored.layouts[series_ids])

    def _describe(self, connection: Connection, families: set[Family]) -> None:
        for family in families:
            found = Metadata(TYPES.get(family.kind, family.kind), family.help, unit(family.name))
            named = metric_table.c.name == family.name
            if not connection.execute(update(metric_table).where(named).values(asdict(found))).rowcount:
                connection.execute(insert(metric_table).values(name=family.name, **asdict(found)))
        self._families |= families

    def _reload(self) -> None:
        with self._engine.connect() as connection:
            targets = load(connection, {})
        with self._reading:
            self._targets = targets
        self._families = set()

    def _trim(self) -> None:
        if self._newest < self._trimmed + TRIM_EVERY:
            return
        self._trimmed = self._newest
        before = self._newest - self._retention
        with self._reading:
            for stored in self._targets.values():
                stored.forget(before)
        trim(self._engine, [stored.id for stored in self._targets.values()], before)


def _new_id(connection: Connection, row: Insert) -> int:
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])
