"""The embedded sample store: committed tick by tick, kept in memory for an hour or two, then sealed into pages."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError, OperationalError

from collectors.model import Sample, Target
from history.database import make_tables
from history.model import Labels, Metadata
from history.retention import Retention
from history.samples import Group, Ints, Matcher, Rolled, Wanted
from history.store import sweeping
from history.store.cache import Cache
from history.store.load import begin_generation, generation, load
from history.store.maintenance import Maintenance
from history.store.naming import canonical, fingerprint
from history.store.page import Ids
from history.store.plan import raw_suffices
from history.store.reading import Reading
from history.store.sealed import Block, PagesGone, Reader
from history.store.sealing import Outdated, Prepared, delete_blocks, next_generation, write_block
from history.store.tables import TABLES, head_table, metric_table
from history.store.target import StoredTarget
from history.store.tiers import RAW
from history.store.writing import Writer

KEEP = Retention()
CACHE = 64 * 2**20  # bytes
MOST_SAMPLES = 50_000_000

T = TypeVar("T")
Tick = tuple[Target, float, Sequence[Sample]]


class Store:
    """One process appends; any of its threads reads. Others may read what it has committed, after `refresh`.

    Blocks may be exchanged by several processes: the one that finds that another was faster looks again.
    """

    def __init__(self, engine: Engine, retention: Retention = KEEP, cache: int = CACHE) -> None:
        """Reads what the database holds. `cache`: most bytes of decoded samples that are kept in memory."""
        self.engine = engine
        self.memory = threading.Lock()
        """Guards what the targets have in memory; never held over a statement of the writer."""
        self._writing = threading.Lock()
        self._writer = Writer(self.memory)
        self._reader = Reader(engine, Cache(cache))
        self.slow_reader = Reader(engine, Cache(0))
        """What is read once must not push out what is asked for often."""
        self._samples = Reading(self._reader, self.memory)
        self._generation = -1
        make_tables(engine, list(TABLES))
        begin_generation(engine)
        self.refresh()
        self.maintenance = Maintenance(self, retention)

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        """As history.model.Sink. Once it has returned, kill -9 loses nothing of it."""
        self.append_many([(target, t, samples)])

    def append_many(self, ticks: Iterable[Tick], *, more: bool = False) -> None:
        """Several ticks in one transaction: all are stored, or none and ValueError.

        `more`: a tick may be there already; then these are further samples of it.
        """
        ticks = list(ticks)
        try:
            self._append(ticks, more)
        except IntegrityError:  # another process has made a row that we were to make, or swept one that we use
            self.refresh(anew=True)
            self._append(ticks, more)
        except OperationalError as error:
            if "readonly" not in str(error.orig):
                raise
            self.engine.dispose()  # a connection from when the directory could not be written stays that way
            self._append(ticks, more)

    def refresh(self, *, anew: bool = False) -> None:
        """Read what another process has committed since; `anew`: forget all that is in memory."""
        with self._writing, self.engine.connect() as connection, self.memory:
            now = generation(connection)
            known = {} if anew else self._writer.targets
            found = load(connection, known, blocks=anew or now != self._generation)
            self._writer.replace(found)
            self._generation = now

    def catch_up(self) -> None:
        """`refresh`, if another process has exchanged blocks."""
        with self.engine.connect() as connection:
            now = generation(connection)
        if now != self._generation:
            self.refresh()

    def maintain(self, now: float) -> bool:
        """One step of what is due at `now` (Unix seconds), if anything is. True: there may be more to do."""
        return self.maintenance.step(round(now * 1000))

    def select(self, matchers: Sequence[Matcher], start: int, end: int, most: int = MOST_SAMPLES) -> list[Group]:
        """As history.samples.Samples."""
        groups = []
        for stored in self.targets():
            group = self._retried(partial(self._samples.samples, stored, matchers, (start, end), most))
            if group is not None:
                groups.append(group)
                most -= group.values.size
        return groups

    def rolled(self, matchers: Sequence[Matcher], wanted: Wanted) -> list[Rolled] | None:
        """As history.samples.Samples."""
        gone, many = self._weigh(matchers, wanted)
        if not gone and not many:
            return None
        read = []
        for stored in self.targets():
            rolled = self._retried(partial(self._samples.rolled, stored, matchers, wanted, raw_first=not many))
            if rolled is not None:
                read.append(rolled)
                held = len(rolled.labels) * len(rolled.stamps) * len(rolled.columns)
                wanted = replace(wanted, at_once=wanted.at_once - held)
        return read

    def walk(self, name: str, start: int, end: int) -> Iterator[Group]:
        """All samples of a metric, of start <= t <= end (ms), in parts that fit into memory."""
        for stored in self.targets():
            with self.memory:
                found = stored.find([Matcher("__name__", "=", name)])
            for part in self._samples.parts(stored, found, (start, end)):
                group = self._retried(part)
                if group is not None:
                    yield group

    def series(self, matchers: Sequence[Matcher], start: int, end: int) -> list[Labels]:
        """Labels of every series that matches and has a sample of start <= t <= end (ms).

        Of what is sealed it is enough that the series is in a block which touches that time.
        """
        labels: list[Labels] = []
        for stored in self.targets():
            with self.memory:
                labels += stored.alive(matchers, start, end)
        return labels

    def metadata(self) -> dict[str, Metadata]:
        """By metric name."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(metric_table).order_by(metric_table.c.name)).all()
        return {row.name: Metadata(row.type, row.help, row.unit) for row in rows}

    def targets(self) -> list[StoredTarget]:
        return list(self._writer.targets.values())

    @property
    def newest(self) -> int | None:
        """The newest stamp (ms)."""
        return max((stored.last for stored in self.targets() if stored.last is not None), default=None)

    def damaged(self) -> dict[int, str]:
        """Problems by page (by -block where the block is meant): what could not be read. All else is served."""
        blocks = [block for stored in self.targets() for block in stored.of(tuple(stored.blocks))]
        missing = {-block.id: f"block {block.id} misses {block.missing} pages" for block in blocks if block.missing}
        return {**missing, **self.slow_reader.damaged, **self._reader.damaged}

    def exchange(
        self,
        stored: StoredTarget,
        *,
        gone: Sequence[Block] = (),
        come: Sequence[Prepared] = (),
        seals: Ints | None = None,
    ) -> bool:
        """In one transaction: blocks go, others come, the head's oldest scrapes (these stamps) leave it.

        False: the target has changed meanwhile and nothing was done; it is due again, if it still is.
        """
        try:
            with self._writing, self._undoing():
                changed = seals is not None and not np.array_equal(stored.head.stamps[: len(seals)], seals)
                if changed or stored not in self.targets():
                    return False
                self._exchange(stored, gone, come, seals)
                return True
        except Outdated:
            self.refresh()
            return False

    def declare(self, labels: Labels, series: Sequence[Labels]) -> tuple[StoredTarget, Ids]:
        """The target of these labels and the ids of its series, made where there are none."""
        with self._writing, self._undoing(), self.engine.begin() as connection:
            known = next((stored for stored in self.targets() if stored.labels == labels), None)
            stored = known or self._writer.target(connection, fingerprint(canonical(labels)), dict(labels))
            ids = [self._writer.series(connection, stored, dict(each)) for each in series]
            return stored, np.array(ids, dtype=np.uint32)

    def describe(self, described: Mapping[str, Metadata]) -> None:
        """Metrics by name; those that are described already stay as they are."""
        new = {name: found for name, found in described.items() if name not in self.metadata()}
        with self._writing, self.engine.begin() as connection:
            for name, found in new.items():
                self._writer.describe(connection, name, found)

    def sweep(self, stored: StoredTarget) -> bool:
        """Rows of series and layouts that nothing refers to any more go. Whether there were any."""
        try:
            with self._writing:
                with self.engine.begin() as connection:
                    used = sweeping.used_by_head(connection, stored)
                    with self.memory:
                        what = sweeping.dead(stored, used)
                    if not what.layouts and not what.series:
                        return False
                    now = next_generation(connection, self._generation)
                    sweeping.delete_dead(connection, what)
                with self.memory:
                    stored.forget(what.layouts, what.series)
                    self._generation = now
        except Outdated:
            self.refresh()
        return True

    def _append(self, ticks: Sequence[Tick], more: bool) -> None:
        with self._writing, self._undoing():
            with self.engine.begin() as connection:
                written = [self._writer.write(connection, *tick, more=more) for tick in ticks]
                if len({(tick.stored.id, tick.stamp) for tick in written}) < len(written):
                    raise ValueError("append of two ticks of one target at the same stamp")
            with self.memory:
                for tick in written:
                    (tick.stored.put if tick.more else tick.stored.insert)(tick.stamp, tick.layout, tick.values)

    def _exchange(
        self, stored: StoredTarget, gone: Sequence[Block], come: Sequence[Prepared], seals: Ints | None
    ) -> None:
        with self.engine.begin() as connection:
            now = next_generation(connection, self._generation)
            self._writer.added = True
            delete_blocks(connection, [block.id for block in gone])
            new = [write_block(connection, stored, block) for block in come]
            if seals is not None:
                at = head_table.c
                connection.execute(delete(head_table).where(at.target_id == stored.id, at.t <= int(seals[-1])))
        with self.memory:
            stored.exchange_blocks(gone, new)
            if seals is not None:
                stored.drop_head(len(seals))
            self._generation = now

    def _weigh(self, matchers: Sequence[Matcher], wanted: Wanted) -> tuple[bool, bool]:
        """Whether samples of that time have gone that roll-ups remember, and whether there are too many."""
        samples, gone, coarser = 0, False, False
        for stored in self.targets():
            with self.memory:
                found = len(stored.find(matchers))
                if found:
                    samples += found * sum(block.count for block in stored.within(RAW, wanted.start, wanted.end))
                    gone = gone or not raw_suffices(stored, wanted.start)
                    coarser = coarser or any(0 < tier * 1000 <= wanted.resolution for tier in stored.blocks)
        return gone, coarser and samples > wanted.most

    def _retried(self, read: Callable[..., T]) -> T:
        """`read(strict=...)`, again if pages went while it was read; what is missing still is damage."""
        try:
            return read(strict=True)
        except PagesGone:
            self._generation = -1
            self.refresh()
            return read(strict=False)

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        """What a transaction that failed has added to memory is read anew."""
        self._writer.added = False
        try:
            yield
        except BaseException:
            if self._writer.added:
                with self.engine.connect() as connection:
                    found = load(connection, {}, blocks=True)
                with self.memory:
                    self._writer.replace(found)
            raise
