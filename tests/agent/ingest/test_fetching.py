"""A page is taken wholly or not at all, and no target can hold up its scrape or end its thread."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.ingest.discovery import DiscoveryError, HttpDiscovery, from_files, from_http
from agent.ingest.discovery import FileDiscovery as Files
from agent.ingest.fetching import ScrapeError, fetch
from agent.ingest.scrape_config import ScrapeConfig
from agent.ingest.scraping import Loop, targets
from collectors.model import Sample, Target

PAGE = b"load 1\nmemory 12345\n"
OPENMETRICS = b"Content-Type: application/openmetrics-text; version=1.0.0\r\n"


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """host:port of a server that answers one request so."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(20)
        assert not thread.is_alive()


def sends(*headers: bytes, body: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"".join(headers) + b"\r\n" + body)


def config(address: str, **more: Any) -> ScrapeConfig:
    return ScrapeConfig.model_validate({"job_name": "j", "static_configs": [{"targets": [address]}], **more})


def fetched(address: str, **more: Any) -> str:
    settings = config(address, **more)
    [target] = targets(settings, [{"__address__": address}])
    return fetch(settings, target)


@pytest.mark.parametrize(
    "answer",
    [
        sends(b"Content-Length: 20\r\n", body=PAGE),
        sends(b"Connection: close\r\n", body=PAGE),
        sends(b"Transfer-Encoding: chunked\r\n", body=b"14\r\n" + PAGE + b"\r\n0\r\n\r\n"),
        sends(b"Content-Encoding: gzip\r\nConnection: close\r\n", body=gzip.compress(PAGE)),
        sends(b"Connection: close\r\n", OPENMETRICS, body=PAGE + b"# EOF\n"),
    ],
)
def test_a_whole_page(answer: Callable[[socket.socket], None]) -> None:
    with answering(answer) as address:
        assert fetched(address).startswith(PAGE.decode())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (sends(b"Content-Length: 20\r\n", body=PAGE[:-4]), "cut off: 4 bytes are missing"),
        (sends(b"Transfer-Encoding: chunked\r\n", body=b"14\r\n" + PAGE[:-4]), "IncompleteRead"),
        (sends(b"Content-Encoding: gzip\r\nConnection: close\r\n", body=gzip.compress(PAGE)[:-9]), "gzip does not end"),
        (sends(b"Connection: close\r\n", OPENMETRICS, body=PAGE), "expected # EOF at its end"),
        (sends(b"Content-Length: 1\r\n", body=b"\xff"), "codec can't decode"),
        (sends(b"Connection: close\r\n", body=PAGE * 100), "more than 1,000 bytes"),
        (sends(b"Content-Encoding: gzip\r\nConnection: close\r\n", body=gzip.compress(PAGE * 100)), "more than 1,000"),
    ],
)
def test_a_page_that_was_cut_off_or_is_too_long_is_none(answer: Callable[[socket.socket], None], words: str) -> None:
    with answering(answer) as address, pytest.raises(ScrapeError, match=words):
        fetched(address, body_size_limit=1000)


def test_a_page_that_comes_byte_by_byte_is_cut_off_in_time() -> None:
    """Each byte comes within the timeout of a socket, the page never ends."""
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not ended.wait(0.05):
            try:
                connection.sendall(b"#")
            except OSError:
                return

    with answering(drip) as address:
        with pytest.raises(ScrapeError, match=r"within 0.5 s \(scrape_timeout\)"):
            fetched(address, scrape_timeout=0.5)
        ended.set()


class Kept:
    def __init__(self) -> None:
        self.ups: list[float] = []

    def append(self, _target: Target, _t: float, samples: Sequence[Sample]) -> None:
        self.ups += [sample.value for sample in samples if sample.family.name == "up"]

    def record(self, *_events: Any) -> None: ...


@pytest.mark.parametrize(
    ("address", "more"),
    [
        ("host:port", {}),
        ("127.0.0.1:1", {}),
        ("127.0.0.1:1", {"scheme": "https", "tls_config": {"ca_file": "missing.pem"}}),
        ("127.0.0.1:1", {"basic_auth": {"username": "a", "password_file": "missing"}}),
        ("127.0.0.1:1", {"metrics_path": "/a b\n"}),
    ],
)
def test_what_cannot_even_be_asked_is_down_and_its_loop_goes_on(address: str, more: dict[str, Any]) -> None:
    settings, sink = config(address, **more), Kept()
    [target] = targets(settings, [{"__address__": address}])
    loop = Loop(settings, target, sink)
    loop.scrape()
    loop.scrape()
    assert sink.ups == [0, 0]


def test_a_credential_that_is_no_header_is_down_and_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with answering(lambda _connection: None) as address:
        settings, sink = config(address, authorization={"credentials": "hidden\nthing"}), Kept()
        [target] = targets(settings, [{"__address__": address}])
        Loop(settings, target, sink).scrape()
    assert sink.ups == [0]
    assert "scrape=failed" in caplog.text
    assert "hidden" not in caplog.text


def test_a_list_of_targets_that_is_no_http_is_an_error_of_discovery() -> None:
    what = b"what?\r\n\r\n"
    with answering(lambda connection: connection.sendall(what)) as at, pytest.raises(DiscoveryError, match="what"):
        from_http(HttpDiscovery(url=f"http://{at}/"))


@pytest.mark.parametrize("text", ["{}", "null", '""', "0"])
def test_a_file_that_is_no_list_takes_no_targets_away(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DiscoveryError, match=r"t\.json: the list: "):
        from_files(Files(files=(f"{tmp_path}/*.json",)))
