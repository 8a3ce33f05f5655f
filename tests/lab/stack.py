"""Every kind of server that Raingauge reads at the same time: what ten exporters would watch on one host."""

import contextlib
import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.apache import Apache
from tests.lab.certificates import Authority
from tests.lab.dns import NameServer
from tests.lab.mariadb_replica import Replicated, mariadb_replica
from tests.lab.memcached import Memcached
from tests.lab.ports import wait_until
from tests.lab.postgresql import PostgreSql, Standby
from tests.lab.servers import MariaDb, Nginx, PhpFpm, Redis
from tests.lab.varnish import Varnish

STATISTICS = ("--performance-schema=ON", "--userstat=ON")
HEARTBEAT = "lab.heartbeat"
BALANCER = """
<Proxy "balancer://pools">
BalancerMember "http://127.0.0.1:9"
</Proxy>
ProxyPass "/balanced" "balancer://pools"
"""


@dataclass(frozen=True)
class Stack:
    directory: Path
    php: PhpFpm
    tcp_php: PhpFpm
    nginx: Nginx
    mod_php: Apache
    apache: Apache
    """Sends PHP to the pool."""
    mariadb: Replicated
    statistics: MariaDb
    """Counts by statement, table and user."""
    postgres: PostgreSql
    standby: Standby
    redis: Redis
    redis_replica: Redis
    memcached: Memcached
    varnish: Varnish
    names: NameServer

    def targets(self) -> str:
        """What discovery cannot know, as JSON for the configuration: passwords, and checks of our own."""
        database = {"user": "lab", "password": "lab"}
        return json.dumps(
            {
                "mysql": [
                    {"socket": self.statistics.socket, "user": self.statistics.user, "heartbeat_table": HEARTBEAT}
                ],
                "postgres": [
                    {"address": "127.0.0.1", "port": server.port, **database}
                    for server in (self.postgres, self.standby)
                ],
                "probe": [
                    {"url": f"{self.nginx.url}/hello.html"},
                    {"url": f"https://127.0.0.1:{self.nginx.tls_port}/hello.html", "verify_tls": False},
                    {"tcp": {"address": f"127.0.0.1:{self.redis.port}"}},
                    {"dns": {"server": self.names.address, "name": "www.shop.example"}},
                    {"icmp": {"address": "127.0.0.1"}},
                ],
            }
        )


@contextmanager
def stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="raingauge-stack-"))  # short: a socket's path may have 107 characters
    folder.chmod(0o755)
    root = folder / "site"
    root.mkdir()
    shutil.copy(Path(__file__).with_name("site.php"), root / "index.php")
    (root / "hello.html").write_text("<!doctype html><title>Lab</title><p>Hello from the lab.</p>\n")
    with contextlib.ExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        start = running.enter_context
        php = start(PhpFpm(folder / "php", "shop"))
        tcp_php = start(PhpFpm(folder / "php-tcp", "intranet", tcp=True))
        certificate = Authority(folder / "certificates").certified("lab.example")
        nginx = start(Nginx(folder / "nginx", root=root, fastcgi=php.socket, certificate=certificate))
        redis = start(Redis(folder / "redis"))
        replica = start(Redis(folder / "redis-replica", ["--replicaof", f"127.0.0.1 {redis.port}"]))
        settings = ["shared_preload_libraries=pg_stat_statements", "wal_level=replica", "autovacuum_naptime=1s"]
        postgres = start(PostgreSql(folder / "postgres", settings))
        postgres.sql(
            "CREATE EXTENSION pg_stat_statements",
            "CREATE TABLE node (nid int PRIMARY KEY, title text) WITH (autovacuum_vacuum_threshold = 1)",
            "INSERT INTO node SELECT n, 'Node ' || n FROM generate_series(1, 5000) AS n",
            "DELETE FROM node WHERE nid > 100",
        )
        statistics = start(MariaDb(folder / "statistics", STATISTICS))
        statistics.sql(
            f"CREATE TABLE {HEARTBEAT} (ts VARCHAR(26), server_id INT PRIMARY KEY);"
            f"INSERT INTO {HEARTBEAT} VALUES (NOW(6), 1)"
        )
        made = Stack(
            folder, php, tcp_php, nginx,
            start(Apache(folder / "mod-php", root=root, mod_php=True)),
            start(Apache(folder / "apache", root=root, fastcgi=php.socket, more=BALANCER)),
            start(mariadb_replica(folder / "mariadb")),
            statistics,
            postgres, start(Standby(folder / "standby", postgres)),
            redis, replica,
            start(Memcached(folder / "memcached")), start(Varnish(folder / "varnish", nginx.port, probe=True)),
            start(NameServer()),
        )  # fmt: skip
        wait_until(lambda: standby_streams(postgres), 30, "the standby streams")
        wait_until(lambda: vacuumed(postgres), 60, "a table was vacuumed")
        with socket.create_connection(("127.0.0.1", made.memcached.port), 5) as memcached:
            memcached.sendall(b"set page 0 0 5\r\nHello\r\n")
            memcached.recv(100)
        yield made


def standby_streams(primary: PostgreSql) -> bool:
    return bool(primary.sql("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"))


def vacuumed(server: PostgreSql) -> bool:
    query = "SELECT 1 FROM pg_stat_user_tables WHERE last_autovacuum IS NOT NULL AND last_autoanalyze IS NOT NULL"
    return bool(server.sql(query))
