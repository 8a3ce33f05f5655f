"""The whole lab: nginx before PHP-FPM before MariaDB and Redis, with one page of our own."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.servers import MariaDb, Nginx, PhpFpm, Redis
from tests.lab.traffic import Traffic

PAGES = ("/index.php", "/index.php?queries=20", "/index.php?sleep=0.05", "/index.php?memory=16", "/hello.html")


class Lab:
    """A context manager; `children` is the pool's pm.max_children, `settings` are further lines of its file."""

    def __init__(self, children: int = 4, settings: str = "") -> None:
        # Short: a unix socket's path may have 107 characters. Readable for the servers' own users.
        self.directory = Path(tempfile.mkdtemp(prefix="raingauge-lab-"))
        self.directory.chmod(0o755)
        root = self.directory / "site"
        root.mkdir()
        shutil.copy(Path(__file__).with_name("site.php"), root / "index.php")
        (root / "hello.html").write_text("<!doctype html><title>Lab</title><p>Hello from the lab.</p>\n")
        self.redis = Redis(self.directory / "redis")
        self.mariadb = MariaDb(self.directory / "mariadb")
        self.php = PhpFpm(
            self.directory / "php",
            children=children,
            settings=f"env[LAB_REDIS_PORT] = {self.redis.port}\nenv[LAB_MYSQL_SOCKET] = {self.mariadb.socket}\n"
            + settings,
        )
        self.nginx = Nginx(self.directory / "nginx", root=root, fastcgi=self.php.socket)
        self._stack = contextlib.ExitStack()

    @property
    def url(self) -> str:
        return self.nginx.url

    def traffic(self, per_second: float = 10, seconds: float = 300) -> Traffic:
        return Traffic(self.url, per_second, seconds, PAGES)

    def __enter__(self) -> Self:
        with self._stack as stack:
            stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
            for server in (self.redis, self.mariadb, self.php, self.nginx):
                stack.enter_context(server)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
