"""A history of another server that is slow, hangs or is away."""

import socket
import threading
from pathlib import Path

import pytest

from history.address import Address
from history.model import QueryError, Scalar
from history.remote import Remote
from tests.lab.prometheus import Prometheus

pytestmark = pytest.mark.servers


def test_an_answer_that_trickles_in_is_not_waited_for() -> None:
    over = threading.Event()

    def trickle(listening: socket.socket) -> None:
        with listening.accept()[0] as connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,))
        thread.start()
        with pytest.raises(QueryError, match=r"did not answer in 0\.3 s"):
            Remote(Address(f"http://127.0.0.1:{listening.getsockname()[1]}"), 0.3).query("up", 1.0)
        over.set()
        thread.join()


def test_a_server_that_is_away_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(QueryError, match=f"history at http://127.0.0.1:{port} cannot be reached") as caught:
        Remote(Address(f"http://us:secret@127.0.0.1:{port}")).query("up", 1.0)
    assert caught.value.kind == "unavailable"
    assert "secret" not in str(caught.value)


def test_a_server_that_hangs_is_not_waited_for() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with pytest.raises(QueryError, match=r"did not answer in 0\.2 s") as caught:
            Remote(Address(f"http://127.0.0.1:{deaf.getsockname()[1]}"), 0.2).query("up", 1.0)
        assert caught.value.kind == "timeout"


def test_a_server_that_hangs_is_left_alone_for_a_while() -> None:
    now = [100.0]
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setblocking(False)
        source = Remote(Address(f"http://127.0.0.1:{deaf.getsockname()[1]}"), 0.2, lambda: now[0])
        for seconds_later, words in (
            (0.0, "did not answer in"),
            (9.0, "asked again in 1 s"),
            (1.5, "did not answer in"),
        ):
            now[0] += seconds_later
            with pytest.raises(QueryError, match=words):
                source.query("up", 1.0)
        asked = [deaf.accept()[0] for _ in range(2)]
        with pytest.raises(BlockingIOError):
            deaf.accept()
        for connection in asked:
            assert b"timeout=0.180" in connection.recv(10_000)
            connection.close()


def test_a_slow_question_ends_at_the_server_and_the_next_is_asked_at_once(tmp_path: Path) -> None:
    with Prometheus(tmp_path / "one", options=["--query.max-samples=500000000"]) as running:
        source = Remote(Address(running.url), 5.0)  # a tenth of it is what the server has to say so
        with pytest.raises(QueryError, match="timed out") as caught:
            source.query(" + ".join(["count_over_time(vector(1)[500000s:1s])"] * 500), 1.0)
        assert caught.value.kind == "timeout"
        assert source.query("1", 1.0) == Scalar(1.0, 1.0)
        source.close()
