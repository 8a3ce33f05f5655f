"""`raingauge history` as an operator uses it, over a store that a service writes meanwhile."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from agent.cli import main
from collectors.model import Counter, Gauge, Target
from history.database import open_database
from history.store import Store, head
from history.store.tables import page_table

HOST = Target("node", "h1", "h1")
READS = Counter("node_disk_reads_total", "Reads.", ("device",))
LOAD = Gauge("node_load1", "Load.")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(head, "SCRAPES", 20)
    monkeypatch.setattr(head, "SPARE", 4)
    monkeypatch.delenv("RAINGAUGE_CONFIG", raising=False)
    return use(tmp_path / "state", monkeypatch)


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(folder))
    return folder


def history(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["history", *map(str, words)], prog_name="raingauge")


def fill(folder: Path, ticks: int = 300) -> Store:
    store = Store(open_database(folder))
    start = int(time.time()) - 15 * ticks
    for tick in range(ticks):
        store.append(HOST, start + 15 * tick, [READS(tick, "sda"), READS(7, "sdb"), LOAD(tick / 8)])
        while store.maintenance.seal():
            pass
    return store


def test_info_says_what_is_kept_and_what_it_takes(state: Path) -> None:
    fill(state)
    found = history("info")
    assert found.exit_code == 0
    assert re.search(r"^targets   1, with 3 series$", found.output, re.MULTILINE)
    kept = re.search(r"^samples +(\S+ \S+) +(\S+ \S+) +15 d +14 +\S+ KiB +\d\.\d\d$", found.output, re.MULTILINE)
    assert kept, found.output


def test_verify_names_what_is_damaged_and_ends_with_1(state: Path) -> None:
    store = fill(state)
    assert "14 blocks are whole" in history("verify").output
    with store.engine.begin() as connection:
        connection.execute(update(page_table).where(page_table.c.id == 3).values(data=b"spoilt"))
    found = history("verify")
    assert found.exit_code == 1
    assert "page 3 of block 3: a page of 6 bytes" in found.output
    assert "Error: 1 of 14 blocks have damage; all else can be read" in found.output


def test_compact_loses_nothing_that_comes_meanwhile(state: Path) -> None:
    store = fill(state)
    stop = threading.Event()
    appended = []

    def append() -> None:
        t = time.time() + 10
        while not stop.is_set():
            store.append(HOST, t, [LOAD(1)])
            appended.append(t)
            t += 1

    thread = threading.Thread(target=append)
    thread.start()
    found = history("compact")
    stop.set()
    thread.join()
    assert found.exit_code == 0, found.output
    assert re.search(r"KiB before, \S+ KiB now", found.output)
    groups = list(Store(store.engine).walk("node_load1", 0, 2**60))
    assert sum(len(group.stamps) for group in groups) == 300 + len(appended)


def test_what_is_exported_is_imported(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(state)
    file = tmp_path / "samples.om"
    assert history("export", file).exit_code == 0
    assert history("export", "-").output.endswith("# EOF\n")
    recent = history("export", "--since", "10m", "-")
    assert 3 * 35 < recent.output.count("\nnode_") <= 3 * 41
    assert "expected a duration" in history("export", "--since", "often", "-").output
    use(tmp_path / "other", monkeypatch)
    taken = history("import", file)
    assert taken.output.endswith("900 samples were taken in\n"), taken.output
    again = history("import", file)
    assert again.exit_code == 0
    assert "0 samples were taken in, 900 left out: the history has that time of their targets" in again.output


def test_an_import_that_is_wrong_takes_nothing(state: Path, tmp_path: Path) -> None:
    fill(state, 3)
    file = tmp_path / "samples.om"
    for text, expected in (
        ("up 1 5\nup\n# EOF\n", "samples.om: line 2: expected `name{labels} value seconds`, found 'up'"),
        ("up 1 5\n", "expected # EOF at the end: the file was cut off"),
        (f"up 1 {time.time() + 9999}\n# EOF\n", "which is yet to come"),
    ):
        file.write_text(text)
        found = history("import", file)
        assert found.exit_code == 1
        assert expected in found.output
    assert history("info").output.count("targets   1, with 3 series") == 1


def test_a_copy_is_made_while_others_write_and_put_back_when_none_does(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(state, 50)
    copy = tmp_path / "copy.db"
    assert history("backup", copy).exit_code == 0
    again = history("backup", copy)
    assert again.exit_code == 1
    assert "is there already: expected the name of a new file" in again.output
    use(tmp_path / "other", monkeypatch)
    fill(tmp_path / "other", 3)
    found = history("restore", copy)
    assert found.exit_code == 0, found.output
    assert "is the database now; the former one is" in found.output
    assert "targets   1, with 3 series" in history("info").output
    [group] = Store(open_database(tmp_path / "other")).walk("node_load1", 0, 2**60)
    assert len(group.stamps) == 50


def test_nothing_is_put_back_under_a_running_service(state: Path, tmp_path: Path) -> None:
    fill(state, 5)
    history("backup", tmp_path / "copy.db")
    script = (
        "import sys; from pathlib import Path; from agent.running import alone\n"
        "alone(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        found = history("restore", tmp_path / "copy.db")
        assert found.exit_code == 1
        assert f"another Raingauge (pid {holder.pid}) uses the state directory" in found.output
        holder.kill()
