"""Databases of earlier versions, of later ones, and two processes that open one at once."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from history import migrations
from history.database import FILE, METADATA, SCHEMA, SchemaError, make_tables, open_database
from history.embedded import Embedded
from history.events import Events
from history.feed import after
from history.model import Vector
from history.store import Store
from tests.history.test_kill import SEED, TRIALS

FIRST = Path(__file__).parents[1] / "data/history/schema-0001.sql"
ROOMS = ("agent.remembered", "alerts.state", "history.access", "history.events", "history.feed", "history.store.tables")
"""Who declares tables."""
OPEN = """\
import sys
from pathlib import Path
from history.database import open_database
open_database(Path(sys.argv[1]))
"""
OPEN_UNTIL_KILLED = """\
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
left = int(sys.argv[2])
@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def first(folder: Path) -> Path:
    """A database as the first version left it."""
    folder.mkdir()
    with sqlite3.connect(folder / "raingauge.db") as connection:
        connection.executescript(FIRST.read_text())
    connection.close()
    return folder


def check(folder: Path) -> None:
    engine = open_database(folder)
    assert [event.title for event in Events(engine).events(0, 2e9)] == ["Release 7 of blog"]
    assert [event.title for event in after(engine, "h1", "").events] == ["Release 7 of blog"]
    store = Store(engine)
    found = Embedded(store).query("sum by (job) (count_over_time({job!=''}[15m]))", 1_790_000_600)
    assert isinstance(found, Vector)
    assert {point.labels["job"]: point.value for point in found.points} == {"node": 99.0, "nginx": 20.0}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == SCHEMA
        assert connection.execute(text("SELECT name FROM token")).scalar_one() == "grafana"
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    engine.dispose()


def test_the_newest_step_is_the_schema_that_a_fresh_database_has() -> None:
    assert migrations.scripts().get_current_head() == SCHEMA


@pytest.mark.parametrize("old", [True, False], ids=["migrated", "fresh"])
def test_a_migrated_database_is_as_a_fresh_one(tmp_path: Path, old: bool) -> None:
    folder = first(tmp_path / "state") if old else tmp_path / "state"
    engine = open_database(folder)
    for room in ROOMS:
        import_module(room)
    make_tables(engine, list(METADATA.tables.values()))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, *_: name != "alembic_version"}
        )
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_what_was_there_is_there(tmp_path: Path) -> None:
    check(first(tmp_path / "state"))
    check(tmp_path / "state")


def test_a_fresh_database_needs_no_alembic(tmp_path: Path) -> None:
    script = f"{OPEN}print('alembic' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "state"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    engine.dispose()
    with pytest.raises(SchemaError, match=f"has schema 0999, of a newer Raingauge; this one knows up to {SCHEMA}"):
        open_database(tmp_path)


def test_two_that_open_at_once_migrate_once(tmp_path: Path) -> None:
    folder = first(tmp_path / "state")
    failed: list[BaseException] = []

    def opened() -> None:
        try:
            open_database(folder).dispose()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    check(folder)


def test_who_opens_a_file_that_another_is_beginning_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself waits for no one where a file's journal is changed."""
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("PRAGMA auto_vacuum=INCREMENTAL")  # as far as the other has come
    other.execute("BEGIN IMMEDIATE")
    paused = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if other.in_transaction:
            other.execute("COMMIT")

    monkeypatch.setattr(time, "sleep", pause)
    engine = open_database(tmp_path)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    assert paused
    engine.dispose()
    other.close()


def killed_while_migrating(tmp_path: Path, trials: int) -> None:
    """At any of the statements of a migration."""
    print(f"seed {SEED}, {trials} trials")  # noqa: T201
    dice = random.Random(SEED)
    script = OPEN_UNTIL_KILLED + OPEN
    codes = set()
    for trial in range(trials):
        folder = first(tmp_path / str(trial))
        after = dice.randrange(0, 40) if trial else 5  # one at least meets it at work
        done = subprocess.run([sys.executable, "-c", script, folder, str(after)], env=os.environ, check=False)
        codes.add(done.returncode)
        check(folder)
    assert -signal.SIGKILL in codes


@pytest.mark.servers
def test_kill_while_migrating_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    killed_while_migrating(tmp_path, 4)


@pytest.mark.trials
def test_kill_while_migrating_leaves_the_old_or_the_new_many_times(tmp_path: Path) -> None:
    killed_while_migrating(tmp_path, max(TRIALS, 5))
