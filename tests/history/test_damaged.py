"""A database file whose structure is damaged, a directory that cannot be written, and copies."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from collectors.model import Gauge, Target
from history.backup import BackupError, backup, restore
from history.database import open_database
from history.events import Events
from history.store import Store
from tests.history.test_kill import SEED, TRIALS

HOST = Target("node", "h1", "h1")
LOAD = Gauge("node_load1", "Load.")


def fill(folder: Path, ticks: int = 50, start: int = 1) -> None:
    engine = open_database(folder)
    store = Store(engine)
    for tick in range(start, start + ticks):
        store.append(HOST, 10.0 * tick, [LOAD(tick)])
    engine.dispose()


def stamps(folder: Path) -> list[int]:
    engine = open_database(folder)
    found = [int(t) for group in Store(engine).walk("node_load1", 0, 2**60) for t in group.stamps]
    engine.dispose()
    return found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"no database" * 100,
        lambda data: data[: len(data) // 3],
        lambda data: data[:8192] + bytes(8192) + data[16384:],
    ],
    ids=["not a database", "cut off", "a page of zeros"],
)
def test_a_damaged_file_is_set_aside_and_a_fresh_one_begun(tmp_path: Path, spoil: object) -> None:
    fill(tmp_path)
    path = tmp_path / "raingauge.db"
    damaged = spoil(path.read_bytes())  # type: ignore[operator]
    path.write_bytes(damaged)
    engine = open_database(tmp_path, check=True)
    [aside] = tmp_path.glob("raingauge.db.damaged-*")
    assert aside.read_bytes() == damaged
    [event] = Events(engine).events(0, 2e10)
    assert (event.kind, event.severity) == ("history.damaged", "critical")
    assert aside.name in event.title
    Store(engine).append(HOST, 10.0, [LOAD(1)])
    engine.dispose()


def test_a_backup_while_others_write_is_whole(tmp_path: Path) -> None:
    state = tmp_path / "state"
    fill(state, 500)
    done = threading.Event()
    engine = open_database(state)
    store = Store(engine)

    def write() -> None:
        tick = 1000
        while not done.is_set():
            store.append(HOST, 10.0 * tick, [LOAD(tick)])
            tick += 1

    thread = threading.Thread(target=write)
    thread.start()
    steps: list[tuple[int, int]] = []
    copy = tmp_path / "copy.db"
    backup(state, copy, lambda left, total: steps.append((left, total)))
    done.set()
    thread.join()
    engine.dispose()
    assert steps[-1][0] == 0
    assert restore(tmp_path / "other", copy) is None
    found = stamps(tmp_path / "other")
    assert found[:500] == [10_000 * tick for tick in range(1, 501)]
    assert found == sorted(set(found))


def test_a_restore_keeps_what_was_there(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy.db"
    fill(state, 5)
    backup(state, copy, lambda *_: None)
    fill(state, 5, start=6)
    aside = restore(state, copy)
    assert len(stamps(state)) == 5
    assert aside is not None
    aside.rename(tmp_path / "raingauge.db")
    assert len(stamps(tmp_path)) == 10


def test_what_is_no_copy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database")
    fill(tmp_path / "state", 1)
    with pytest.raises(BackupError, match="is no database, or a damaged one"):
        restore(tmp_path / "state", tmp_path / "text")
    with pytest.raises(BackupError, match="is not there"):
        restore(tmp_path / "state", tmp_path / "nothing")
    with pytest.raises(BackupError, match="is there already"):
        backup(tmp_path / "state", tmp_path / "text", lambda *_: None)
    assert len(stamps(tmp_path / "state")) == 1


READ_ONLY = """
import random, sys
from pathlib import Path
from subprocess import run
from sqlalchemy.exc import SQLAlchemyError
from tests.history.test_damaged import HOST, LOAD, Store, open_database
folder, dice = Path(sys.argv[1]), random.Random(int(sys.argv[3]))
store = Store(open_database(folder))
run(["mount", "--bind", folder, folder], check=True)
tick, kept = 0, []

def append():
    global tick
    tick += 1
    try:
        store.append(HOST, 10.0 * tick, [LOAD(tick)])
        kept.append(10_000 * tick)
        return True
    except SQLAlchemyError as error:
        assert "readonly" in str(error) or "unable to open" in str(error), error
        return False

def maintain():
    try:
        while store.maintain(10.0 * tick):
            pass
    except SQLAlchemyError:
        pass

for trial in range(int(sys.argv[2])):
    assert all([append() for _ in range(dice.randrange(1, 300))])
    if dice.random() < 0.5:
        maintain()
    store.engine.dispose()  # a file that is open to be written forbids it
    run(["mount", "-o", "remount,ro,bind", folder], check=True)
    assert not any([append() for _ in range(dice.randrange(1, 5))])
    maintain()
    store.engine.dispose()
    run(["mount", "-o", "remount,rw,bind", folder], check=True)
    found = [t for group in store.walk("node_load1", 0, 2**60) for t in group.stamps.tolist()]
    assert found == kept, (trial, len(found), len(kept))
print("stands")
"""


def read_only_trials(folder: Path, count: int) -> None:
    print(f"seed {SEED}, {count} trials")  # noqa: T201
    command = ["unshare", "--mount", sys.executable, "-c", READ_ONLY, str(folder), str(count), str(SEED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr and "Operation not permitted" in done.stderr:
        pytest.skip("no right to make a mount namespace")
    assert done.stdout == "stands\n", done.stderr


@pytest.mark.servers
def test_a_directory_that_becomes_read_only_stops_nothing(tmp_path: Path) -> None:
    read_only_trials(tmp_path, 3)


@pytest.mark.trials
def test_a_directory_that_becomes_read_only_stops_nothing_many_times(tmp_path: Path) -> None:
    read_only_trials(tmp_path, max(TRIALS, 5))
