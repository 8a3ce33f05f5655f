"""Clients that are slow, rude or gone, and reads that hang: whoever scrapes is served all the same."""

import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from agent.exporter import Exporter, Handler
from agent.pages import Pages
from tests.agent.fakes import Hanging, Script, part, running, watch
from tests.agent.test_exporter import Client, filled, serving
from tests.lab.ports import wait_until


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    with serving(filled(Pages(), pools=50_000)) as exporter:  # more than fits into the buffers of a socket
        yield exporter


def opened(exporter: Exporter) -> socket.socket:
    at = urlsplit(exporter.url)
    return socket.create_connection((at.hostname, at.port or 0), timeout=60)


def asked(exporter: Exporter, *texts: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    with opened(exporter) as connection:
        for text in texts:
            connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_clients_that_send_slowly_or_read_nothing_hold_up_no_other(exporter: Exporter) -> None:
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(opened(exporter)).sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            stack.enter_context(opened(exporter)).sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            stack.enter_context(opened(exporter))
        client = Client(exporter)
        assert [client.ask(path)[0] for path in ("/metrics", "/-/healthy", "/sd")] == [200, 200, 200]
        client.connection.close()


def closed(connection: socket.socket) -> bool:
    """The server has closed it; waits for that, and reads what came before."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


def test_a_scraper_is_kept_for_longer_than_who_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "patience", 0.2)
    with serving(filled(Pages()), authorised=lambda header: header == "yes") as exporter, ExitStack() as stack:
        client = Client(exporter)
        assert client.ask("/metrics", Authorization="yes")[0] == 200
        scraper = client.connection.sock.getsockname()
        silent, healthy = (stack.enter_context(opened(exporter)) for _ in range(2))
        healthy.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" in healthy.recv(4096)
        assert closed(silent)
        assert closed(healthy)
        assert client.ask("/metrics", Authorization="yes")[0] == 200
        assert client.connection.sock.getsockname() == scraper
        client.connection.close()


def test_connections_are_bounded_and_who_is_served_stays_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.exporter.MOST_CONNECTIONS", 5)
    with serving(filled(Pages())) as exporter, ExitStack() as stack:
        client = Client(exporter)
        assert client.ask("/metrics")[0] == 200
        silent = [stack.enter_context(opened(exporter)) for _ in range(4)]
        assert closed(stack.enter_context(opened(exporter)))
        assert client.ask("/metrics")[0] == 200
        silent.pop().close()
        wait_until(lambda: answered(exporter), 5, "the place of one that left is free")
        client.connection.close()


def answered(exporter: Exporter) -> bool:
    try:
        return asked(exporter, b"GET /-/healthy HTTP/1.0\r\n\r\n").endswith(b"healthy\n")
    except OSError:
        return False


def test_it_ends_at_once_with_connections_open() -> None:
    with serving(filled(Pages())) as exporter, opened(exporter):
        assert answered(exporter)
        exporter.stop()
        assert not exporter._thread.is_alive()
        assert not answered(exporter)


def test_pages_are_served_while_a_read_hangs() -> None:
    hanging = Hanging()
    stuck = watch(part(Script([2.0, hanging])), name="stuck")
    with running(watch(part(Script([1.0])), name="quick"), stuck) as run, serving(run.runner.pages) as exporter:
        run.tick()
        thread = threading.Thread(target=run.tick)
        thread.start()
        assert hanging.entered.wait(60)
        client = Client(exporter)
        status, _, body = client.ask("/metrics")
        assert status == 200
        assert {float(value) for value in re.findall(rb"fake_value\{.* (\S+)\n", body)} == {1, 2}
        assert client.ask("/metrics/fake/web_stuck")[0] == 200
        assert thread.is_alive()  # all that while the tick is still open
        client.connection.close()
        hanging.let_go()
        thread.join(60)


def test_requests_that_are_sent_ahead_are_answered_in_order(exporter: Exporter) -> None:
    found = asked(exporter, b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d+)", found) == [b"200", b"404"]


@pytest.mark.parametrize("length", [b"Content-Length: 40", b"Transfer-Encoding: chunked"])
def test_a_body_never_passes_for_a_request(exporter: Exporter, length: bytes) -> None:
    inner = b"GET /sd HTTP/1.1\r\nHost: a\r\n\r\n"
    found = asked(exporter, b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n\r\n" + inner)
    assert found.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "text", [b"\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_refused_and_the_next_client_served(exporter: Exporter, text: bytes) -> None:
    found = asked(exporter, text)
    assert found == b"" or re.match(rb"(HTTP/1\.1 (400|505) |<!DOCTYPE)", found)
    assert asked(exporter, b"GET /-/healthy HTTP/1.0\r\n\r\n").endswith(b"healthy\n")


def test_a_client_that_goes_away_is_no_error_but_our_bug_is(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Pages):
        def target_page(self, job: str, slug: str) -> None:
            raise KeyError(job)

    with serving(filled(Broken(), pools=50_000)) as exporter, caplog.at_level(logging.INFO, "raingauge"):
        gone = opened(exporter)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset instead of a good bye
        gone.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        gone.recv(10)
        gone.close()
        assert asked(exporter, b"GET /metrics/node/web1 HTTP/1.1\r\nHost: a\r\n\r\n") == b""
        wait_until(lambda: len(caplog.records) == 1, 5, "the bug is logged, and nothing else")
    assert caplog.records[0].exc_info
