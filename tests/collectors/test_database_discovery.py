"""Where discovery looks for databases and caches, and what it says when they let us not in."""

from typing import Any

import pytest

from collectors import registry
from collectors.inventory import Inventory, Listener
from collectors.model import Proposal
from collectors.mysql.config import Mysql
from collectors.redis.session import Redis


def proposals(name: str, *listeners: Listener) -> list[Proposal]:
    inventory = Inventory("h", listeners=listeners, environment={"USER": "ada"})
    return list(registry.collector(name).discover(inventory))


def mysql(pid: int = 7, process: str = "mariadbd", **where: Any) -> Listener:
    return Listener(process, pid, **where)


@pytest.mark.parametrize(
    ("listeners", "where"),
    [
        ((mysql(address="127.0.0.1", port=3306), mysql(path="/run/m/mysqld.sock")), {"socket": "/run/m/mysqld.sock"}),
        ((mysql(address="127.0.0.1", port=3307),), {"port": 3307}),
        ((mysql(address="::", port=3306),), {"port": 3306}),
        ((mysql(address="10.0.0.5", port=3306),), {"address": "10.0.0.5", "port": 3306}),
        ((mysql(address="::", port=33060), mysql(address="::", port=3306)), {"port": 3306}),
        ((mysql(path="/run/mysqlx.sock"), mysql(path="/run/mysqld.sock")), {"socket": "/run/mysqld.sock"}),
        ((mysql(path="/srv/mysqlx.sock"), mysql(address="::1", port=3306)), {"address": "::1", "port": 3306}),
    ],
)
def test_a_mysql_server_is_asked_once_as_us_and_as_raingauge(
    listeners: tuple[Listener, ...], where: dict[str, Any]
) -> None:
    found = proposals("mysql", *listeners)
    assert [each.config for each in found] == [Mysql(user="ada", **where), Mysql(user="raingauge", **where)]


def test_two_mysql_servers_are_two() -> None:
    found = proposals("mysql", mysql(7, path="/a.sock"), mysql(8, "mysqld", path="/b.sock"), mysql(9, "x", path="/c"))
    assert [each.found for each in found[::2]] == [
        "mariadbd (pid 7) listens on /a.sock", "mysqld (pid 8) listens on /b.sock",
    ]  # fmt: skip
    assert "targets: {mysql: [{socket: /a.sock, user: raingauge," in found[0].remedy


def redis(pid: int = 7, process: str = "redis-server", **where: Any) -> Listener:
    return Listener(process, pid, **where)


@pytest.mark.parametrize(
    ("listeners", "config"),
    [
        ((redis(path="/run/r.sock"), redis(address="::1", port=6379), redis(address="127.0.0.1", port=6379)), Redis()),
        ((redis(process="valkey-server", address="::", port=6380),), Redis(port=6380)),
        ((redis(address="10.0.0.5", port=6379),), Redis(address="10.0.0.5")),
        ((redis(path="/run/r.sock"),), Redis(socket="/run/r.sock")),
    ],
)
def test_a_redis_server_is_asked_once(listeners: tuple[Listener, ...], config: Redis) -> None:
    (found,) = proposals("redis", *listeners)
    assert found.config == config
    assert "ACL SETUSER raingauge on >PASSWORD -@all +ping +info +config|get\n" in found.remedy


def test_a_shut_socket_of_redis_is_opened_by_its_group() -> None:
    (found,) = proposals("redis", redis(path="/run/r.sock"))
    assert found.remedy.startswith("usermod --append --groups redis raingauge\n")
    assert "targets: {redis: [{socket: /run/r.sock, user: raingauge," in found.remedy
    (found,) = proposals("redis", redis(address="127.0.0.1", port=6379))
    assert "usermod" not in found.remedy
    assert "targets: {redis: [{address: '127.0.0.1', port: 6379, user: raingauge," in found.remedy
