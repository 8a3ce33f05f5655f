"""A shop as it is hosted: nginx with times in its log and TLS, a pool with a slow log, MariaDB, Redis, Drupal's tables.

Everything is reached by `shop.example`, and there is a server elsewhere that the shop's pages ask.
"""

import contextlib
import json
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import drupal
from tests.lab.certificates import Authority
from tests.lab.servers import AS_ROOT, TEMPORARY, MariaDb, Nginx, PhpFpm, Redis
from tests.lab.weblogs import FORMATS

SITE = "shop.example"
API = "127.0.0.2"
WORKERS = 4
STATISTICS = ("--performance-schema=ON", "--long-query-time=1")


class ShopNginx(Nginx):
    """Whatever is no file is answered by index.php, as Drupal has it."""

    def __init__(self, directory: Path, root: Path, fastcgi: str, certificate: Path) -> None:
        super().__init__(directory, root)
        self.log = directory / "access.log"
        self.configuration.write_text(
            f"{'user www-data;' if AS_ROOT else ''}\nworker_processes 1;\ndaemon off;\npid {directory}/nginx.pid;\n"
            f"error_log {directory}/error.log;\nevents {{ worker_connections 256; }}\nhttp {{\n"
            + "".join(f"  {kind}_temp_path {directory}/{kind};\n" for kind in TEMPORARY)
            + f"  {FORMATS['timed']}\n  access_log {self.log} timed;\n"
            f"  server {{\n    listen 127.0.0.1:{self.port};\n    server_name {SITE};\n    root {root};\n"
            f"    listen 127.0.0.1:{self.tls_port} ssl;\n"
            f"    ssl_certificate {certificate};\n    ssl_certificate_key {certificate};\n"
            "    location = /stub_status { stub_status; access_log off; }\n"
            "    location / { try_files $uri /index.php?$query_string; }\n"
            f"    location ~ \\.php$ {{ fastcgi_pass unix:{fastcgi}; include /etc/nginx/fastcgi_params;\n"
            "      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_read_timeout 8s; }\n"
            "  }\n}\n"
        )


@dataclass(frozen=True)
class Shop:
    root: Path
    """What nginx serves."""
    nginx: ShopNginx
    php: PhpFpm
    slow_log: Path
    mariadb: MariaDb
    redis: Redis
    api: socket.socket
    """The server elsewhere: accepts, and never answers."""
    authority: Path
    drupal: Path
    """The docroot that settings.php is in."""

    def targets(self, host: str) -> str:
        """As JSON for the configuration: only these, whatever else runs on this machine."""
        uses = [("phpfpm", self.php.socket), ("mysql", self.mariadb.socket), ("redis", self.redis.port)]
        checks = [
            {"url": f"http://127.0.0.1:{self.nginx.port}/", "height": "local"},
            {"url": f"https://127.0.0.1:{self.nginx.tls_port}/", "ca_file": str(self.authority)},
        ]
        return json.dumps({
            "host": [{}],
            "nginx": [{"url": f"{self.nginx.url}/stub_status"}],
            "phpfpm": [{"address": f"unix:{self.php.socket}", "pool": self.php.pool, "max_children": WORKERS,
                        "slowlog": str(self.slow_log)}],
            "mysql": [{"socket": self.mariadb.socket, "user": self.mariadb.user}],
            "redis": [{"port": self.redis.port}],
            "weblog": [{"files": [{"path": str(self.nginx.log), "site": SITE}], "sites": [
                {"name": SITE, "hosts": [SITE], "uses": [{"job": job, "instance": f"{host}:{at}"} for job, at in uses]}
            ]}],
            "probe": [{**each, "host_header": SITE, "interval": 10} for each in checks],
            "drupal": [{"site": SITE, "docroot": str(self.drupal)}],
        })  # fmt: skip

    def upload(self, name: str, text: str) -> None:
        """As somebody who broke in leaves it."""
        files = self.root / "sites" / "default" / "files"
        files.mkdir(parents=True, exist_ok=True)
        (files / name).write_text(text)

    def state(self, name: str, value: object) -> None:
        """Of Drupal's state."""
        said = drupal.php(value).decode()
        self.mariadb.sql(f"UPDATE drupal.key_value SET value = '{said}' WHERE collection = 'state' AND name = '{name}'")


@contextmanager
def shop(days: float = 60) -> Iterator[Shop]:
    """`days`: how long its certificate is valid."""
    folder = Path(tempfile.mkdtemp(prefix="raingauge-shop-"))  # short: a socket's path may have 107 characters
    folder.chmod(0o755)
    root = folder / "site"
    root.mkdir()
    shutil.copy(Path(__file__).with_name("site.php"), root / "index.php")
    with contextlib.ExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        start = running.enter_context
        api = start(socket.create_server((API, 0)))
        redis = start(Redis(folder / "redis"))
        mariadb = start(MariaDb(folder / "mariadb", STATISTICS))
        slow = folder / "shop-slow.log"
        settings = (
            f"env[LAB_REDIS_PORT] = {redis.port}\nenv[LAB_MYSQL_SOCKET] = {mariadb.socket}\n"
            f"env[LAB_API] = {API}:{api.getsockname()[1]}\nslowlog = {slow}\nrequest_slowlog_timeout = 1s\n"
        )
        php = start(PhpFpm(folder / "php", "shop", children=WORKERS, settings=settings))
        authority = Authority(folder / "certificates")
        nginx = start(ShopNginx(folder / "nginx", root, php.socket, authority.certified(SITE, days=days)))
        made = Shop(root, nginx, php, slow, mariadb, redis, api, authority.file, _drupal(folder, mariadb))
        made.state("system.cron_last", int(time.time()) - 300)
        made.state("system.maintenance_mode", value=False)
        yield made


def _drupal(folder: Path, mariadb: MariaDb) -> Path:
    execute = drupal.mysql(mariadb, "drupal")
    drupal.fill(execute, "mysql")
    execute("DELETE FROM semaphore", ())
    execute("DELETE FROM queue", ())
    return drupal.docroot(folder / "drupal", drupal.mysql_settings(mariadb, "drupal"))
