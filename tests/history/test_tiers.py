"""Coarser tiers against a slow and obvious reference, and what goes when."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from collectors.model import Counter, Gauge, Target
from history.database import open_database, room
from history.retention import Retention
from history.samples import Floats, absent, blank
from history.store import Store, head, tiers
from history.store.expiry import Clock
from history.store.tiers import COUNT, FIVE_MINUTES, HOUR, LAST, MAX, MIN, MINUTE, RAW, RESET, SUM

HOST = Target("node", "h1", "h1")
READS = Counter("node_disk_reads_total", "Reads.", ("device",))
LOAD = Gauge("node_load1", "Load.")
NOISE = Gauge("noise", "Of full precision.", ("n",))
DAY = 86_400

ROW = st.lists(st.one_of(st.none(), st.integers(0, 50).map(float), st.just(math.nan)), min_size=1, max_size=40)


def slow(stamps: Sequence[int], row: Sequence[float | None], seconds: int) -> dict[int, dict[int, float]]:
    """Bucket's end (s) -> kind -> value, sample by sample."""
    found: dict[int, dict[int, float]] = {}
    before: float | None = None
    for stamp, value in zip(stamps, row, strict=True):
        if value is None:
            continue
        bucket = found.setdefault(math.ceil(stamp / 1000 / seconds) * seconds, {COUNT: 0.0, SUM: 0.0, RESET: 0.0})
        bucket[LAST] = value
        bucket[COUNT] += 1
        bucket[SUM] += value
        bucket[MIN] = min([each for each in (bucket.get(MIN, math.nan), value) if each == each], default=math.nan)
        bucket[MAX] = max([each for each in (bucket.get(MAX, math.nan), value) if each == each], default=math.nan)
        if before is not None and value < before:
            bucket[RESET] += before
        before = value
    return found


@given(row=ROW, steps=st.lists(st.integers(1, 200_000), min_size=40, max_size=40), start=st.integers(0, 10**7))
def test_buckets_hold_what_was_in_them(row: list[float | None], steps: list[int], start: int) -> None:
    stamps = np.cumsum([start, *steps[1 : len(row)]], dtype=np.int64)
    values = blank(1, len(row))
    for at, value in enumerate(row):
        if value is not None:
            values[0, at] = value
    into = tiers.buckets(stamps, FIVE_MINUTES)
    rolled = tiers.roll(tiers.as_columns(values, blank(1, 1)[:, 0]), into)
    expected = slow(stamps.tolist(), row, FIVE_MINUTES)
    ends = [math.ceil(stamp / 1000 / FIVE_MINUTES) * FIVE_MINUTES for stamp in into.stamps.tolist()]
    for kind in (LAST, COUNT, SUM, MIN, MAX, RESET):
        there = ~absent(rolled[kind][0])
        found = {end: float(rolled[kind][0, at]) for at, end in enumerate(ends) if there[at]}
        assert found == pytest.approx({end: columns[kind] for end, columns in expected.items()}, nan_ok=True)


@given(row=ROW, cut=st.integers(0, 40))
def test_hours_made_of_minutes_are_hours_made_of_samples(row: list[float | None], cut: int) -> None:
    """Also when the row was rolled in two parts, the second knowing the last sample of the first."""
    stamps = np.arange(len(row), dtype=np.int64) * 200_000 + 1
    values = np.array([[blank(1, 1)[0, 0] if value is None else value for value in row]])
    at_once = tiers.roll(tiers.as_columns(values, blank(1, 1)[:, 0]), tiers.buckets(stamps, HOUR))
    parts = []
    for some, before in ((slice(0, cut), blank(1, 1)), (slice(cut, None), values[:, :cut])):
        if len(stamps[some]):
            into = tiers.buckets(stamps[some], FIVE_MINUTES)
            parts.append((into.stamps, tiers.roll(tiers.as_columns(values[:, some], newest(before)), into)))
    fine = {kind: np.concatenate([columns[kind] for _, columns in parts], axis=1) for kind in parts[0][1]}
    again = tiers.roll(fine, tiers.buckets(np.concatenate([stamps for stamps, _ in parts]), HOUR))
    for kind, expected in at_once.items():
        assert np.array_equal(again[kind], expected, equal_nan=True), kind


def newest(values: Floats) -> Floats:
    there = np.flatnonzero(~absent(values[0]))
    return values[:, there[-1]] if len(there) else blank(1, 1)[:, 0]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(head, "SCRAPES", 60)
    monkeypatch.setattr(head, "SPARE", 4)
    engine = open_database(tmp_path)
    yield engine
    engine.dispose()


