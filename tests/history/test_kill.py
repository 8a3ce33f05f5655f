"""kill -9 loses no acknowledged sample."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from history.database import open_database
from history.samples import Matcher, absent
from history.store import Store
from tests.history.appender import TARGETS, samples

TRIALS = int(os.environ.get("RAINGAUGE_TRIALS", "25"))
SEED = int(os.environ.get("RAINGAUGE_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)


def killed_after(folder: Path, start: int, acknowledged: int) -> int:
    """Kill the appender once it has acknowledged that many; the last stamp that it acknowledged."""
    command = [sys.executable, "-m", "tests.history.appender", str(folder), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(acknowledged)]
        child.kill()
        lines += child.stdout.read().splitlines()
    assert child.returncode == -9
    whole = [line for line in lines if line.strip()]
    return int(whole[-1])


def verify(folder: Path, last: int) -> int:
    """Every tick up to `last` is whole, and so is the one after if it was stored; the newest stamp."""
    engine = open_database(folder)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    store = Store(engine)
    newest = last
    for target in TARGETS:
        matchers = [Matcher("__name__", "=", "v"), Matcher("host", "=", target.host)]
        found: dict[int, set[tuple[str, float]]] = {}
        for group in store.select(matchers, 0, 2**60):
            for labels, values in zip(group.labels, group.values, strict=True):
                for t, value in zip(group.stamps[there := ~absent(values)], values[there], strict=True):
                    found.setdefault(int(t) // 1000, set()).add((labels["n"], float(value)))
        newest = max([newest, *found])
        expected = {t for t in range(1, newest + 1) if target is TARGETS[0] or t % 3 == 0}
        assert newest <= last + 1
        assert set(found) == expected
        assert all(found[t] == set(samples(t)) for t in expected)
    engine.dispose()
    return newest


def trials(folder: Path, count: int) -> None:
    print(f"seed {SEED}, {count} trials")  # noqa: T201
    dice = random.Random(SEED)
    newest = 0
    for _ in range(count):
        last = killed_after(folder, newest + 1, dice.randrange(1, 120))
        newest = verify(folder, last)


@pytest.mark.servers
def test_kill_loses_no_acknowledged_sample(tmp_path: Path) -> None:
    trials(tmp_path, 3)


@pytest.mark.trials
def test_kill_loses_no_acknowledged_sample_many_times(tmp_path: Path) -> None:
    trials(tmp_path, TRIALS)
