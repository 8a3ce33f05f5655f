"""What listens where a pool should be, and is none, or none that we know."""

import socket
import threading
from typing import Any

import pytest

from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.phpfpm import asking, opcache, status
from collectors.phpfpm.config import Phpfpm
from collectors.sources.fastcgi import END_REQUEST, STDERR, STDOUT, encode
from collectors.sources.sockets import NoAnswer
from tests.collectors.answering import answering

PARTS = pytest.mark.parametrize("part", [status, opcache], ids=["status", "opcache"])
END = encode(END_REQUEST, bytes(8))


def outcome(part: Any, answer: bytes) -> CollectError:
    with answering(answer, before=False) as port:
        config = Phpfpm(address=f"127.0.0.1:{port}", opcache_probe="/srv/probe.php", timeout=5)
        with pytest.raises(CollectError) as refused:
            list(part.parse(part.read(config)))
    return refused.value


def said(text: str) -> bytes:
    return encode(STDOUT, text.encode()) + END


@PARTS
@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"", Denied), (b"HTTP/1.1 400 Bad Request\r\n\r\n", ParseError), (bytes(100), ParseError),
     (said("Content-type: text/html\r\n\r\n")[:20], Denied), (said("X: y\r\n\r\n{"), ParseError),
     (said("X: y\r\n\r\n[[]]"), ParseError), (said("X: y\r\n\r\n\xff\0NaN"), ParseError), (said("NaN"), ParseError),
     (said("Status: 404 Not Found\r\n\r\nFile not found."), Unsupported)],
)  # fmt: skip
def test_bad_answers(part: Any, answer: bytes, error: type[CollectError]) -> None:
    found = outcome(part, answer)
    assert type(found) is error
    assert len(str(found)) < 300


@PARTS
@pytest.mark.parametrize("kind", [STDOUT, STDERR])
def test_an_answer_without_end_is_cut_off(part: Any, kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_BYTES", 300_000)
    found = outcome(part, encode(kind, bytes(1_000_000)))
    assert isinstance(found, ParseError)
    assert "less than 300000 bytes" in str(found)


@PARTS
def test_one_byte_at_a_time_does_not_take_longer_than_allowed(part: Any) -> None:
    stop = threading.Event()

    def drip() -> None:
        client, _ = server.accept()
        with client:
            client.recv(1000)
            while not stop.wait(0.02):
                client.sendall(b"\x01")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        config = Phpfpm(address=f"127.0.0.1:{server.getsockname()[1]}", opcache_probe="/srv/probe.php", timeout=0.3)
        with pytest.raises((NoAnswer, ParseError)):
            part.read(config)
        stop.set()
        thread.join(60)


@PARTS
def test_nobody_listens(part: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match="Connection refused"):
        part.read(Phpfpm(address=f"127.0.0.1:{port}", opcache_probe="/srv/probe.php"))
