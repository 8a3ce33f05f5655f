"""Which servers a site needs: each is called as its own collector's discovery calls it."""

import pytest

from collectors import memcached, mysql, phpfpm, postgres, redis, varnish
from collectors.inventory import Inventory, Listener, Pool, Process, Site, Vhost
from collectors.inventory.settings_php import read_settings
from collectors.model import Collector
from collectors.weblog import COLLECTOR, uses
from collectors.weblog.config import Weblog
from collectors.weblog.discovery import discover

PATH = "/srv/shop/web/sites/default/settings.php"
SOCKET = "unix:/run/php/shop.sock"
REDIS = "$settings['redis.connection']['host'] = '127.0.0.1'; $settings['cache']['default'] = 'cache.backend.redis';"
REDIS_SOCKET = REDIS.replace("127.0.0.1", "/run/redis/redis.sock").replace("['default']", "['bins']['render']")
MEMCACHE = "$settings['cache']['default'] = 'cache.backend.memcache';"
LISTENERS = (
    Listener("mariadbd", 10, "127.0.0.1", 3306),
    Listener("mariadbd", 10, path="/run/mysqld/mysqld.sock"),
    Listener("mysqld", 11, "127.0.0.1", 3307),
    Listener("mysqld", 11, path="/run/other/mysqlx.sock"),
    Listener("postgres", 12, "127.0.0.1", 5432),
    Listener("postgres", 12, path="/run/postgresql/.s.PGSQL.5432"),
    Listener("redis-server", 13, "127.0.0.1", 6379),
    Listener("redis-server", 13, path="/run/redis/redis.sock"),
    Listener("memcached", 14, "127.0.0.1", 11211),
)
PROCESSES = (
    Process(14, "memcached", "/usr/bin/memcached -m 64 -p 11211 -l 127.0.0.1", "memcache"),
    Process(20, "varnishd", "/usr/sbin/varnishd -j unix=user=vcache -a :6081 -f /etc/varnish/default.vcl", "vcache"),
    Process(21, "varnishd", "/usr/sbin/varnishd -a :6081", "vcache", parent=20),
)


def inventory(php: str = "", listens: str = "*:80", fastcgi: str = SOCKET, **more: object) -> Inventory:
    log = ("/var/log/nginx/a.log",)
    vhost = Vhost("nginx", ("shop.example",), "/srv/shop/web", (listens,), False, log, "", (fastcgi,))
    site = Site("shop.example", "/srv/shop/web", "default", settings=read_settings(PATH, {PATH: f"<?php\n{php}"}))
    pool = Pool("shop", SOCKET)
    found = {"listeners": LISTENERS, "processes": PROCESSES, "pools": (pool,), "sites": (site,), **more}
    return Inventory("h1", vhosts=(vhost,), **found)  # type: ignore[arg-type]


def used(found: Inventory) -> dict[str, str]:
    (proposal,) = discover(found)
    assert isinstance(proposal.config, Weblog)
    rows = [sample.labels for sample in uses.parse(uses.read(proposal.config))]
    assert {site for site, _, _ in rows} == {"shop.example"}
    return {job: instance for _, job, instance in rows}


def database(driver: str, **values: str) -> str:
    said = "".join(f"'{key}' => '{value}'," for key, value in values.items())
    return f"$databases['default']['default'] = ['driver' => '{driver}', 'database' => 'd', {said}];"


def discovered(collector: Collector, found: Inventory) -> set[str]:
    return {
        collector.instance(proposal.config, found.host) for proposal in collector.discover(found) if proposal.config
    }


@pytest.mark.parametrize(
    ("php", "collector", "instance"),
    [
        (database("mysql", host="localhost"), mysql.COLLECTOR, "h1:/run/mysqld/mysqld.sock"),
        (database("mysql", host="127.0.0.1", port="3306"), mysql.COLLECTOR, "h1:/run/mysqld/mysqld.sock"),
        (database("mysql", unix_socket="/var/run/mysqld/mysqld.sock"), mysql.COLLECTOR, "h1:/run/mysqld/mysqld.sock"),
        (database("mysqli", host="127.0.0.1", port="3307"), mysql.COLLECTOR, "h1:3307"),
        (database("pgsql", host="localhost"), postgres.COLLECTOR, "h1:/run/postgresql/.s.PGSQL.5432"),
        (database("pgsql", host="/run/postgresql"), postgres.COLLECTOR, "h1:/run/postgresql/.s.PGSQL.5432"),
        (REDIS, redis.COLLECTOR, "h1:6379"),
        (REDIS_SOCKET, redis.COLLECTOR, "h1:6379"),
        (MEMCACHE, memcached.COLLECTOR, "h1:11211"),
        ("", phpfpm.COLLECTOR, "h1:/run/php/shop.sock"),
    ],
)
def test_it_is_the_target_that_discovery_finds(php: str, collector: Collector, instance: str) -> None:
    found = inventory(php)
    assert used(found)[collector.job] == instance
    assert instance in discovered(collector, found)


@pytest.mark.parametrize(
    ("php", "job", "instance"),
    [
        (database("mysql", host="db.example", port="3310"), "mysql", "db.example:3310"),
        (database("pgsql", host="db.example"), "postgres", "db.example:5432"),
        (
            f"$settings['memcache']['servers'] = ['cache.example:11212' => 'default']; {MEMCACHE}",
            "memcached",
            "cache.example:11212",
        ),
    ],
)
def test_a_server_elsewhere_has_its_own_name(php: str, job: str, instance: str) -> None:
    assert used(inventory(php))[job] == instance


def test_varnish_only_where_the_server_listens_behind_it() -> None:
    assert "varnish" not in used(inventory(listens="*:80"))
    behind = inventory(listens="127.0.0.1:8080")
    assert used(behind)["varnish"] == "h1"
    assert discovered(varnish.COLLECTOR, behind) == {"h1"}


def test_what_only_php_can_tell_is_left_out() -> None:
    php = "$databases['default']['default'] = ['driver' => 'mysql', 'host' => pick_a_host(), 'database' => 'd'];"
    assert set(used(inventory(php))) == {"phpfpm"}
    assert set(used(inventory("$settings['cache']['default'] = pick();"))) == {"phpfpm"}


def test_a_pool_by_a_path_that_is_spelled_otherwise_and_over_tcp() -> None:
    assert used(inventory(fastcgi="unix:/var/run/php/shop.sock"))["phpfpm"] == "h1:/run/php/shop.sock"
    tcp = inventory(fastcgi="127.0.0.1:9000", pools=(Pool("shop", "127.0.0.1:9000"),))
    assert {used(tcp)["phpfpm"]} == discovered(phpfpm.COLLECTOR, tcp) == {"h1:9000"}


def test_that_says_nothing_of_whether_logs_can_be_read() -> None:
    (part,) = COLLECTOR.parts
    assert part.beside
