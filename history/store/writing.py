"""A tick on its way into the database: the target's row, its series' rows, its layout, and the row of its values."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy import Connection, insert, update

from collectors.model import Family, Sample, Target
from history.model import Metadata
from history.samples import Floats
from history.store.naming import canonical, fingerprint, target_labels, unit
from history.store.page import Ids
from history.store.sealed import Layout
from history.store.sealing import layout_of, new_id
from history.store.tables import head_table, metric_table, series_table, target_table
from history.store.target import Arrangement, StoredTarget

TYPES = {"untyped": "unknown"}  # as Prometheus' metadata calls it

_insert_head = insert(head_table)


@dataclass(frozen=True)
class Written:
    """A tick whose transaction is still open."""

    stored: StoredTarget
    stamp: int  # ms
    layout: Layout
    values: Floats
    more: bool = False
    """It has what the tick had before, too."""


class Writer:
    """Of one transaction after another, by one thread. What it adds to memory is wrong once one is rolled back."""

    def __init__(self, memory: threading.Lock) -> None:
        """`memory` is taken while what readers look at changes."""
        self._memory = memory
        self.targets: dict[str, StoredTarget] = {}
        """By key; replaced by one with the new target, never changed, so that others may read it."""
        self.added = False
        """Something is in memory that is not committed."""
        self._keys: dict[Target, str] = {}
        self._families: set[Family] = set()

    def write(
        self, connection: Connection, target: Target, t: float, samples: Sequence[Sample], *, more: bool = False
    ) -> Written:
        """ValueError for a stamp (s) from before what is sealed, or that is there, unless there may be `more` of it."""
        stored = self._target(connection, target)
        stamp = round(t * 1000)
        if not stored.takes(stamp) and not (more and stored.extends(stamp)):
            found = f"append to {canonical(target.labels)} at {stamp} ms"
            raise ValueError(f"{found}, but it has a tick at {stored.last} ms and takes none from before it was sealed")
        families, labels, values = zip(*samples, strict=True) if samples else ((), (), ())
        arrangement = stored.arrangement
        if arrangement is None or not arrangement.fits(families, labels):
            arrangement = stored.arrangement = self._arrange(connection, stored, samples, families, labels)
        vector = np.array(values, dtype="<f8")[arrangement.order]
        layout = arrangement.layout
        if stored.head.holds(stamp):
            return self._extended(connection, stored, stamp, layout.ids, vector)
        row = {"target_id": stored.id, "t": stamp, "layout_id": layout.id, "data": vector.tobytes()}
        connection.execute(_insert_head, row)
        return Written(stored, stamp, layout, vector)

    def _extended(self, connection: Connection, stored: StoredTarget, stamp: int, new: Ids, vector: Floats) -> Written:
        """The tick that is there with further samples; of a series that it had, the new one counts."""
        ids, values = stored.head.tick(stamp)
        together = np.union1d(ids, new)
        merged = np.empty(len(together))
        merged[np.searchsorted(together, ids)] = values
        merged[np.searchsorted(together, new)] = vector
        self.added = True
        layout = layout_of(connection, stored, together)
        here = (head_table.c.target_id == stored.id) & (head_table.c.t == stamp)
        connection.execute(
            update(head_table).where(here).values(layout_id=layout.id, data=merged.astype("<f8").tobytes())
        )
        return Written(stored, stamp, layout, merged, more=True)

    def target(self, connection: Connection, key: str, labels: dict[str, str]) -> StoredTarget:
        """Made where there is none of that key."""
        if key not in self.targets:
            self.added = True
            row = insert(target_table).values(key=key, labels=canonical(labels))
            self.targets = {**self.targets, key: StoredTarget(new_id(connection, row), labels)}
        return self.targets[key]

    def series(self, connection: Connection, stored: StoredTarget, labels: dict[str, str]) -> int:
        """The id of the target's series of these labels, made where there is none."""
        text = canonical(labels)
        if text not in stored.ids:
            self.added = True
            row = {"fp": fingerprint(stored.id, text), "target_id": stored.id, "name": labels["__name__"]}
            series_id = new_id(connection, insert(series_table).values(**row, labels=text))
            with self._memory:
                stored.add_series(series_id, labels, text)
        return stored.ids[text]

    def describe(self, connection: Connection, name: str, found: Metadata) -> None:
        named = metric_table.c.name == name
        if not connection.execute(update(metric_table).where(named).values(asdict(found))).rowcount:
            connection.execute(insert(metric_table).values(name=name, **asdict(found)))

    def replace(self, targets: dict[str, StoredTarget]) -> None:
        """These are what the database holds: another process has written, or a transaction was rolled back."""
        self.targets = targets
        self._families = set()

    def _target(self, connection: Connection, target: Target) -> StoredTarget:
        key = self._keys.get(target)
        if key is None:
            key = self._keys[target] = fingerprint(canonical(target.labels))
        return self.target(connection, key, target_labels(target))

    def _arrange(
        self,
        connection: Connection,
        stored: StoredTarget,
        samples: Sequence[Sample],
        families: tuple[Family, ...],
        labels: tuple[tuple[str, ...], ...],
    ) -> Arrangement:
        self.added = True
        for family in set(families) - self._families:
            kind = TYPES.get(family.kind, family.kind)
            self.describe(connection, family.name, Metadata(kind, family.help, unit(family.name)))
        self._families |= set(families)
        ids = [self.series(connection, stored, named) for named in stored.names(samples)]
        # Of a series that comes twice in one tick the first is kept, as Prometheus does.
        unique, order = np.unique(np.array(ids, dtype=np.uint32), return_index=True)
        return Arrangement(families, labels, order, layout_of(connection, stored, unique))
