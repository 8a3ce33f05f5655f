"""Servers in containers: real ones in namespaces of their own, and what a host with Docker shows."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.discovery import proposed
from agent.look import look
from agent.reading import trial
from collectors import registry
from collectors.errors import Absent
from collectors.inventory import Inventory, Listener, Pool, Process, Vhost
from collectors.inventory.containers import Container, outside, published
from collectors.phpfpm.config import Phpfpm
from collectors.redis.session import Redis
from collectors.sources.containers import containers, paths_inside, read_inside
from tests.lab.ports import wait_until
from tests.lab.servers import binary

CAN_UNSHARE = os.geteuid() == 0 and subprocess.run(["unshare", "-mn", "true"], check=False).returncode == 0
POOL = """\
[inside]
listen = /srv/fpm.sock
user = www-data
pm = static
pm.max_children = 2
pm.status_path = /fpm-status
"""
START = """\
set -e
mount -t tmpfs none "$1"
for each in usr bin sbin lib lib64 etc dev; do
    [ -e /$each ] || continue
    mkdir "$1/$each"; mount --rbind /$each "$1/$each"
done
mkdir "$1/proc" "$1/tmp" "$1/srv" "$1/srv/pool.d"
mount -t proc proc "$1/proc"
printf '%s' "$3" > "$1/srv/inside.conf"
ln -s /srv/inside.conf "$1/srv/pool.d/inside.conf"
printf '[global]\\nerror_log = /srv/fpm.log\\ndaemonize = no\\ninclude = /srv/pool.d/*.conf\\n' > "$1/srv/php-fpm.conf"
ip link set lo up 2>/dev/null || true
chroot "$1" redis-server --port 6399 --unixsocket /srv/redis.sock --dir /srv --save '' --daemonize no >/dev/null &
exec chroot "$1" "$2" -n -y /srv/php-fpm.conf
"""


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The process that was started in the namespaces; they end with it."""
    root = tmp_path_factory.mktemp("root")
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", START, "sh", str(root)]
    with subprocess.Popen([*command, binary("php-fpm"), POOL], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(both_run, 30, "both run")
            yield process.pid
        finally:
            process.kill()


def pools(inventory: Inventory) -> tuple[Pool, ...]:
    return tuple(pool for pool in inventory.pools if pool.name == "inside")


def both_run() -> bool:
    inventory = look("host")
    redis = any(at.path.endswith("/srv/redis.sock") for at in inventory.listeners)
    return redis and len(pools(inventory)) == 1


@pytest.mark.servers
@pytest.mark.skipif(not CAN_UNSHARE, reason="namespaces are not ours to make")
def test_a_pool_and_a_redis_in_namespaces_of_their_own_are_found_and_answer(inside: int) -> None:
    inventory = look("host")
    (pool,) = pools(inventory)
    assert pool.file.endswith("/srv/pool.d/inside.conf")
    configs = [each.config for group in proposed(inventory).values() for each in group]
    (php,) = (config for config in configs if isinstance(config, Phpfpm) and config.pool == "inside")
    (redis,) = (each for each in configs if isinstance(each, Redis) and each.socket.endswith("/srv/redis.sock"))
    answers = {each.part.name: each.outcome for each in trial(registry.collector("phpfpm"), php)}
    assert answers["status"] == "ok"
    assert trial(registry.collector("redis"), redis)[0].outcome == "ok"


@pytest.mark.servers
@pytest.mark.skipif(not CAN_UNSHARE, reason="namespaces are not ours to make")
def test_its_servers_do_not_count_as_the_hosts_own(inside: int) -> None:
    inventory = look("host")
    masters = [process.title for process in inventory.processes if process.title.startswith("php-fpm: master")]
    assert "php-fpm: master process (/srv/php-fpm.conf)" not in masters


BRIDGED = Container(812, "docker 3f4a1b2c9d8e", open=True, own_network=True, address="172.17.0.2")
PROXY = Process(
    900, "docker-proxy",
    "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 13306 -container-ip 172.17.0.2 -container-port 3306",
    "root",
)  # fmt: skip


def test_a_published_port_is_preferred_to_the_containers_address() -> None:
    ports = published([PROXY, Process(1, "init", "init", "root")])
    listening = [Listener("mariadbd", 812, "0.0.0.0", 3306), Listener("mariadbd", 812, path="/run/mysqld/mysqld.sock"),
                 Listener("redis-server", 813, "::", 6379), Listener("memcached", 814, "127.0.0.1", 11211),
                 Listener("postgres", 815, path="/run/.s.PGSQL.5432")]  # fmt: skip
    seen = outside(BRIDGED, Inventory(""), listening, ports)
    assert [(at.process, at.address, at.port, at.path) for at in seen.listeners] == [
        ("mariadbd", "127.0.0.1", 13306, ""),
        ("redis-server", "172.17.0.2", 6379, ""),
        ("postgres", "", 0, f"{BRIDGED.root}/run/.s.PGSQL.5432"),
    ]
    (said,) = seen.blind
    assert said.startswith("memcached (pid 814, in a container, docker 3f4a1b2c9d8e) listens on 127.0.0.1:11211")
    assert said.endswith("publish the port on 127.0.0.1")


def test_a_pool_and_a_vhost_are_where_the_host_sees_them() -> None:
    their = (Pool("www", "127.0.0.1:9000", status_path="/s", file="/usr/local/etc/php-fpm.d/www.conf", slowlog="/a"),
             Pool("own", "unix:/run/own.sock", file="/usr/local/etc/php-fpm.d/own.conf"))  # fmt: skip
    vhost = Vhost("nginx", ("shop.example",), "/srv", ("*:80",), False, ("/var/log/nginx/access.log",), "combined",
                  ("unix:/run/own.sock",), ("/stub_status",), main="/etc/nginx/nginx.conf")  # fmt: skip
    seen = outside(BRIDGED, Inventory("", pools=their, vhosts=(vhost,)), (), {("172.17.0.2", 80): ("127.0.0.1", 8080)})
    assert [pool.listen for pool in seen.pools] == ["172.17.0.2:9000", f"unix:{BRIDGED.root}/run/own.sock"]
    assert [pool.slowlog for pool in seen.pools] == ["", ""]
    assert (seen.vhosts[0].listens, seen.vhosts[0].logs) == (("127.0.0.1:8080",), ())
    (page,) = registry.collector("nginx").discover(Inventory("h", vhosts=seen.vhosts))
    assert page.config is not None
    assert page.config.model_dump()["url"] == "http://127.0.0.1:8080/stub_status"


CGROUPS = [
    ("0::/system.slice/docker-3f4a1b2c9d8e7f60.scope\n", "docker 3f4a1b2c9d8e"),
    ("12:cpu:/docker/3f4a1b2c9d8e7f60\n", "docker 3f4a1b2c9d8e"),
    ("0::/machine.slice/libpod-77aa.scope/container\n", "libpod 77aa"),
    ("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-9c8b7a.scope\n", "cri-containerd 9c8b7a"),
    ("0::/lxc.payload.web1/system.slice/nginx.service\n", "lxc web1"),
    ("0::/system.slice/nginx.service\n", None),
    ("0::/system.slice/docker.service\n", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "name"), CGROUPS)
def test_what_the_cgroup_says(tmp_path: Path, text: str, name: str | None) -> None:
    (tmp_path / "77").mkdir()
    (tmp_path / "77" / "cgroup").write_text(text)
    known = containers([Process(77, "nginx", "nginx: master process nginx", "root")], tmp_path)
    assert [each.name for each in known] == ([name] if name else [])
    assert all(not each.open for each in known)


def test_links_in_a_container_do_not_lead_out_of_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (tmp_path / "secret").write_text("of the host")
    (root / "etc" / "plain.conf").write_text("inside")
    for name, target in {"up": "../../secret", "away": str(tmp_path / "secret"), "good": "/etc/plain.conf",
                         "loop": "/etc/loop"}.items():  # fmt: skip
        (root / "etc" / name).symlink_to(target)
    os.mkfifo(root / "etc" / "pipe")
    assert read_inside(root, "/etc/good") == read_inside(root, "/etc/../etc/plain.conf") == "inside"
    for path in ("/etc/up", "/etc/away", "/etc/loop", "/etc/pipe", "/../secret", "/etc"):
        with pytest.raises(Absent):
            read_inside(root, path)
    assert list(paths_inside(root, "/etc/*.conf")) == ["/etc/plain.conf"]
    shutil.rmtree(root)
