"""Debian's varnishd with a private directory and a free port, in front of one backend."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.servers import AS_ROOT, Server, binary

PROBE = '.probe = { .url = "/"; .interval = 50ms; .timeout = 1s; .window = 2; .threshold = 1; .initial = 0; }'


class Varnish(Server):
    """`port` is the backend's; `storage` one more storage."""

    def __init__(self, directory: Path, port: int, *, probe: bool = False, storage: str = "") -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = directory / "state"
        self.storage = storage
        self.configuration = directory / "default.vcl"
        self.configuration.write_text(
            f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{port}"; {PROBE if probe else ""} }}\n'
        )
        if AS_ROOT:
            for parent in (directory, *directory.parents):
                if parent.stat().st_mode & 0o011 != 0o011:  # the user that serves must get there
                    parent.chmod(parent.stat().st_mode | 0o011)

    def command(self) -> Sequence[str]:
        # As an ordinary user there is no other user to change to.
        jail = ["-j", "unix,user=vcache"] if AS_ROOT else ["-j", "none"]
        more = ["-s", f"second={self.storage}"] if self.storage else []
        return [binary("varnishd"), *jail, "-F", "-n", str(self.state), "-a", f"127.0.0.1:{self.port}",
                "-T", "127.0.0.1:0", "-f", str(self.configuration), "-s", "malloc,16m", *more,
                "-p", "thread_pools=1", "-p", "thread_pool_min=5"]  # fmt: skip

    def stat(self, *words: str) -> str:
        return self._said("varnishstat", *words)

    def administer(self, *words: str) -> str:
        return self._said("varnishadm", *words)

    def _said(self, program: str, *words: str) -> str:
        return subprocess.run(
            [program, "-n", str(self.state), *words], check=True, capture_output=True, text=True
        ).stdout
