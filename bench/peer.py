"""Debian's prometheus-node-exporter, the named peer of the host's part."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.figures import Figure
from tests.lab.ports import answers, free_port, wait_until

NAME = "prometheus-node-exporter"


@dataclass(frozen=True)
class Peer:
    pid: int
    url: str


@contextmanager
def running() -> Iterator[Peer | None]:
    """None where it is not installed."""
    program = shutil.which(NAME)
    if program is None:
        yield None
        return
    port = free_port()
    command = [program, f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(("127.0.0.1", port)), 10, f"{NAME} answers")
            yield Peer(process.pid, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def missing() -> Figure:
    return Figure(NAME, None, "", f"{NAME} is not installed: apt-get install {NAME}")
