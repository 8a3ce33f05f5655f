"""Debian's PostgreSQL with a private data directory and a free port. As root it runs as the user `postgres`."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psycopg

from tests.lab.ports import free_port
from tests.lab.servers import AS_ROOT, Server

PASSWORD = "lab"


def program(name: str) -> str:
    found = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True), shutil.which(name) or ""]
    return str(found[0])


class PostgreSql(Server):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.data = directory / "data"
        self.url = f"postgresql://lab:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def _as_its_user(self, *words: str) -> list[str]:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words] if AS_ROOT else [*words]

    def command(self) -> Sequence[str]:
        return self._as_its_user(
            program("postgres"), "-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", "",
            "-c", "fsync=off", "-c", "shared_buffers=32MB",
        )  # fmt: skip

    def _ready(self) -> bool:
        """It answers before it lets anyone in."""
        if not super()._ready():
            return False
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> Self:
        if not self.data.exists():
            password = self.directory / "password"
            password.write_text(PASSWORD)
            if AS_ROOT:
                for parent in (self.directory, *self.directory.parents):
                    if not parent.stat().st_mode & 0o001:  # it must get to its data
                        parent.chmod(0o755)
                shutil.chown(self.directory, "postgres")
                shutil.chown(password, "postgres")
            subprocess.run(
                self._as_its_user(program("initdb"), "-D", str(self.data), "-U", "lab", "-A", "scram-sha-256",
                                  f"--pwfile={password}", "--no-sync"),
                check=True, capture_output=True, cwd=self.directory,
            )  # fmt: skip
        return super().start()
