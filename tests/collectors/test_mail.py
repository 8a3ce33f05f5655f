"""The mail queue: counted in directories as Debian's Postfix and Exim make them, and in a real Postfix."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import Reading, trial
from collectors.inventory import Inventory, Process
from collectors.mail import COLLECTOR, REMEDY, queue
from collectors.mail.config import EXIM, POSTFIX, Mail
from collectors.mail.server import Payload, parse
from tests.lab.nobody import as_nobody
from tests.lab.ports import wait_until
from tests.lab.postfix import Postfix

MASTER = "/usr/lib/postfix/sbin/master -w"
EXIM4 = "/usr/sbin/exim4 -bd -q30m"
HEADER = "{}-H\nDebian-exim 107 111\n<editor@lab.example>\n1718000000 0\n{}-local\nXX\n1\nreader@lab.example\n"


def read(spool: Path, server: str = "postfix") -> Reading:
    return trial(COLLECTOR, Mail.model_validate({"server": server, "spool": str(spool)}))[1]


def values(reading: Reading) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in reading.samples}


def message(path: Path, text: str = "x" * 10) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_messages_of_postfix_are_counted_below_hashed_directories_too(tmp_path: Path) -> None:
    for name in queue.QUEUES:
        (tmp_path / name).mkdir()
    for name in ("deferred/6/6AC37216AA6", "deferred/6/6FF13216AA8", "deferred/A/1/A1C37216AA6", "hold/5AC37216AA6"):
        message(tmp_path / name)
    os.utime(tmp_path / "deferred/6/6AC37216AA6", (4e9, 4e9))  # when Postfix will try again
    found = values(read(tmp_path))
    counts = {name: found[f"mail_queue_messages,{name}"] for name in queue.QUEUES}
    assert counts == {"maildrop": 0, "incoming": 0, "active": 0, "deferred": 3, "hold": 1, "corrupt": 0}
    assert (found["mail_queue_bytes,deferred"], found["mail_queue_bytes,active"]) == (30, 0)
    assert found["mail_queue_oldest_timestamp_seconds,deferred"] < 4e9
    assert found["mail_queue_oldest_timestamp_seconds,deferred"] <= found["mail_queue_oldest_timestamp_seconds,hold"]
    assert "mail_queue_oldest_timestamp_seconds,active" not in found


def test_a_large_queue_is_counted_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST", 5)
    for number in range(20):
        message(tmp_path / "deferred" / f"{number:X}")
        message(tmp_path / "input" / f"1sH0V{number % 10}-00012{number // 10}-2x-H")
    assert values(read(tmp_path))["mail_queue_messages,deferred"] == 5
    assert values(read(tmp_path, "exim"))["mail_queue_messages,input"] == 5


def test_messages_of_exim_and_those_it_has_frozen(tmp_path: Path) -> None:
    for name, frozen in (("1sGcSm-000123-2x", ""), ("1sGcSo-000124-2x", "-frozen 1718000100\n")):
        message(tmp_path / "input" / f"{name}-H", HEADER.format(name, frozen))
        message(tmp_path / "input" / f"{name}-D", "A message.\n")
    message(tmp_path / "input" / "2" / "1sGcSn-00000012345-abcd-H", HEADER.format("1sGcSn-00000012345-abcd", ""))
    message(tmp_path / "input" / "hdr.1sGcSz-000124-2x", "half written")
    found = values(read(tmp_path, "exim"))
    assert found["mail_queue_messages,input"] == 3
    assert found["mail_queue_frozen_messages"] == 1
    assert found["mail_queue_bytes,input"] > 3 * 100
    assert found["mail_queue_oldest_timestamp_seconds,input"] == 1718016080  # 2024-06-10 10:41:20


@pytest.mark.parametrize("server", ["postfix", "exim"])
def test_without_a_queue_there_is_none(server: str, tmp_path: Path) -> None:
    assert read(tmp_path, server).outcome == "absent"
    (tmp_path / "input").write_text("")
    (tmp_path / "deferred").write_text("")
    assert read(tmp_path, server).outcome == "absent"


@pytest.mark.parametrize(("server", "name"), [("postfix", "deferred/6"), ("postfix", "maildrop"), ("exim", "input")])
def test_a_directory_that_is_shut_is_denied_and_named(server: str, name: str, reachable: Path) -> None:
    (reachable / name).mkdir(parents=True)
    (reachable / name).chmod(0)
    found = as_nobody(lambda: f"{(reading := read(reachable, server)).outcome} {reading.error}")
    (reachable / name).chmod(0o700)
    assert found == f"denied list {reachable / name}: permission denied"


@pytest.fixture
def reachable() -> Iterator[Path]:
    """That everybody may enter: pytest's directories are its user's alone."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.mark.parametrize(
    ("server", "title", "up"),
    [
        ("postfix", MASTER, 1),
        ("postfix", "/usr/lib/postfix/master", 1),
        ("postfix", "master of puppets", 0),
        ("postfix", EXIM4, 0),
        ("exim", EXIM4, 1),
        ("exim", "/usr/sbin/exim -bd -q15m -oP /run/exim.pid", 1),
        ("exim", "/usr/sbin/exim4 -q", 0),
        ("exim", MASTER, 0),
    ],
)
def test_it_is_up_when_its_daemon_runs(server: str, title: str, up: int) -> None:
    (sample,) = parse(Payload(server=server, titles=["other", title]))
    assert sample.value == up


