"""Each server with a private directory and free ports: a context manager that starts and ends one process.

Whoever runs them owns them: as root, PHP and MariaDB run as their Debian users where they must.
"""

import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.ports import answers, free_port, wait_until

PACKAGES = {
    "nginx": "nginx-light",
    "php-fpm": "php-fpm",
    "mariadbd": "mariadb-server",
    "redis-server": "redis-server",
    "apache2": "apache2",
    "memcached": "memcached",
    "varnishd": "varnish",
    "prometheus-mysqld-exporter": "prometheus-mysqld-exporter",
    "prometheus-redis-exporter": "prometheus-redis-exporter",
    "prometheus-nginx-exporter": "prometheus-nginx-exporter",
    "postfix": "postfix",
    "sendmail": "postfix",
}
AS_ROOT = os.geteuid() == 0


def binary(name: str) -> str:
    """Where the program is; FileNotFoundError that names Debian's package."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    candidates = [name]
    if name == "php-fpm":  # Debian's carry the version: php-fpm8.2
        candidates = sorted((path.name for path in Path("/usr/sbin").glob("php-fpm*")), reverse=True)
    for candidate in candidates:
        if found := shutil.which(candidate, path=places):
            return found
    raise FileNotFoundError(f"{name} is not installed: apt-get install {PACKAGES.get(name, name)}")


class Server:
    """One process. A subclass writes its configuration and says how it is started and where it answers."""

    address: str | tuple[str, int]
    environment: Mapping[str, str] = {}

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def start(self) -> Self:
        with (self.directory / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=self.directory,
                env={**os.environ, **self.environment},
            )  # fmt: skip
        try:
            wait_until(self._ready, 60, f"{type(self).__name__} answers on {self.address}")
            self.prepare()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        return self

    def prepare(self) -> None:
        """What is done once it answers."""

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"{type(self).__name__} ended:\n{(self.directory / 'output.log').read_text()[-2000:]}")
        return answers(self.address)

    def stop(self, end: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(end)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()


class PhpFpm(Server):
    """A pool on a unix socket, or on TCP, with a status page.

    `settings` are further lines of the pool's file, `options` of the command line: `-d extension=apcu.so`.
    """

    def __init__(
        self, directory: Path, pool: str = "lab", children: int = 4, settings: str = "", status: bool = True,
        options: Sequence[str] = (), tcp: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(directory)
        self.options = options
        self.pool = pool
        self.socket = str(directory / "fpm.sock")
        self.address: str | tuple[str, int] = ("127.0.0.1", free_port()) if tcp else self.socket
        listen = f"127.0.0.1:{self.address[1]}" if tcp else self.socket
        self.configuration = directory / "php-fpm.conf"
        pools = directory / "pool.d"
        pools.mkdir(exist_ok=True)
        self.configuration.write_text(
            f"[global]\nerror_log = {directory}/php-fpm.log\ndaemonize = no\ninclude = {pools}/*.conf\n"
        )
        user = "user = www-data\ngroup = www-data\nlisten.owner = www-data\n" if AS_ROOT else ""
        status_line = "pm.status_path = /fpm-status\n" if status else ""
        (pools / f"{pool}.conf").write_text(
            f"[{pool}]\nlisten = {listen}\n{user}pm = dynamic\npm.max_children = {children}\n"
            f"pm.start_servers = 2\npm.min_spare_servers = 1\npm.max_spare_servers = 2\n{status_line}{settings}"
        )

    def command(self) -> Sequence[str]:
        return [binary("php-fpm"), "-n", *self._extensions(), *self.options, "-y", str(self.configuration)]

    @staticmethod
    def _extensions() -> list[str]:
        """The few that the page needs, without the machine's php.ini."""
        directories = sorted(Path("/usr/lib/php").glob("2*"), reverse=True)
        wanted = ("pdo", "mysqlnd", "pdo_mysql", "igbinary", "redis")
        there = [name for name in wanted if directories and (directories[0] / f"{name}.so").exists()]
        return [option for name in there for option in ("-d", f"extension={name}.so")]


