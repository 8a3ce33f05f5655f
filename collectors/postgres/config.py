"""Where a server is, and as whom we read it."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from collectors.config import Config, Port, Secret, Timeout
from collectors.tls import TlsOverTcp

SOCKET = re.compile(r"(?P<directory>/.*)/\.s\.PGSQL\.(?P<port>\d{1,5})")


def _socket(path: str) -> str:
    if path and not SOCKET.fullmatch(path):
        raise ValueError(f"expected a path such as /var/run/postgresql/.s.PGSQL.5432, found {path!r}")
    return path


class Postgres(Config):
    socket: Annotated[str, AfterValidator(_socket)] = ""
    """Path of the server's unix socket, such as /var/run/postgresql/.s.PGSQL.5432; empty: TCP."""
    address: Annotated[str, Field(pattern=r"^[^/@,\s]+$")] = "127.0.0.1"
    """Host name or IP address of the server."""
    port: Port = 5432
    """TCP port of the server."""
    database: str = "postgres"
    """Database to connect to. Tables and indexes are read of this one only: name the site's."""
    user: str = "raingauge"
    """Role that reads; a member of pg_monitor."""
    password: Secret | None = None
    """Its password; none for peer authentication or ~/.pgpass."""
    password_file: Path | None = None
    """File that holds the password instead."""
    tls: TlsOverTcp = None
    """Insists on TLS, `{}` with the system's authorities; none: as libpq does, with it where the server has it."""
    timeout: Timeout = 5.0
    """How long connecting and each statement may take."""

    @property
    def place(self) -> tuple[str, int]:
        """Host, or the socket's directory, and port: as libpq and postgres_exporter name a server."""
        found = SOCKET.fullmatch(self.socket)
        return (found["directory"], int(found["port"])) if found else (self.address, self.port)
