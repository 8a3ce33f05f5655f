"""What was appended is what is read, whatever was sealed, reopened or followed meanwhile."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Engine, func, select

from collectors.model import Counter, Gauge, Target
from history.database import open_database
from history.retention import Retention
from history.samples import Matcher, absent
from history.store import Store, head
from history.store.tables import block_table, head_table, page_table

HOST = Target("node", "h1", "h1")
READS = Counter("node_disk_reads_total", "Reads.", ("device",))
LOAD = Gauge("node_load1", "Load.")
DEVICES = st.sets(st.sampled_from(["a", "b", "c", "d", "e"]))


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "SCRAPES", 8)
    monkeypatch.setattr(head, "SPARE", 3)


def read(store: Store, start: int = 0, end: int = 2**60) -> dict[str, dict[int, float]]:
    """Device -> stamp (ms) -> value."""
    found: dict[str, dict[int, float]] = {}
    for group in store.select([Matcher("__name__", "=", READS.name)], start, end):
        assert (np.diff(group.stamps) > 0).all()
        for labels, values in zip(group.labels, group.values, strict=True):
            there = ~absent(values)
            found[labels["device"]] = dict(zip(group.stamps[there].tolist(), values[there].tolist(), strict=True))
    return found


class Sealing(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp())
        self.engine = open_database(self.folder)
        self.store, self.follower = Store(self.engine), Store(self.engine)
        self.model: dict[int, dict[str, float]] = {}
        self.now = 1000

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
            shutil.rmtree(self.folder)

    @rule(devices=DEVICES, step=st.integers(1, 5000), count=st.integers(1, 12))
    def append(self, devices: set[str], step: int, count: int) -> None:
        for _ in range(count):
            self.now += step
            self._append(self.now, devices)

    @rule(devices=DEVICES, back=st.integers(1, 20_000))
    def append_after_the_clock_was_put_back(self, devices: set[str], back: int) -> None:
        stamp = self.now - back
        sealed = self._sealed_until()
        if stamp <= 0:
            return
        if stamp in self.model or stamp <= sealed:
            with pytest.raises(ValueError, match=f"at {stamp} ms"):
                self._append(stamp, devices)
        else:
            self._append(stamp, devices)

    def _append(self, stamp: int, devices: set[str]) -> None:
        tick = {device: float(stamp * 10 + len(device)) for device in sorted(devices)}
        self.store.append(HOST, stamp / 1000, [READS(value, device) for device, value in tick.items()])
        self.model[stamp] = tick

    def _sealed_until(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.max(block_table.c.t1))).scalar() or 0)

    @rule()
    def seal(self) -> None:
        while self.store.maintain(self.now / 1000):
            pass

    @rule()
    def merge_elsewhere(self) -> None:
        self.follower.refresh()
        self.follower.maintenance.merge()

    @rule()
    def sweep(self) -> None:
        self.store.maintenance.sweep()

    @rule()
    def reopen(self) -> None:
        self.store = Store(self.engine)

    @rule()
    def follow(self) -> None:
        self.follower.refresh()
        assert read(self.follower) == self.expected(0, 2**60)

    @rule(start=st.integers(0, 60_000), span=st.integers(0, 60_000))
    def read_some(self, start: int, span: int) -> None:
        assert read(self.store, start, start + span) == self.expected(start, start + span)

    @precondition(lambda self: hasattr(self, "store"))
    @invariant()
    def everything_is_there(self) -> None:
        assert read(self.store) == self.expected(0, 2**60)

    def expected(self, start: int, end: int) -> dict[str, dict[int, float]]:
        found: dict[str, dict[int, float]] = {}
        for stamp, tick in self.model.items():
            if start <= stamp <= end:
                for device, value in tick.items():
                    found.setdefault(device, {})[stamp] = value
        return found


@pytest.mark.usefixtures("_small_blocks")
class TestSealing(Sealing.TestCase):  # type: ignore[valid-type,misc]
    settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def fill(store: Store, ticks: int, start: int = 1) -> None:
    for tick in range(start, start + ticks):
        store.append(HOST, 10.0 * tick, [READS(tick * 2, "a"), READS(7, "b"), LOAD(tick / 8)])
        while store.maintenance.seal():
            pass


def test_sealed_rows_leave_the_head(engine: Engine) -> None:
    fill(Store(engine), 30)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(block_table)).scalar() == 3
        assert connection.execute(select(func.min(head_table.c.t))).scalar() == 250_000


def test_a_page_that_was_flipped_is_told_and_the_rest_is_served(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    fill(Store(engine), 30)
    with engine.begin() as connection:
        page_id, data = connection.execute(select(page_table.c.id, page_table.c.data).where(page_table.c.id == 1)).one()
        spoilt = bytes([*data[:-1], data[-1] ^ 4])
        connection.execute(page_table.update().where(page_table.c.id == page_id).values(data=spoilt))
    store = Store(engine)
    found = read(store)
    assert sorted(found["a"]) == list(range(90_000, 310_000, 10_000))
    assert found["a"][90_000] == 18
    assert len(store.damaged()) == 1
    assert "checksum of a page is wrong" in caplog.text


def test_a_page_that_is_missing_is_told_and_the_rest_is_served(engine: Engine) -> None:
    fill(Store(engine), 30)
    store = Store(engine)
    with engine.begin() as connection:
        connection.execute(page_table.delete().where(page_table.c.id == 2))
    assert sorted(read(store)["a"]) == [t for t in range(10_000, 310_000, 10_000) if not 90_000 <= t < 170_000]
    assert list(store.damaged().values()) == ["block 2 misses 1 pages"]


def test_a_block_whose_stamps_were_flipped_is_told_and_the_rest_is_served(engine: Engine) -> None:
    fill(Store(engine), 30)
    with engine.begin() as connection:
        connection.execute(block_table.update().where(block_table.c.id == 2).values(stamps=b"\1\0\0\0\0\2"))
    store = Store(engine)
    assert sorted(read(store)["a"]) == [t for t in range(10_000, 310_000, 10_000) if not 90_000 <= t < 170_000]
    assert len(store.damaged()) == 1


def test_a_follower_reads_on_when_blocks_went(engine: Engine) -> None:
    writer = Store(engine)
    fill(writer, 30)
    follower = Store(engine)
    fill(writer, 30, start=31)
    while writer.maintenance.merge():
        pass
    assert sorted(read(follower)["a"])[:24] == list(range(10_000, 250_000, 10_000))
    follower.refresh()
    assert sorted(read(follower)["a"]) == list(range(10_000, 610_000, 10_000))


def test_a_seal_that_fails_loses_nothing_and_is_done_later(engine: Engine) -> None:
    store = Store(engine)
    for tick in range(12):
        store.append(HOST, 10.0 * tick, [READS(tick * 2, "a")])
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON page BEGIN SELECT RAISE(FAIL, 'full'); END")
    for _ in range(2):
        with pytest.raises(Exception, match="full"):
            store.maintain(120.0)
        assert sorted(read(store)["a"]) == list(range(0, 120_000, 10_000))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert store.maintain(120.0)
    assert sorted(read(store)["a"]) == list(range(0, 120_000, 10_000))
    assert sorted(read(Store(engine))["a"]) == list(range(0, 120_000, 10_000))


def test_merged_blocks_hold_what_the_two_held(engine: Engine) -> None:
    store = Store(engine)
    fill(store, 30)
    before = read(store)
    with engine.connect() as connection:
        assert connection.execute(select(block_table.c.count)).scalars().all() == [8, 8, 8]
    while store.maintenance.merge():
        pass
    with engine.connect() as connection:
        assert connection.execute(select(block_table.c.count).order_by(block_table.c.t0)).scalars().all() == [16, 8]
    assert read(store) == read(Store(engine)) == before


def test_a_damaged_block_is_not_merged(engine: Engine) -> None:
    fill(Store(engine), 30)
    with engine.begin() as connection:
        connection.execute(page_table.update().where(page_table.c.id == 2).values(data=b"spoilt"))
    store = Store(engine)
    while store.maintenance.merge():
        pass
    assert len(store.damaged()) == 1
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(block_table)).scalar() == 3


def test_two_processes_exchange_blocks_and_nothing_is_lost(engine: Engine) -> None:
    store, other = Store(engine), Store(engine)
    fill(store, 30)
    other.refresh()
    for _ in range(2):
        assert other.maintenance.merge() or True
    fill(store, 40, start=31)  # it still has the index of before
    while store.maintain(700.0):
        pass
    other.catch_up()
    expected = list(range(10_000, 710_000, 10_000))
    for each in (store, other, Store(engine)):
        each.catch_up()
        assert sorted(read(each)["a"]) == expected
        assert not each.damaged()


def test_series_that_nothing_refers_to_are_swept(engine: Engine) -> None:
    store = Store(engine, Retention(raw=100.0, fine=100.0, hour=100.0))
    for tick in range(1, 12):
        store.append(HOST, 10.0 * tick, [READS(1, f"sd{tick}"), LOAD(1)])
    other = Store(engine)
    later = 10.0**6
    for tick in range(12):
        store.append(HOST, later + 10 * tick, [READS(2, "new"), LOAD(2)])
    while store.maintenance.seal():
        pass
    [stored] = store.targets()
    store.exchange(stored, gone=stored.of((0,))[:1])
    assert store.maintenance.sweep()
    assert not store.maintenance.sweep()
    names = {labels.get("device") for labels in stored.series.values()}
    assert "sd2" not in names
    assert {"new", None} <= names
    assert sorted(read(store)) == sorted(read(Store(engine)))
    # One that still holds what was swept begins anew.
    other.append(HOST, later + 1000, [READS(3, "sd1"), LOAD(3)])
    assert read(Store(engine))["sd1"] == {round((later + 1000) * 1000): 3}
