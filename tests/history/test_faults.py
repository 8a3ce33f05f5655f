"""What media and clocks do to a history: bits that flip, clocks that jump, a directory that cannot be written."""

import random
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from collectors.model import Counter, Gauge, Target
from history.database import open_database
from history.retention import Retention
from history.samples import Matcher, absent
from history.store import Store, head
from history.store.tables import block_table, page_table
from tests.history.test_kill import SEED, TRIALS

HOST = Target("node", "h1", "h1")
READS = Counter("node_disk_reads_total", "Reads.", ("device",))
LOAD = Gauge("node_load1", "Load.")
T = 1_790_000_000


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "SCRAPES", 30)
    monkeypatch.setattr(head, "SPARE", 10)


def everything(store: Store) -> dict[tuple[str, int], float]:
    """Series and stamp (s) -> value."""
    found: dict[tuple[str, int], float] = {}
    for group in store.select([Matcher("__name__", "!=", "")], 0, 2**60):
        for labels, values in zip(group.labels, group.values, strict=True):
            there = ~absent(values)
            name = labels["__name__"] + labels.get("device", "")
            stamps = (group.stamps[there] // 1000).tolist()
            found |= {(name, t): v for t, v in zip(stamps, values[there].tolist(), strict=True)}
    return found


def fill(engine: Engine, dice: random.Random) -> Store:
    store = Store(engine)
    for tick in range(400):
        reads = [READS(tick * dice.randrange(9), device) for device in "abcde"]
        store.append(HOST, T + 60 * tick, [*reads, LOAD(dice.random())])
        while store.maintenance.seal():
            pass
    return store


def flip_one_bit(engine: Engine, dice: random.Random) -> None:
    """Of a page, or of a block's stamps."""
    table, column = dice.choice([(page_table, page_table.c.data), (block_table, block_table.c.stamps)])
    with engine.begin() as connection:
        row = dice.choice(connection.execute(select(table.c.id, column)).all())
        spoilt = bytearray(row[1])
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
        connection.execute(update(table).where(table.c.id == row.id).values({column.name: bytes(spoilt)}))


def flips(folder: Path, trials: int) -> None:
    print(f"seed {SEED}, {trials} trials")  # noqa: T201
    dice = random.Random(SEED)
    for trial in range(trials):
        engine = open_database(folder / str(trial))
        whole = everything(fill(engine, dice))
        flip_one_bit(engine, dice)
        store = Store(engine)
        found = everything(store)
        assert len(store.damaged()) == 1, "it was not found"
        assert found.items() <= whole.items(), "a value is wrong"
        assert len(whole) - 30 * 6 <= len(found) < len(whole), "more than the block is missing"
        engine.dispose()


def test_a_flipped_bit_is_found_and_the_rest_is_served(tmp_path: Path) -> None:
    flips(tmp_path, 5)


@pytest.mark.trials
def test_a_flipped_bit_is_found_and_the_rest_is_served_many_times(tmp_path: Path) -> None:
    flips(tmp_path, max(TRIALS, 5))


def jumps(folder: Path, trials: int) -> None:
    """A clock that goes ahead or back by up to an hour, and is right again after a while."""
    print(f"seed {SEED}, {trials} trials")  # noqa: T201
    dice = random.Random(SEED)
    for trial in range(trials):
        engine = open_database(folder / str(trial))
        store = Store(engine, Retention(raw=3 * 86_400, fine=4 * 86_400, hour=5 * 86_400))
        taken: dict[tuple[str, int], float] = {}
        now, off, refused = T, 0, 0
        for tick in range(900):
            now += 15
            if tick % 100 == 50:
                off = dice.choice([-3600, 3600, dice.randrange(-3600, 3600)])
            elif tick % 100 == 50 + dice.randrange(50):
                off = 0
            try:
                store.append(HOST, now + off, [LOAD(tick)])
                taken["node_load1", now + off] = tick
            except ValueError:
                refused += 1
                assert off < 0 or ("node_load1", now + off) in taken or now < store.targets()[0].sealed_until / 1000  # type: ignore[operator]
            store.maintain(now + off)
        assert everything(store) == taken == everything(Store(engine))
        assert refused < 900
        engine.dispose()


def test_a_clock_that_jumps_loses_nothing_that_was_taken(tmp_path: Path) -> None:
    jumps(tmp_path, 2)


@pytest.mark.trials
def test_a_clock_that_jumps_loses_nothing_that_was_taken_many_times(tmp_path: Path) -> None:
    jumps(tmp_path, max(TRIALS, 5))
