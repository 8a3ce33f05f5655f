"""A process that is reloaded again and again over servers that answer, refuse, hang and talk nonsense.

What it holds of the machine (files, threads, memory) must be no more at the end than at the beginning.
"""

import json
import random
import socketserver
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.agent.trials.dice import TRIALS, dice
from tests.agent.trials.held import Held
from tests.lab.ports import free_port, wait_until
from tests.lab.process import Raingauge

pytestmark = [pytest.mark.trials, pytest.mark.servers]

ROUNDS = min(TRIALS, 60)
HOST = "discovery: false\ninterval: 1s\ntargets:\n  host: [{}]\n"
KINDS = {
    "nginx": "url: 'http://127.0.0.1:%d/', timeout: 300ms",
    "redis": "port: %d, timeout: 300ms",
    "mysql": "address: 127.0.0.1, port: %d, timeout: 300ms",
    "probe": "url: 'http://127.0.0.1:%d/', timeout: 300ms",
}
STATUS = b"Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 Waiting: 0 \n"
ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(STATUS), STATUS),
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    b"-ERR what\r\n",
    b"\x00" * 2000,
    b"",
)
MORE_MIB = 8


class Moody(socketserver.BaseRequestHandler):
    """Says anything to anybody; sometimes nothing, for as long as the client waits."""

    chance = random.Random(1)

    def handle(self) -> None:
        if self.chance.random() < 0.2:
            self.request.settimeout(5)
            with suppress(OSError):
                while self.request.recv(4096):
                    pass
            return
        with suppress(OSError):
            self.request.sendall(self.chance.choice(ANSWERS))


class MoodyServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture
def moody() -> Iterator[int]:
    with MoodyServer(("127.0.0.1", 0), Moody) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()


def configuration(chance: random.Random, ports: list[int]) -> str:
    text = HOST
    for kind, settings in KINDS.items():
        chosen = [port for port in ports if chance.random() < 0.5]
        text += f"  {kind}: [{', '.join('{' + settings % port + '}' for port in chosen)}]\n" if chosen else ""
    return text


def targets(raingauge: Raingauge) -> int:
    with urllib.request.urlopen(f"{raingauge.exporter}/sd", timeout=60) as answer:
        return len(json.load(answer))


def reload(raingauge: Raingauge, text: str) -> None:
    """Return once the new targets are watched and have had a first tick."""
    raingauge.configuration.write_text(text)
    raingauge.hup()
    expected = 2 + text.count("port:") + text.count("url:")
    wait_until(lambda: targets(raingauge) == expected, 30, f"{expected} targets of\n{text}")
    wait_until(lambda: read_once(raingauge) >= expected - 1, 30, f"a read of each of\n{text}")


def read_once(raingauge: Raingauge) -> int:
    """Targets whose outcome is known."""
    with urllib.request.urlopen(f"{raingauge.exporter}/metrics", timeout=60) as answer:
        return int(answer.read().count(b"\nraingauge_target_up{"))


@pytest.mark.parametrize("command", ["agent", "run"])
def test_many_reloads(tmp_path: Path, moody: int, command: str) -> None:
    chance = dice()
    ports = [moody, free_port()]
    full = HOST + "".join(
        f"  {kind}: [{', '.join('{' + settings % port + '}' for port in ports)}]\n" for kind, settings in KINDS.items()
    )
    with Raingauge(tmp_path, HOST, command) as raingauge:
        for text in (full, HOST, full, HOST):  # loads what is loaded on first use
            reload(raingauge, text)
        before = Held(raingauge.pid)
        for _ in range(ROUNDS):
            reload(raingauge, configuration(chance, ports))
        reload(raingauge, HOST)
        wait_until(
            lambda: Held(raingauge.pid).threads <= before.threads + 2 and Held(raingauge.pid).files <= before.files + 4,
            30, f"it holds no more than {before}",
        )  # fmt: skip
        after = Held(raingauge.pid)
        print(f"before {before}, after {after}")  # noqa: T201
        assert after.mib < before.mib + MORE_MIB, (before, after)
        assert raingauge.stop(5) == 0
    log = raingauge.log()
    assert "Traceback" not in log
    assert "reason=bug" not in log
