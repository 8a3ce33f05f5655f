"""kill -9 while ingesting, sealing, rolling up and merging loses no acknowledged sample; nor does a full disk."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from history.database import open_database
from history.samples import Matcher, absent, blank
from history.store import Store, tiers
from history.store.tiers import COUNT, HOUR, RAW
from tests.history import appender
from tests.history.appender import STEP, TARGETS, samples

TRIALS = int(os.environ.get("RAINGAUGE_TRIALS", "25"))
SEED = int(os.environ.get("RAINGAUGE_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)


ENOUGH = 900
"""Ticks after which hours were rolled up for sure."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("history.store.head.SCRAPES", 20)
    monkeypatch.setattr("history.store.head.SPARE", 4)
    monkeypatch.setattr("history.store.tiers.SPANS", dict(tiers.SPANS))
    appender.small()


def killed_after(folder: Path, start: int, acknowledged: int, *more: str) -> tuple[int, int]:
    """Kill the appender once it has printed that many lines; the last acknowledged number, and how often it failed."""
    command = [sys.executable, "-m", "tests.history.appender", str(folder), str(start), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(acknowledged)]
        child.kill()
        lines += child.stdout.read().splitlines()
    assert child.returncode == -9, "it died of itself"
    numbers = [int(line) for line in lines if line.strip().isdecimal()]
    return max(numbers, default=start - 1), sum(line.strip() == "full" for line in lines)


def verify(folder: Path, last: int) -> int:
    """Every tick up to `last` is whole, and so is the one after if it was stored; the newest number."""
    engine = open_database(folder)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    store = Store(engine)
    newest = last
    for target in TARGETS:
        matchers = [Matcher("__name__", "=", "v"), Matcher("host", "=", target.host)]
        found: dict[int, set[tuple[str, float]]] = {}
        for group in store.select(matchers, 0, 2**60):
            assert (np.diff(group.stamps) > 0).all()
            for labels, values in zip(group.labels, group.values, strict=True):
                for t, value in zip(group.stamps[there := ~absent(values)], values[there], strict=True):
                    found.setdefault(int(t) // 1000 // STEP, set()).add((labels["n"], float(value)))
        newest = max([newest, *found])
        assert newest <= last + 1
        assert set(found) == {n for n in range(1, newest + 1) if target is TARGETS[0] or n % 3 == 0}
        assert all(tick == set(samples(number)) for number, tick in found.items())
    assert not store.damaged()
    assert_rolled(store)
    engine.dispose()
    return newest


def assert_rolled(store: Store) -> None:
    """The roll-ups count each sample of their time once."""
    for stored in store.targets():
        ids = np.array(sorted(stored.series), dtype=np.uint32)
        for tier in (tier for tier in stored.blocks if tier != RAW):
            blocks = stored.blocks[tier]
            counts = blank(len(ids), sum(block.count for block in blocks))
            store.slow_reader.read(blocks, ids, COUNT, counts)
            until = blocks[-1].until // 1000 // STEP
            first = 1 if stored.labels["host"] == TARGETS[0].host else 3
            expected = sum(len(samples(number)) for number in range(first, until + 1, first))
            assert counts[~absent(counts)].sum() == expected, (stored.labels, tier)


def trials(folder: Path, count: int, *more: str) -> tuple[int, int]:
    """The newest number after that many kills, and how often an append failed."""
    print(f"seed {SEED}, {count} trials")  # noqa: T201
    dice = random.Random(SEED)
    newest = failed = 0
    for _ in range(count):
        last, full = killed_after(folder, newest + 1, dice.randrange(1, 300), *more)
        failed += full
        newest = verify(folder, last)
    return newest, failed


def compact_killed_after(folder: Path, seconds: float) -> bool:
    """Whether `raingauge history compact` was still at work then."""
    command = [sys.executable, "-m", "tests.history.compacter", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begins\n"
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
        child.wait()
    assert child.returncode in (0, -9), "it died of itself"
    return child.returncode == -9


def compact_trials(folder: Path, count: int) -> None:
    print(f"seed {SEED}, {count} trials")  # noqa: T201
    dice = random.Random(SEED)
    newest = killed = 0
    for trial in range(count):
        newest, _ = killed_after(folder, newest + 1, 200)
        killed += compact_killed_after(folder, 0.08 * dice.random() if trial else 0.0)  # one at least meets it at work
        newest = verify(folder, newest)
    assert killed, "it was never met at work"


@pytest.mark.servers
def test_kill_while_compacting_loses_nothing(tmp_path: Path) -> None:
    compact_trials(tmp_path, 4)


@pytest.mark.trials
def test_kill_while_compacting_loses_nothing_many_times(tmp_path: Path) -> None:
    compact_trials(tmp_path, max(TRIALS, 5))


def rolled_hours(folder: Path) -> bool:
    engine = open_database(folder)
    found = any(stored.blocks.get(HOUR) for stored in Store(engine).targets())
    engine.dispose()
    return found


@pytest.mark.servers
def test_kill_loses_no_acknowledged_sample(tmp_path: Path) -> None:
    newest, _ = trials(tmp_path, 6)
    if newest < ENOUGH:
        newest, _ = killed_after(tmp_path, newest + 1, ENOUGH - newest)
        verify(tmp_path, newest)
    assert rolled_hours(tmp_path), "no kill could have met a roll-up"


@pytest.mark.trials
def test_kill_loses_no_acknowledged_sample_many_times(tmp_path: Path) -> None:
    trials(tmp_path, max(TRIALS, 5))


@pytest.mark.servers
def test_a_full_disk_loses_no_acknowledged_sample(tmp_path: Path) -> None:
    _, failed = trials(tmp_path, 4, "4096")
    assert failed, "the disk was never full"


@pytest.mark.trials
def test_a_full_disk_loses_no_acknowledged_sample_many_times(tmp_path: Path) -> None:
    trials(tmp_path, max(TRIALS, 5), "20000")