class Nginx(Server):
    """Serves `root`, PHP through `fastcgi`, and stub_status on 127.0.0.1.

    `certificate`: a file with it and its key; then it speaks TLS on `tls_port`, too.
    """

    def __init__(
        self,
        directory: Path,
        root: Path | None = None,
        fastcgi: str = "",
        status: bool = True,
        certificate: Path | None = None,
    ) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.tls_port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        root = root or directory
        self.configuration = directory / "nginx.conf"
        php = (
            f"location ~ \\.php$ {{ fastcgi_pass unix:{fastcgi}; include /etc/nginx/fastcgi_params;\n"
            f"        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_read_timeout 30s; }}"
        )
        tls = f"listen 127.0.0.1:{self.tls_port} ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate};"
        stub = "location = /stub_status { stub_status; access_log off; allow 127.0.0.1; deny all; }"
        self.configuration.write_text(
            f"{'user www-data;' if AS_ROOT else ''}\nworker_processes 1;\ndaemon off;\npid {directory}/nginx.pid;\n"
            f"error_log {directory}/error.log;\nevents {{ worker_connections 256; }}\nhttp {{\n"
            + "".join(f"  {kind}_temp_path {directory}/{kind};\n" for kind in TEMPORARY)
            + f"  access_log {directory}/access.log;\n  server {{\n    listen 127.0.0.1:{self.port};\n"
            f"    server_name lab.example;\n    root {root};\n    index index.php index.html;\n"
            f"    {tls if certificate else ''}\n    {stub if status else ''}\n    {php if fastcgi else ''}\n  }}\n}}\n"
        )

    def command(self) -> Sequence[str]:
        return [binary("nginx"), "-p", str(self.directory), "-e", str(self.directory / "error.log"),
                "-c", str(self.configuration)]  # fmt: skip


TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class MariaDb(Server):
    """Root logs in over the socket without a password; `lab` with the password `lab` owns the database `lab`."""

    def __init__(self, directory: Path, settings: Sequence[str] = ()) -> None:
        """`settings`: further options, such as --userstat=ON; the last of a name counts."""
        super().__init__(directory)
        self.settings = settings
        self.port = free_port()
        self.socket = str(directory / "mysqld.sock")
        self.address = self.socket
        self.data = directory / "data"
        self.user = getpass.getuser()

    def command(self) -> Sequence[str]:
        return [binary("mariadbd"), "--no-defaults", f"--user={self.user}", f"--datadir={self.data}",
                f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                f"--pid-file={self.directory}/mysqld.pid", "--innodb-buffer-pool-size=32M",
                "--innodb-flush-method=fsync", "--performance-schema=OFF", "--skip-log-bin",
                *self.settings]  # fmt: skip

    def start(self) -> Self:
        if not self.data.exists():
            made = subprocess.run(
                ["mariadb-install-db", "--no-defaults", f"--user={self.user}", f"--datadir={self.data}",
                 "--skip-test-db", "--auth-root-authentication-method=socket", f"--auth-root-socket-user={self.user}"],
                check=False, capture_output=True, text=True, cwd=self.directory,
            )  # fmt: skip
            assert made.returncode == 0, f"mariadb-install-db: {made.stdout}{made.stderr}"
        return super().start()

    def prepare(self) -> None:
        self.sql(
            "CREATE DATABASE IF NOT EXISTS lab; CREATE USER IF NOT EXISTS lab@localhost IDENTIFIED BY 'lab';"
            "GRANT ALL ON lab.* TO lab@localhost;"
            "CREATE TABLE IF NOT EXISTS lab.node (nid INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(255));"
            "INSERT INTO lab.node (title) SELECT CONCAT('Node ', seq) FROM lab.seq_1_to_500;"
        )

    def sql(self, statements: str) -> str:
        """What the server's own client prints, tab-separated, without header."""
        return subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", f"--user={self.user}", "--batch",
             "--skip-column-names", "-e", statements],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip


class Redis(Server):
    def __init__(self, directory: Path, settings: Sequence[str] = ()) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.settings = settings

    def command(self) -> Sequence[str]:
        return [binary("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory),
                "--save", "", "--maxmemory", "64mb", "--daemonize", "no", *self.settings]  # fmt: skip
