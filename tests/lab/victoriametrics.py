"""Debian's VictoriaMetrics with a private directory and a free port, to compare with."""

import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import Server


class VictoriaMetrics(Server):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        return ["victoria-metrics", f"-httpListenAddr=127.0.0.1:{self.port}", "-storageDataPath=data",
                "-retentionPeriod=100y", "-search.latencyOffset=0s", "-memory.allowedPercent=20"]  # fmt: skip

    def take(self, lines: Iterable[str]) -> None:
        """Samples in the text format with stamps in ms; they can be read afterwards."""
        self._post("/api/v1/import/prometheus", "".join(lines).encode())
        self._post("/internal/force_flush")
        self._post("/internal/resetRollupResultCache")

    def merge(self) -> None:
        """Pack everything as small as it gets, as it does by itself in time."""
        self._post("/internal/force_merge")

    def _post(self, path: str, body: bytes = b"") -> None:
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, body, method="POST"), timeout=120
        ) as answer:
            answer.read()
