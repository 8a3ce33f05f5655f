"""Where discovery looks for databases and caches, and what it says when they let us not in."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors import registry
from collectors.inventory import Inventory, Listener
from collectors.model import Proposal
from collectors.mysql.config import Mysql
from collectors.mysql.defaults import client_options
from collectors.postgres.config import Postgres
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


def test_a_clients_option_file_is_tried_last_and_none_of_it_is_copied() -> None:
    inventory = Inventory(
        "h", listeners=(mysql(path="/m.sock"),), environment={"USER": "ada"}, client_files=("/d.cnf",)
    )
    *_, last = registry.collector("mysql").discover(inventory)
    assert last.config == Mysql(socket="/m.sock", defaults_file=Path("/d.cnf"))
    assert len({each.found for each in registry.collector("mysql").discover(inventory)}) == 1


def test_what_each_right_allows_is_told() -> None:
    (found, _) = proposals("mysql", mysql(path="/m.sock"))
    for grant in ("PROCESS, BINLOG MONITOR, SLAVE MONITOR, SHOW VIEW ON *.*", "PROCESS, REPLICATION CLIENT, SHOW VIEW",
                  "SELECT ON performance_schema.*"):  # fmt: skip
        assert f"GRANT {grant}" in found.remedy


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("[client]\nuser = a\npassword=b c # said\n", {"user": "a", "password": "b c"}),
        ("[client]\npassword = 'it#s\\\\'\n#user=x\n", {"password": "it#s\\"}),
        ('[client]\npassword = "a\\sb"\nuser="q"', {"password": "a b", "user": "q"}),
        ("[mysqld]\nuser = mysql\n[client]\nssl-ca = /c\nskip_ssl\n!include /x", {"ssl-ca": "/c", "skip-ssl": ""}),
        ("user = early\n[client-server]\nuser = other\n", {}),
        ("[client]\npassword=\n", {"password": ""}),
        ("", {}),
    ],
)
def test_what_an_option_file_says_to_clients(text: str, options: dict[str, str]) -> None:
    assert client_options(text) == options


@given(st.text(alphabet="[client]\n user=password'\"#!\\"))
def test_any_option_file_is_survived(text: str) -> None:
    assert all(isinstance(value, str) for value in client_options(text).values())


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


def postgres(pid: int = 7, process: str = "postgres", **where: Any) -> Listener:
    return Listener(process, pid, **where)


SOCKET = "/var/run/postgresql/.s.PGSQL.5432"


@pytest.mark.parametrize(
    ("listeners", "where"),
    [
        ((postgres(address="127.0.0.1", port=5432), postgres(path=SOCKET)), {"socket": SOCKET}),
        ((postgres(path="/tmp/.s.PGSQL.5432"), postgres(path=SOCKET)), {"socket": "/tmp/.s.PGSQL.5432"}),
        ((postgres(address="::1", port=5433), postgres(address="127.0.0.1", port=5433)), {"port": 5433}),
        ((postgres(address="::", port=5432),), {}),
        ((postgres(address="10.0.0.5", port=5432),), {"address": "10.0.0.5"}),
    ],
)
def test_a_postgresql_server_is_asked_once_as_us_and_as_raingauge(
    listeners: tuple[Listener, ...], where: dict[str, Any]
) -> None:
    found = proposals("postgres", *listeners)
    assert [each.config for each in found] == [Postgres(user="ada", **where), Postgres(user="raingauge", **where)]


def test_clusters_are_told_apart_by_process_or_else_by_port() -> None:
    other = "/var/run/postgresql/.s.PGSQL.5433"
    for second in (postgres(7, path=other), postgres(8, path="/srv/.s.PGSQL.5432"), postgres(8, path=other)):
        found = proposals("postgres", postgres(7, path=SOCKET), second, postgres(7, address="127.0.0.1", port=5432))
        assert [each.found for each in found[::2]] == [
            f"postgres (pid 7) listens on {SOCKET}",
            f"postgres (pid {second.pid}) listens on {second.path}",
        ]


def test_what_is_no_postgresql_socket_is_left_alone() -> None:
    assert proposals("postgres", postgres(process="pgbouncer", path=SOCKET), postgres(path="/run/other.sock")) == []


def test_how_a_postgresql_server_lets_us_in_is_told() -> None:
    remedy = proposals("postgres", postgres(path=SOCKET))[0].remedy
    assert remedy.startswith(
        "psql -h /var/run/postgresql -p 5432 -d postgres -c 'CREATE ROLE raingauge LOGIN' "
        "-c 'GRANT pg_monitor TO raingauge'\n"
    )
    assert "`local all all peer`" in remedy
    assert f"targets: {{postgres: [{{socket: {SOCKET}, database: NAME}}]}}" in remedy
    remedy = proposals("postgres", postgres(address="127.0.0.1", port=5433))[0].remedy
    assert "-h 127.0.0.1 -p 5433" in remedy
    assert "`host all raingauge 127.0.0.1/32 scram-sha-256`" in remedy
    assert "address: '127.0.0.1', port: 5433, database: NAME" in remedy


@pytest.mark.parametrize("path", ["5432", "/run/postgresql", ".s.PGSQL.5432", "/run/.s.PGSQL.5432.lock"])
def test_a_path_that_is_no_postgresql_socket_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match=r"\.s\.PGSQL\.5432"):
        Postgres(socket=path)