def days(store: Store, start: float, count: float, step: int = 120, noisy: int = 0) -> float:
    """Samples each `step` seconds, sealed and rolled and expired meanwhile; where the next would be."""
    dice = np.random.default_rng(1)
    ends = start + count * DAY
    now = start
    while now < ends:
        noise = (NOISE(value, str(n)) for n, value in enumerate(dice.random(noisy).tolist()))
        store.append(HOST, now, [READS(now - start, "a"), LOAD(now % 7), *noise])
        while store.maintain(now):
            pass
        now += step
    return now


def blocks(store: Store) -> dict[int, tuple[float, float]]:
    """Tier -> first and last stamp (s)."""
    [stored] = store.targets()
    return {tier: (kept[0].t0 / 1000, kept[-1].t1 / 1000) for tier, kept in stored.blocks.items() if kept}


START = 1_790_000_000 // DAY * DAY + 60.0


def test_tiers_are_built_and_go_in_their_time(engine: Engine) -> None:
    store = Store(engine, Retention(raw=2 * DAY, fine=8 * DAY, hour=400 * DAY))
    now = days(store, START, 16)
    found = blocks(store)
    assert now - 2 * DAY - 33 * 3600 < found[RAW][0] <= now - 2 * DAY, "a merged block is of 32 hours"
    assert now - 9 * DAY - 3 * 3600 <= found[FIVE_MINUTES][0] <= now - 8 * DAY
    assert found[HOUR][0] < START + 3600
    assert set(blocks(Store(engine))) == {RAW, FIVE_MINUTES, HOUR}


def test_samples_that_come_each_second_have_a_tier_of_minutes(engine: Engine) -> None:
    store = Store(engine)
    days(store, START, 0.5, step=4)
    assert set(blocks(store)) == {RAW, MINUTE}


def test_what_no_tier_covers_yet_is_not_let_go(engine: Engine) -> None:
    store = Store(engine, Retention(raw=3600, fine=DAY, hour=DAY))
    days(store, START, 0.9)
    assert blocks(store)[RAW][0] == START


def test_no_room_takes_covered_samples_first(engine: Engine) -> None:
    wide = Store(engine)
    now = days(wide, START, 6, noisy=20)
    used = room(engine).used
    narrow = Store(engine, Retention(most_bytes=used - 300_000))
    before = blocks(narrow)
    while narrow.maintain(now):
        pass
    after = blocks(narrow)
    assert room(engine).used <= used - 300_000
    assert after[RAW][0] > before[RAW][0]
    assert {tier: after[tier] for tier in (FIVE_MINUTES, HOUR)} == {tier: before[tier] for tier in (FIVE_MINUTES, HOUR)}


def test_the_file_shrinks_when_its_size_is_lowered(engine: Engine, tmp_path: Path) -> None:
    bare = written(engine, tmp_path)  # a page for each table and index of every room
    now = days(Store(engine), START, 6, noisy=20)
    assert room(engine).used > 800_000
    narrow = Store(engine, Retention(most_bytes=400_000))
    while narrow.maintain(now):
        pass
    assert written(engine, tmp_path) <= 500_000 + bare


def written(engine: Engine, folder: Path) -> int:
    """Bytes of the database's file, with all that is in its log."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / "raingauge.db").stat().st_size


def test_a_clock_that_leaps_ahead_deletes_nothing_for_an_hour(engine: Engine) -> None:
    store = Store(engine, Retention(raw=2 * DAY, fine=DAY, hour=DAY))
    now = days(store, START, 3)
    before = blocks(store)
    for minute in range(59):
        assert not store.maintain(now + 365 * DAY + minute * 60)
    assert blocks(store) == before
    while store.maintain(now + 365 * DAY + 3600):
        pass
    assert blocks(store) == {}


@pytest.mark.parametrize(
    ("asked", "steady"),
    [
        ([0, 60], True),
        ([0, 7200], False),
        ([0, 7200, 7260, 7500, 8000], False),
        ([0, 7200, *range(7200, 10_860, 300)], True),
        ([0, -7200], False),
        ([0, 10**7, 60, *range(60, 4000, 300)], True),
    ],
)
def test_the_clock_is_trusted_once_it_was_even_for_an_hour(asked: list[int], steady: bool) -> None:
    clock = Clock(0)
    assert [clock.steady(now * 1000) for now in asked][-1] is steady
