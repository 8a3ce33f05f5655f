"""Debian's official exporters, each beside the server that it asks."""

import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import Server, binary


class Exporter(Server):
    """`options` say what it asks; its page is at `page()`."""

    program = ""

    def __init__(self, directory: Path, *options: str) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.options = options

    def command(self) -> Sequence[str]:
        return [binary(self.program), f"-web.listen-address=127.0.0.1:{self.port}", *self.options]

    def page(self, path: str = "/metrics") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
        return text


class RedisExporter(Exporter):
    program = "prometheus-redis-exporter"


class NginxExporter(Exporter):
    program = "prometheus-nginx-exporter"
