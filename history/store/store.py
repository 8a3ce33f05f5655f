"""The embedded sample store: committed tick by tick, kept in memory for an hour or two, then sealed into pages."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

import numpy as np
from sqlalchemy import Engine, delete, select

from collectors.model import Sample, Target
from history.database import METADATA, give_back, room
from history.model import Labels, Metadata, QueryError
from history.retention import Retention
from history.samples import Group, Ints, Matcher, absent, blank
from history.store import rolling, tiers
from history.store.cache import Cache
from history.store.expiry import Clock, expired, forgotten, sacrifices
from history.store.load import generation, load, load_blocks
from history.store.sealed import Block, PagesGone, Reader, holding
from history.store.sealing import Column, Prepared, count_generation, delete_blocks, prepare, write_block
from history.store.tables import TABLES, head_table, metric_table
from history.store.target import StoredTarget
from history.store.tiers import RAW, VALUES
from history.store.writing import Writer

KEEP = Retention()
CACHE = 64 * 2**20  # bytes
EXPIRE_EVERY = 60_000  # ms
GIVE_BACK = 2**23
"""Bytes that go back to the file system in one step."""
AT_ONCE = 16
"""Blocks that go in one transaction."""
MOST_SAMPLES = 50_000_000
"""A selector that would copy more than this many samples is refused."""

Tick = tuple[Target, float, Sequence[Sample]]


class Store:
    """One process appends; any of its threads reads. Another opens the same database and follows with `refresh`."""

    def __init__(self, engine: Engine, retention: Retention = KEEP, cache: int = CACHE) -> None:
        """Reads what the database holds. `cache`: most bytes of decoded samples that are kept in memory."""
        self._engine = engine
        self._retention = retention
        self._writing = threading.Lock()
        self._reading = threading.Lock()  # guards memory; never held over a statement of the writer
        self._writer = Writer(self._reading)
        self._reader = Reader(engine, Cache(cache))
        self._slow_reader = Reader(engine, Cache(0))  # what is read once must not push out what is asked for often
        self._generation = -1
        METADATA.create_all(engine, tables=list(TABLES))
        self.refresh()
        self._clock = Clock(self.newest)
        self._measured = 0  # ms, when it was last found that there is room enough
        self._looked = 0  # ms, when it was last looked for what is past its time

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        """As history.model.Sink. Once it has returned, kill -9 loses nothing of it."""
        self.append_many([(target, t, samples)])

    def append_many(self, ticks: Iterable[Tick]) -> None:
        """Several ticks in one transaction: all are stored, or none and ValueError."""
        with self._writing, self._undoing():
            with self._engine.begin() as connection:
                written = [self._writer.write(connection, *tick) for tick in ticks]
                if len({(tick.stored.id, tick.stamp) for tick in written}) < len(written):
                    raise ValueError("append of two ticks of one target at the same stamp")
            with self._reading:
                for tick in written:
                    tick.stored.insert(tick.stamp, tick.layout, tick.values)

    def refresh(self) -> None:
        """Read what another process has committed since."""
        with self._engine.connect() as connection, self._reading:
            now = generation(connection)
            self._writer.targets = load(connection, self._writer.targets, blocks=now != self._generation)
            self._generation = now

    def maintain(self, now: float) -> bool:
        """One step of what is due at `now` (Unix seconds), if anything is. True: there may be more to do."""
        return self._seal() or self._roll() or self._expire(round(now * 1000)) or self._make_room(round(now * 1000))

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Group]:
        """As history.samples.Samples."""
        budget = MOST_SAMPLES
        groups = []
        for stored in self._targets():
            group = self._select(stored, matchers, start, end, budget)
            if group is not None:
                groups.append(group)
                budget -= group.values.size
        return groups

    def series(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Labels]:
        """Labels of every series that matches and has a sample of start <= t <= end (ms).

        Of what is sealed it is enough that the series is in a block which touches that time.
        """
        labels: list[Labels] = []
        for stored in self._targets():
            with self._reading:
                labels += stored.alive(matchers, start, end)
        return labels

    def metadata(self) -> dict[str, Metadata]:
        """By metric name."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(metric_table).order_by(metric_table.c.name)).all()
        return {row.name: Metadata(row.type, row.help, row.unit) for row in rows}

    @property
    def newest(self) -> int | None:
        """The newest stamp (ms)."""
        return max((stored.last for stored in self._targets() if stored.last is not None), default=None)

    def damaged(self) -> dict[int, str]:
        """Problems by page (by -block where the block is meant): what could not be read. All else is served."""
        blocks = [block for stored in self._targets() for block in stored.of(tuple(stored.blocks))]
        missing = {-block.id: f"block {block.id} misses {block.missing} pages" for block in blocks if block.missing}
        return {**missing, **self._slow_reader.damaged, **self._reader.damaged}

    def _targets(self) -> list[StoredTarget]:
        return list(self._writer.targets.values())

    def _select(
        self, stored: StoredTarget, matchers: Sequence[Matcher], start: int, end: int, budget: int
    ) -> Group | None:
        """None: nothing that matches has a sample in that time."""
        for strict in (True, False):
            try:
                return self._read(stored, matchers, start, end, budget, strict=strict)
            except PagesGone:
                self._reindex()
        return None

    def _read(
        self, stored: StoredTarget, matchers: Sequence[Matcher], start: int, end: int, budget: int, *, strict: bool
    ) -> Group | None:
        with self._reading:
            found = stored.find(matchers)
            blocks = stored.within(RAW, start, end) if len(found) else []
            fresh, newest = stored.head.read(found.tolist(), start, end)
        here = ~absent(newest).all(axis=1) | np.isin(found, holding(blocks, found))
        ids, newest = found[here], newest[here]
        sealed = sum(block.count for block in blocks)
        if len(ids) * (sealed + len(fresh)) > budget:
            raise QueryError("execution", "query processing would load too many samples into memory")
        if not len(ids):
            return None
        values = newest
        stamps = fresh
        if blocks:
            values = blank(len(ids), sealed + len(fresh))
            values[:, sealed:] = newest
            old = self._reader.read(blocks, ids, VALUES, values, strict=strict)
            first, last = np.searchsorted(old, (start, end + 1))
            stamps = np.concatenate([old[first:last], fresh])
            values = values[:, first : last + len(fresh)] if last == sealed else values[:, first:last]
        alive = ~absent(values).all(axis=1)
        labels = [stored.series[series_id] for series_id in ids[alive].tolist()]
        return Group(labels, stamps, values if alive.all() else values[alive]) if labels else None

    def _seal(self) -> bool:
        stored = next((stored for stored in self._targets() if stored.head.due), None)
        if stored is None:
            return False
        with self._reading:
            stamps, ids, values = stored.head.oldest()
        block = prepare(RAW, stamps, [Column(VALUES, ids, values)])
        self._exchange(stored, come=block, seals=stamps)
        return True

    def _roll(self) -> bool:
        for stored in self._targets():
            if stored.settled:
                continue
            with self._reading:
                what = rolling.due(stored)
                stored.settled = what is None
            if what is not None:
                kinds = {name: tiers.is_counter(name, found.type) for name, found in self.metadata().items()}
                self._exchange(stored, come=rolling.build(stored, what, self._slow_reader, kinds))
                return True
        return False

    def _expire(self, now: int) -> bool:
        if not self._clock.steady(now) or 0 <= now - self._looked < EXPIRE_EVERY:
            return False
        for stored in self._targets():
            with self._reading:
                gone = expired(stored, self._retention, now)[:AT_ONCE]
                old = int(np.searchsorted(stored.head.stamps, forgotten(self._retention.raw, now)))
                seals = stored.head.stamps[:old].copy() if old else None
            if gone or old:
                self._exchange(stored, gone=gone, seals=seals)
                return True
        self._looked = now
        return False

    def _make_room(self, now: int) -> bool:
        """Bring the database below its size; the step that looked and found no need is the last for some time."""
        if 0 <= now - self._measured < EXPIRE_EVERY:
            return False
        found = room(self._engine)
        if found.used + found.spare > self._retention.most_bytes and found.spare:
            give_back(self._engine, GIVE_BACK)
        if found.used <= self._retention.most_bytes:
            self._measured = now
            return False
        with self._reading:
            gone = list(islice(sacrifices(self._targets()), 1))
        for stored, block in gone:
            self._exchange(stored, gone=[block])
        if not gone:
            self._measured = now
        return bool(gone)

    def _exchange(
        self,
        stored: StoredTarget,
        *,
        gone: Sequence[Block] = (),
        come: Prepared | None = None,
        seals: Ints | None = None,
    ) -> None:
        """In one transaction: blocks go, a block comes, the head's oldest scrapes (these stamps) leave it.

        Nothing happens if the target has changed meanwhile: whoever asked finds it due again.
        """
        with self._writing, self._undoing():
            changed = seals is not None and not np.array_equal(stored.head.stamps[: len(seals)], seals)
            if changed or stored not in self._targets():
                return
            with self._engine.begin() as connection:
                self._writer.added = True
                new = [write_block(connection, stored, come)] if come is not None else []
                delete_blocks(connection, [block.id for block in gone])
                if seals is not None:
                    at = head_table.c
                    connection.execute(delete(head_table).where(at.target_id == stored.id, at.t <= int(seals[-1])))
                now = count_generation(connection)
            with self._reading:
                stored.exchange_blocks(gone, new)
                if seals is not None:
                    stored.drop_head(len(seals))
                self._generation = now

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        """What a transaction that failed has added to memory is read anew."""
        self._writer.added = False
        try:
            yield
        except BaseException:
            if self._writer.added:
                with self._engine.connect() as connection:
                    self._writer.forget(load(connection, {}, blocks=True))
            raise

    def _reindex(self) -> None:
        with self._engine.connect() as connection, self._reading:
            load_blocks(connection, self._targets())
