"""Debian's own exporters of the servers that we read, each beside the server that it asks."""

import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import Server, binary


class Exporter(Server):
    """`program` with its options; `listen` is the one for its address."""

    def __init__(self, directory: Path, program: str, listen: str, *options: str) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self._words = [program, f"{listen}=127.0.0.1:{self.port}", *options]

    def command(self) -> Sequence[str]:
        return [binary(self._words[0]), *self._words[1:]]

    def page(self, path: str = "/metrics") -> str:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            text: str = answer.read().decode()
        return text


class RedisExporter(Exporter):
    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__(directory, "prometheus-redis-exporter", "-web.listen-address", *options)


class NginxExporter(Exporter):
    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__(directory, "prometheus-nginx-exporter", "-web.listen-address", *options)
