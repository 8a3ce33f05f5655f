"""Where a server is, and as whom we read it."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from collectors.config import Config, Port, Secret, Timeout
from collectors.tls import TlsOverTcp


class Mysql(Config):
    socket: str = ""
    """Path of the server's unix socket; empty: TCP."""
    address: str = "127.0.0.1"
    """Host name or IP address of the server."""
    port: Port = 3306
    """TCP port of the server."""
    user: str = "raingauge"
    """Account that reads; with USAGE alone it reads status and variables."""
    password: Secret | None = None
    """Its password; none for an account that logs in by unix_socket."""
    password_file: Path | None = None
    """File that holds the password instead."""
    defaults_file: Path | None = None
    """Option file whose [client] section names user, password and, over TCP, TLS instead, such as ~/.my.cnf."""
    tls: TlsOverTcp = None
    """Encrypts what goes over TCP, `{}` with the system's authorities; none: as defaults_file says, else plain."""
    heartbeat_table: Annotated[str, Field(pattern=r"^([\w$]+\.[\w$]+)?$")] = ""
    """Table that pt-heartbeat writes, as database.table; empty: none."""
    slow_log: str = ""
    """Path of the server's slow_query_log_file, such as /var/log/mysql/mariadb-slow.log; empty: none is followed."""
    timeout: Timeout = 5.0
    """How long connecting and each statement may take."""
