"""Raingauge as a process: what signals do to it, what is stored when it ends, who may scrape it, what it has loaded."""

import base64
import re
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.running import SIGNALS
from agent.tokens import is_loopback
from history.database import open_database
from history.embedded import Embedded
from history.store import Store
from tests.lab.ports import free_port, wait_until
from tests.lab.process import Raingauge

servers = pytest.mark.servers

HOST = "discovery: false\ninterval: 1s\ntargets:\n  host: [{}]\n"
ENDS_SECONDS = 30
TIME = re.compile(r"^node_time_seconds\{.*\} (\S+)$", re.MULTILINE)


@pytest.mark.parametrize("listen", ["127.0.0.1:9876", "127.0.0.2:0", "[::1]:9876", "localhost:9876"])
def test_loopback_is_this_machine_alone(listen: str) -> None:
    assert is_loopback(listen)


@pytest.mark.parametrize("listen", ["0.0.0.0:9876", "[::]:9876", "10.0.0.7:9876", "web1:9876", "[::ffff:127.0.0.1]:1"])
def test_anything_else_can_be_reached_from_other_machines(listen: str) -> None:
    assert not is_loopback(listen)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def asked(url: str, authorization: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Authorization": authorization} if authorization else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def time_on_page(raingauge: Raingauge) -> float:
    """The clock of the last closed tick; 0 before the first."""
    found = TIME.search(asked(f"{raingauge.exporter}/metrics")[1])
    return float(found[1]) if found else 0.0


def until_ticked(raingauge: Raingauge, times: int = 2) -> float:
    seen: set[float] = set()

    def ticked() -> bool:
        seen.add(time_on_page(raingauge))
        return len(seen - {0.0}) > times

    wait_until(ticked, 20, f"{times} more ticks")
    return max(seen)


def times_stored(state: Path) -> list[float]:
    store = Store(open_database(state))
    newest = (store.newest or 0) / 1000
    found = Embedded(store).query_range("node_time_seconds", newest - 30, newest, 0.5)
    return [value for line in found.lines for value in line.values.tolist()]


@servers
@pytest.mark.parametrize("hanging", [False, True])
def test_sigterm_ends_it_soon_with_everything_stored(tmp_path: Path, silent: int, hanging: bool) -> None:
    stuck = f"  nginx: [{{url: 'http://127.0.0.1:{silent}/', timeout: 60s}}]\n" if hanging else ""
    with Raingauge(tmp_path, HOST + stuck) as raingauge:
        if hanging:
            wait_until(
                lambda: "nginx_up 0" in asked(f"{raingauge.exporter}/metrics/nginx/{page(raingauge)}")[1],
                30,
                "it hangs",
            )
        shown = until_ticked(raingauge)
        assert raingauge.stop(ENDS_SECONDS) == 0
    assert shown in times_stored(tmp_path)
    with sqlite3.connect(tmp_path / "raingauge.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert "Traceback" not in raingauge.log()


def page(raingauge: Raingauge) -> str:
    """Where nginx's page is."""
    found = re.search(r'"/metrics/nginx/([^"]+)"', asked(f"{raingauge.exporter}/sd")[1])
    return found[1] if found else ""


@servers
def test_a_start_after_an_end_goes_on_with_what_was_stored(tmp_path: Path) -> None:
    with Raingauge(tmp_path, HOST) as raingauge:
        before = until_ticked(raingauge)
        raingauge.stop(ENDS_SECONDS)
        raingauge.start()
        after = until_ticked(raingauge)
        raingauge.stop(ENDS_SECONDS)
    assert {before, after} <= set(times_stored(tmp_path))


@servers
def test_sighup_takes_what_changed_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    port = free_port()
    with Raingauge(tmp_path, HOST, "agent") as raingauge:
        until_ticked(raingauge)
        raingauge.configuration.write_text(f"{HOST}  redis: [{{port: {port}}}]\n")
        raingauge.hup()
        wait_until(lambda: "redis_up" in asked(f"{raingauge.exporter}/metrics")[1], 20, "the new target is watched")
        raingauge.configuration.write_text(f"{HOST}  redis: [{{prt: {port}}}]\n")
        raingauge.hup()
        raingauge.until_logged("reload=refused")
        assert f"{raingauge.configuration}:5: targets.redis.0.prt: " in raingauge.log()
        until_ticked(raingauge)
        assert "redis_up" in asked(f"{raingauge.exporter}/metrics")[1]
        raingauge.configuration.write_text(HOST)
        raingauge.hup()
        wait_until(lambda: "redis_up" not in asked(f"{raingauge.exporter}/metrics")[1], 20, "the target is gone")
        assert raingauge.stop(ENDS_SECONDS) == 0


def blocked(pid: int) -> list[int]:
    """The signals that each thread but the first has blocked, as bits; a thread may end meanwhile."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            mask = re.findall(r"^SigBlk:\s+(\w+)$", (task / "status").read_text(), re.MULTILINE)[0]
            if int(task.name) != pid:
                found.append(int(mask, 16))
    return found


@servers
@pytest.mark.parametrize("command", ["agent", "run"])
def test_no_thread_takes_a_signal_from_the_one_that_waits(tmp_path: Path, command: str) -> None:
    """A thread that was made before signals are blocked ends the process when one comes during a reload."""
    with Raingauge(tmp_path, HOST, command) as raingauge:
        masks = blocked(raingauge.pid)
        wanted = sum(1 << (number - 1) for number in SIGNALS)
        assert {mask & wanted for mask in masks} == {wanted}
        for _ in range(10):
            raingauge.hup()
        assert raingauge.stop(ENDS_SECONDS) == 0


@servers
def test_the_agent_loads_neither_pages_nor_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # it lists every module as it is loaded
    with Raingauge(tmp_path, f"{HOST}  redis: [{{port: {free_port()}}}]\n", "agent") as raingauge:
        wait_until(lambda: "redis_up" in asked(f"{raingauge.exporter}/metrics")[1], 20, "redis was tried")
        loaded = set(re.findall(r"\| +([\w.]+)$", raingauge.log(), re.MULTILINE))
        maps = Path(f"/proc/{raingauge.pid}/maps").read_text()
    assert {"agent.runner", "collectors.redis.info"} <= loaded
    assert {name.partition(".")[0] for name in loaded} & {"flask", "numpy", "jinja2", "dashboard"} == set()
    assert "numpy" not in maps


@servers
def test_beyond_loopback_a_scrape_needs_a_token(tmp_path: Path) -> None:
    with Raingauge(tmp_path, HOST, "agent", exporter_listen="0.0.0.0:0") as raingauge:
        token = raingauge.token()
        basic = base64.b64encode(f"prometheus:{token}".encode()).decode()
        wait_until(lambda: asked(f"{raingauge.exporter}/-/ready")[0] == 200, 20, "it is ready")
        for path in ("/metrics", "/sd", "/metrics/node/any", "/"):
            status, text = asked(f"{raingauge.exporter}{path}")
            assert (status, "node_" in text) == (401, False)
        assert asked(f"{raingauge.exporter}/metrics", f"Bearer {token}x")[0] == 401
        for authorization in (f"Bearer {token}", f"Basic {basic}"):
            status, text = asked(f"{raingauge.exporter}/metrics", authorization)
            assert (status, "node_time_seconds" in text) == (200, True)
        assert token not in raingauge.log()


@servers
def test_a_second_one_does_not_share_the_state_directory(tmp_path: Path) -> None:
    with Raingauge(tmp_path, HOST, "agent") as first:
        with pytest.raises(AssertionError, match=rf"another Raingauge \(pid {first.pid}\) uses"):
            Raingauge(tmp_path, HOST).start()
        first.kill()
        first.start()  # a dead one's file is in nobody's way
        assert first.stop(ENDS_SECONDS) == 0
