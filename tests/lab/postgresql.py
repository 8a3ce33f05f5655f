"""Debian's PostgreSQL with a private data directory and a free port. As root it runs as the user `postgres`."""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.lab.ports import free_port
from tests.lab.servers import AS_ROOT, Server, binary

PASSWORD = "lab"


def program(name: str) -> str:
    found = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True), shutil.which(name) or ""]
    return str(found[0])


class PostgreSql(Server):
    """`lab` is the superuser. Over TCP a password is asked for; over the socket the system says who one is."""

    def __init__(self, directory: Path, settings: Sequence[str] = ()) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.data = directory / "data"
        self.socket = str(directory / f".s.PGSQL.{self.port}")
        self.url = f"postgresql://lab:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        self.settings = settings

    def _as_its_user(self, *words: str) -> list[str]:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words] if AS_ROOT else [*words]

    def command(self) -> Sequence[str]:
        return self._as_its_user(
            program("postgres"), "-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1",
            "-k", str(self.directory), "-c", "fsync=off", "-c", "shared_buffers=32MB",
            *(word for setting in self.settings for word in ("-c", setting)),
        )  # fmt: skip

    def stop(self, end: signal.Signals = signal.SIGINT) -> None:
        """At SIGTERM it would wait for its clients to leave."""
        super().stop(end)

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
            if AS_ROOT:
                for parent in (self.directory, *self.directory.parents):
                    if not parent.stat().st_mode & 0o001:  # it must get to its data
                        parent.chmod(0o755)
                shutil.chown(self.directory, "postgres")
            self._fill()
        return super().start()

    def _fill(self) -> None:
        password = self.directory / "password"
        password.write_text(PASSWORD)
        if AS_ROOT:
            shutil.chown(password, "postgres")
        self._run(
            program("initdb"), "-D", str(self.data), "-U", "lab", "--auth-host=scram-sha-256", "--auth-local=peer",
            f"--pwfile={password}", "--no-sync",
        )  # fmt: skip

    def _run(self, *words: str) -> None:
        subprocess.run(self._as_its_user(*words), check=True, capture_output=True, cwd=self.directory)

    def sql(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of the last one; each is a transaction of its own."""
        url = f"{self.url.rpartition('/')[0]}/{database}"
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


class Standby(PostgreSql):
    """Streams from `primary` through the slot `standby`."""

    def __init__(self, directory: Path, primary: PostgreSql) -> None:
        super().__init__(directory, primary.settings)
        self.primary = primary

    def _fill(self) -> None:
        self._run(
            program("pg_basebackup"), "-d", self.primary.url, "-D", str(self.data), "--write-recovery-conf",
            "--create-slot", "--slot=standby", "--checkpoint=fast", "--no-sync",
        )  # fmt: skip


class PostgresExporter(Server):
    """Debian's prometheus-postgres-exporter beside a server."""

    def __init__(self, directory: Path, server: PostgreSql, database: str = "postgres") -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        self.source = f"{server.url.rpartition('/')[0]}/{database}?sslmode=disable"

    def command(self) -> Sequence[str]:
        return ["env", f"DATA_SOURCE_NAME={self.source}", binary("prometheus-postgres-exporter"),
                f"--web.listen-address=127.0.0.1:{self.port}"]  # fmt: skip
