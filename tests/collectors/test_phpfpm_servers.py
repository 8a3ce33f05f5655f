"""PHP-FPM itself: idle, full, stopped, and with what it may lack."""

import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import Absent, Denied, Unreachable, Unsupported
from collectors.inventory import build, wanted
from collectors.phpfpm import COLLECTOR, pool, status
from collectors.phpfpm.config import PROBE, Phpfpm
from collectors.sources import fastcgi
from collectors.sources.processes import processes
from collectors.sources.sockets import NoAnswer, connect, listeners, queue
from tests.lab.ports import free_port, wait_until
from tests.lab.servers import PhpFpm

pytestmark = pytest.mark.servers
OUTBOUND = next(part for part in COLLECTOR.parts if part.name == "outbound")


@pytest.fixture
def place() -> Iterator[Path]:
    """Where PHP's own user may read, too."""
    directory = Path(tempfile.mkdtemp(prefix="raingauge-fpm-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def config_of(server: PhpFpm, children: int = 3, **changes: Any) -> Phpfpm:
    settings = {"address": f"unix:{server.socket}", "pool": server.pool, "max_children": children,
                "master": str(server.configuration), "timeout": 0.4}  # fmt: skip
    return Phpfpm.model_validate(settings | changes)


def values(config: Phpfpm, part: Any) -> dict[str, float]:
    """By name and, for the children's states, the state."""
    found: dict[str, float] = {}
    for sample in part.parse(part.read(config)):
        name = sample.family.name + (f" {sample.labels[-1]}" if sample.labels[-1] in status.STATES else "")
        found[name] = found.get(name, 0) + sample.value
    return found


@contextlib.contextmanager
def slow_requests(server: PhpFpm, count: int) -> Iterator[list[socket.socket]]:
    """PHP scripts that end when the block does."""
    script, release = server.directory / "slow.php", server.directory / "release"
    release.unlink(missing_ok=True)
    script.write_text(f"<?php while (!file_exists('{release}')) usleep(5000);")
    script.chmod(0o644)
    clients = [connect(f"unix:{server.socket}", 1) for _ in range(count)]
    try:
        for client in clients:
            client.sendall(fastcgi.request({"REQUEST_METHOD": "GET", "SCRIPT_FILENAME": str(script)}))
        yield clients
    finally:
        release.touch()
        for client in clients:
            client.close()


def wait_for_queue(config: Phpfpm, waiting: int, served: int) -> None:
    def reached() -> bool:
        at = queue(config.address)
        return at is not None and (at.waiting, at.served) == (waiting, served)

    wait_until(reached, 30, f"{waiting} waiting and {served} served")


def test_idle(place: Path) -> None:
    with PhpFpm(place, children=3) as server:
        config = config_of(server)
        found = values(config, status)
        assert found["phpfpm_active_processes"] == 1  # the one that answers
        assert found["phpfpm_idle_processes"] == 1
        assert found["phpfpm_process_state Running"] == found["phpfpm_process_state Idle"] == 1
        assert found["phpfpm_listen_queue"] == 0
        assert found["phpfpm_listen_queue_length"] > 0
        assert found["phpfpm_accepted_connections"] >= 1
        seen = values(config, pool)
        assert seen["php_fpm_pool_workers"] == 2
        assert seen["php_fpm_pool_max_children"] == 3
        assert seen["php_fpm_pool_full"] == seen["php_fpm_pool_accept_queue"] == 0
        assert 1e6 < seen["php_fpm_pool_worker_resident_memory_max_bytes"] < seen["php_fpm_pool_resident_memory_bytes"]


def test_what_others_ask_for_is_not_kept(place: Path) -> None:
    with PhpFpm(place, children=3) as server, slow_requests(server, 1):
        config = config_of(server)
        wait_for_queue(config, 0, 1)
        assert "slow.php" not in str(status.read(config))


def test_full_is_told_from_down(place: Path) -> None:
    with PhpFpm(place, children=3) as server:
        config = config_of(server)
        with slow_requests(server, 5):
            wait_for_queue(config, 2, 3)
            found = values(config, status)
            assert found == {
                "phpfpm_active_processes": 3, "phpfpm_idle_processes": 0, "phpfpm_total_processes": 3,
                "phpfpm_listen_queue": 2, "phpfpm_listen_queue_length": found["phpfpm_listen_queue_length"],
            }  # fmt: skip
            seen = values(config, pool)
            assert seen["php_fpm_pool_full"] == 1
            assert seen["php_fpm_pool_accept_queue"] == 2  # none of them ours
            assert seen["php_fpm_pool_workers"] == seen["php_fpm_pool_workers_busy"] == 3
        wait_for_queue(config, 0, 0)
        assert values(config, status)["phpfpm_idle_processes"] >= 1
        assert values(config, pool)["php_fpm_pool_full"] == 0


def test_all_busy_and_nobody_waits_leaves_one_request_of_ours_in_the_queue_and_no_more(place: Path) -> None:
    with PhpFpm(place, children=2) as server, slow_requests(server, 2):
        config = config_of(server, 2)
        wait_for_queue(config, 0, 2)
        for _ in range(3):
            assert values(config, status)["phpfpm_active_processes"] == 2
        assert values(config, pool)["php_fpm_pool_accept_queue"] == 1


def test_a_pool_whose_limit_we_do_not_know_is_never_called_full(place: Path) -> None:
    with PhpFpm(place, children=2) as server, slow_requests(server, 3):
        config = config_of(server, 0)
        wait_for_queue(config, 1, 2)
        with pytest.raises(NoAnswer, match=r"GET /fpm-status from unix:.*: no answer within 0.4 s"):
            status.read(config)
        assert "php_fpm_pool_full" not in values(config, pool)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_is_down(place: Path, end: signal.Signals) -> None:
    server = PhpFpm(place, children=2).start()
    config = config_of(server, 2)
    master = server.process
    assert master is not None

    def workers() -> list[int]:
        return [each.pid for each in processes() if each.title == "php-fpm: pool lab" and each.parent == master.pid]

    wait_until(lambda: len(workers()) == 2, 10, "both workers have their titles")
    started = workers()
    server.stop(end)
    for pid in started if end == signal.SIGKILL else []:  # a killed master leaves its workers serving
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: queue(config.address) is None, 10, "nobody listens")
    for part in (status, pool):
        with pytest.raises(Unreachable, match=r"connect to unix:.*: (No such file|Connection refused)"):
            part.read(config)


def test_a_status_socket_of_its_own_answers_when_the_pool_is_full(place: Path) -> None:
    port = free_port()
    with PhpFpm(place, children=2, settings=f"pm.status_listen = 127.0.0.1:{port}\n") as server:
        config = config_of(server, 2, status_listen=f"127.0.0.1:{port}", timeout=2)
        with slow_requests(server, 3):
            wait_for_queue(config, 1, 2)
            running = ("phpfpm_active_processes", "phpfpm_process_state Running")
            wait_until(lambda: [values(config, status)[name] for name in running] == [2, 2], 2, "both workers are busy")
            found = values(config, status)
            assert found["phpfpm_listen_queue"] == 1
            assert found["phpfpm_accepted_connections"] >= 2
            assert values(config, pool)["php_fpm_pool_full"] == 1


def test_without_a_status_path_the_pool_part_still_tells(place: Path) -> None:
    with PhpFpm(place, children=3, status=False) as server:
        config = config_of(server)
        with pytest.raises(
            Unsupported, match=r"GET /fpm-status from unix:.*: expected the status page, found status 404"
        ):
            status.read(config)
        wait_until(lambda: values(config, pool)["php_fpm_pool_workers"] == 2, 10, "both spare workers are there")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_no_right_to_the_socket(place: Path) -> None:
    with PhpFpm(place, children=2, settings="listen.mode = 0600\n") as server:
        config = config_of(server)
        child = os.fork()
        if not child:
            os.setuid(65534)
            try:
                status.read(config)
            except Denied:
                os._exit(41 if values(config, pool)["php_fpm_pool_workers"] == 2 else 42)
            finally:
                os._exit(43)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 41


def test_over_tcp(place: Path) -> None:
    port = free_port()
    with PhpFpm(place, children=2) as server:
        server.stop()
        file = place / "pool.d/lab.conf"
        file.write_text(file.read_text().replace(f"listen = {server.socket}", f"listen = 127.0.0.1:{port}"))
        server.address = ("127.0.0.1", port)
        server.start()
        config = config_of(server, 2, address=f"127.0.0.1:{port}")
        found = values(config, status)
        assert found["phpfpm_listen_queue"] == 0
        assert found["phpfpm_listen_queue_length"] > 0
        assert "phpfpm_max_listen_queue" in found
        assert values(config, pool)["php_fpm_pool_full"] == 0


def test_discovery_finds_it_by_its_masters_title(place: Path) -> None:
    with PhpFpm(place, children=3) as server:
        found = tuple(each for each in processes() if str(server.configuration) in each.title)
        texts: dict[str, str] = {}
        for _ in range(2):
            for pattern in wanted(texts, found):
                texts |= {str(path): path.read_text() for path in Path("/").glob(pattern[1:])}
        ours = tuple(at for at in listeners(found) if at.path == server.socket)
        assert [at.process for at in ours] == [found[0].name]
        (proposal,) = (each for each in COLLECTOR.discover(build("h", found, ours, texts, ())) if "lab" in each.found)
        log = str(server.directory / "php-fpm.log")
        assert proposal.config == config_of(server, 3, timeout=2, opcache_probe=PROBE, error_log=log)


CALL = """<?php
$call = stream_socket_client('tcp://127.0.0.2:PORT');
$store = stream_socket_client('tcp://127.0.0.1:PORT');
fread($call, 1);"""


def test_on_whom_workers_wait(place: Path) -> None:
    """An API that does not answer holds the worker that asks it; this host's own servers are no API."""
    with socket.create_server(("0.0.0.0", 0)) as api, PhpFpm(place, children=3) as server:
        config, port = config_of(server), api.getsockname()[1]
        script = place / "call.php"
        script.write_text(CALL.replace("PORT", str(port)))
        script.chmod(0o644)
        assert values(config, OUTBOUND) == {"php_fpm_outbound_workers": 0}
        peer = f"127.0.0.2:{port}"
        with connect(f"unix:{server.socket}", 1) as client:
            client.sendall(fastcgi.request({"REQUEST_METHOD": "GET", "SCRIPT_FILENAME": str(script)}))
            wait_until(lambda: peer in peers(config), 30, "the worker waits")
            assert peers(config) == {peer: 1}
            assert values(config, OUTBOUND)["php_fpm_outbound_workers"] == 1
            for _ in range(2):
                api.accept()[0].close()
            client.recv(4096)
        wait_until(lambda: not peers(config), 30, "the worker is free again")


def peers(config: Phpfpm) -> dict[str, float]:
    return {
        sample.labels[1]: sample.value for sample in OUTBOUND.parse(OUTBOUND.read(config)) if len(sample.labels) > 1
    }


def test_without_the_right_to_see_sockets_nothing_is_said_of_them(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> set[int]:
        raise Denied(f"list /proc/{pid}/fd: permission denied")

    monkeypatch.setattr("collectors.phpfpm.outbound.sockets_of", refuse)
    with PhpFpm(place, children=3) as server, pytest.raises(Absent, match="permission denied"):
        OUTBOUND.read(config_of(server))
