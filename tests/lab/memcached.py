"""Debian's memcached on a free port, or on a unix socket. It runs as whoever starts it."""

from collections.abc import Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import AS_ROOT, Server, binary


class Memcached(Server):
    def __init__(self, directory: Path, options: Sequence[str] = (), socket: Path | None = None) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.socket = socket
        self.address = str(socket) if socket else ("127.0.0.1", self.port)
        self.options = options

    def command(self) -> Sequence[str]:
        place = ["-s", str(self.socket)] if self.socket else ["-l", "127.0.0.1", "-p", str(self.port)]
        return [binary("memcached"), *place, *(["-u", "root"] if AS_ROOT else []), "-m", "8", "-t", "1", *self.options]