@given(st.lists(st.text()))
def test_any_titles_are_read(titles: list[str]) -> None:
    assert [sample.value in (0, 1) for sample in parse(Payload(server="exim", titles=titles))] == [True]


@pytest.mark.parametrize(("title", "server", "spool"), [(MASTER, "postfix", POSTFIX), (EXIM4, "exim", EXIM)])
def test_discovered_by_its_daemon(title: str, server: str, spool: str) -> None:
    processes = (Process(1, "systemd", "/sbin/init", "root"), Process(8, "x", title, "root"))
    (proposal,) = COLLECTOR.discover(Inventory("h", processes))
    assert proposal.config == Mail.model_validate({"server": server, "spool": spool})
    assert proposal.remedy == REMEDY[server]
    assert COLLECTOR.instance(proposal.config, "h") == "h"


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start Postfix")


@as_root
@pytest.mark.servers
def test_a_real_postfix_and_the_remedy_for_an_ordinary_user(reachable: Path) -> None:
    spool = reachable / "queue"
    with Postfix(reachable) as server:
        server.send("reader@other.example")
        server.send("writer@other.example")
        wait_until(lambda: deferred(spool) == 2, 30, "both are deferred")
        up, found = trial(COLLECTOR, Mail(spool=str(spool)))
        assert up.samples[0].value == 1
        born = values(found)["mail_queue_oldest_timestamp_seconds,deferred"]
        assert born < min(path.stat().st_mtime for path in (spool / "deferred").glob("*/*"))
        assert as_nobody(outcome(spool)).startswith("denied")
        remedy = "\n".join(line for line in REMEDY["postfix"].splitlines() if line.startswith("    "))
        remedy = remedy.replace(POSTFIX, str(spool)).replace("u:raingauge:", "u:nobody:")
        subprocess.run(["sh", "-ec", remedy], check=True)
        assert as_nobody(outcome(spool)) == "ok 2"
        server.send("other@other.example")
        wait_until(lambda: deferred(spool) == 3, 30, "the third is deferred too")
        assert as_nobody(outcome(spool)) == "ok 3"
        message = next((spool / "deferred").glob("*/*"))
        assert as_nobody(lambda: str(os.access(message, os.R_OK))) == "False"


def deferred(spool: Path) -> float:
    return values(read(spool))["mail_queue_messages,deferred"]


def outcome(spool: Path) -> Callable[[], str]:
    def say() -> str:
        reading = read(spool)
        return f"{reading.outcome} {values(reading).get('mail_queue_messages,deferred', 0):g}"

    return say
