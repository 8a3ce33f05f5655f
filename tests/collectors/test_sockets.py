"""Listening sockets that the test opens itself: what the kernel says of them."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.errors import Denied, Unreachable
from collectors.inventory import Process
from collectors.sources.processes import processes
from collectors.sources.sockets import NoAnswer, Queue, accept_queue, connect, listeners, queue


@pytest.fixture
def unix_listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "a.sock"))
        server.listen(2)
        yield server


def address_of(server: socket.socket) -> str:
    name = server.getsockname()
    return f"unix:{name}" if isinstance(name, str) else f"127.0.0.1:{name[1]}"


def test_a_unix_queue_fills_and_is_served(unix_listener: socket.socket) -> None:
    address = address_of(unix_listener)
    assert queue(address) == Queue(0, 2, 0)
    clients = [connect(address, 1) for _ in range(3)]  # one more than the backlog: that is how the kernel counts
    assert accept_queue(address) == (3, 2)
    with pytest.raises(NoAnswer, match="queue is full"):
        connect(address, 0.05)
    accepted, _ = unix_listener.accept()
    assert queue(address) == Queue(2, 2, 1)
    accepted.close()
    assert queue(address) == Queue(2, 2, 0)
    for client in clients:
        client.close()


def test_the_queue_is_found_under_another_spelling_of_the_path(unix_listener: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert accept_queue(f"unix:{tmp_path}/link/a.sock") == (0, 2)


def test_a_server_that_was_replaced_is_not_taken_for_the_new_one(unix_listener: socket.socket) -> None:
    path = unix_listener.getsockname()
    Path(path).unlink()
    with socket.socket(socket.AF_UNIX) as new:
        new.bind(path)
        new.listen(7)
        assert accept_queue(f"unix:{path}") == (0, 7)


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::")]
)
def test_a_tcp_queue_fills_and_is_served(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as server:
        server.bind((host, 0))
        server.listen(5)
        address = address_of(server)
        clients = [connect(address, 1) for _ in range(3)]
        assert queue(address) == Queue(3, 5, 0)
        accepted, _ = server.accept()
        assert queue(address) == Queue(2, 5, 1)
        clients.pop(0).close()
        assert queue(address) == Queue(2, 5, 1)  # the server has not yet closed its end
        accepted.close()
        for client in clients:
            client.close()


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="refused"):
            connect(address_of(bound), 1)
        assert queue(address_of(bound)) is None
    with pytest.raises(Unreachable, match="No such file"):
        connect(f"unix:{tmp_path}/none.sock", 1)
    assert queue(f"unix:{tmp_path}/none.sock") is None


def test_a_socket_left_behind_by_a_dead_server(unix_listener: socket.socket) -> None:
    address = address_of(unix_listener)
    unix_listener.close()
    with pytest.raises(Unreachable, match="refused") as raised:
        connect(address, 1)
    assert not isinstance(raised.value, NoAnswer)
    assert queue(address) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
def test_no_right_to_the_socket(unix_listener: socket.socket) -> None:
    Path(unix_listener.getsockname()).chmod(0)
    with pytest.raises(Denied, match="permission denied"):
        connect(address_of(unix_listener), 1)


def test_listeners_are_ours_by_inode(unix_listener: socket.socket) -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_INET6) as tcp6, socket.socket() as silent:
        for server, host in ((tcp, "127.0.0.1"), (tcp6, "::1")):
            server.bind((host, 0))
            server.listen()
        silent.bind(("127.0.0.1", 0))  # bound, but does not listen
        ours = {at for at in listeners(processes()) if at.pid == os.getpid()}
        assert {(at.address, at.port) for at in ours if at.port} == {
            ("127.0.0.1", tcp.getsockname()[1]),
            ("::1", tcp6.getsockname()[1]),
        }
        assert {at.path for at in ours if at.path} == {unix_listener.getsockname()}


TABLE = "sl local rem st\n0: 0100007F:{port:04X} 00000000:0000 0A 0:0 0:0 0 0 0 {inode} 1\n"


def proc_of_others(directory: Path, port: int) -> Path:
    """A /proc whose processes we may not look into."""
    (directory / "net").mkdir()
    (directory / "net/tcp").write_text(TABLE.format(port=port, inode=41))
    (directory / "net/unix").write_text(
        "Num RefCount Protocol Flags Type St Inode Path\n"
        "0: 00000002 00000000 00010000 0001 01 42 /run/php/php8.2-fpm.sock\n"
        "0: 00000002 00000000 00010000 0001 01 43 @abstract\n"
        "0: 00000003 00000000 00000000 0001 03 44 /run/connected.sock\n"
    )
    return directory


def test_without_rights_the_title_or_the_known_port_tells(tmp_path: Path) -> None:
    master = Process(5, "php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "root", 1)
    cache = Process(6, "redis-server", "/usr/bin/redis-server 127.0.0.1:6390", "redis", 1)
    found = listeners([master, cache], proc_of_others(tmp_path, 6390))
    assert [(at.process, at.pid, at.port, at.path) for at in found] == [
        ("redis-server", 6, 6390, ""),
        ("php-fpm8.2", 5, 0, "/run/php/php8.2-fpm.sock"),
    ]


def test_without_rights_a_socket_of_postgresql_is_known_by_its_name(tmp_path: Path) -> None:
    cluster = Process(
        7, "postgres", "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main", "postgres", 1
    )
    proc = proc_of_others(tmp_path, 5432)
    with (proc / "net/unix").open("a") as table:
        table.write("0: 00000002 00000000 00010000 0001 01 45 /run/postgresql/.s.PGSQL.5433\n")
    found = {(at.process, at.pid, at.port, at.path) for at in listeners([cluster], proc) if at.pid}
    assert found == {("postgres", 7, 5432, ""), ("postgres", 7, 0, "/run/postgresql/.s.PGSQL.5433")}


def test_without_any_hint_the_process_stays_unknown(tmp_path: Path) -> None:
    stranger = Process(9, "thing", "/usr/bin/thing --to db:3306", "root", 1)
    found = listeners([stranger], proc_of_others(tmp_path, 3306))
    assert {(at.process, at.pid) for at in found} == {("", 0)}


def test_of_several_holders_the_topmost_is_named(tmp_path: Path) -> None:
    family = [Process(1, "systemd", "/sbin/init", "root", 0), Process(30, "nginx", "nginx: master process", "root", 1),
              Process(31, "nginx", "nginx: worker process", "www-data", 30)]  # fmt: skip
    proc = proc_of_others(tmp_path, 8088)
    for process in family:
        (proc / str(process.pid) / "fd").mkdir(parents=True)
        (proc / str(process.pid) / "fd/5").symlink_to("socket:[41]")
    assert [at.pid for at in listeners(reversed(family), proc) if at.port] == [30]
