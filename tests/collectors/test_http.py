"""One GET of a status page: what each odd answer counts as."""

import http.client
import ssl

import pytest

from collectors.errors import CollectError
from collectors.sources.http import _connection, http_get
from tests.collectors.answering import answering
from tests.lab.ports import free_port

BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("path", ["/status", "/status?auto", "", "/\u00fcber uns", "/?a=b c"])
def test_a_page_whatever_its_path(path: str) -> None:
    with answering(BODY, before=False) as port:
        assert http_get(f"http://127.0.0.1:{port}{path}", 2) == "hello"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "denied"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "denied"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "unsupported"),
        (b"HTTP/1.1 301 Elsewhere\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "unsupported"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "parse"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "parse"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "parse"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "parse"),
    ],
)
def test_what_each_answer_counts_as(text: bytes, reason: str) -> None:
    with answering(text, before=False) as port, pytest.raises(CollectError) as raised:
        http_get(f"http://127.0.0.1:{port}/status", 2)
    assert raised.value.reason == reason
    assert f"GET http://127.0.0.1:{port}/status: " in str(raised.value)


def test_nobody_there() -> None:
    with pytest.raises(CollectError) as raised:
        http_get(f"http://127.0.0.1:{free_port()}/", 2)
    assert raised.value.reason == "unreachable"


def test_no_error_repeats_an_account_or_a_query() -> None:
    with pytest.raises(CollectError) as raised:
        http_get(f"http://ada:hunter2@127.0.0.1:{free_port()}/a?key=hunter2", 2)
    assert "hunter2" not in str(raised.value)
    with pytest.raises(CollectError) as raised:
        http_get("ftp://ada:hunter2@127.0.0.1/", 2)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "secret", "mode"),
    [
        ("127.0.0.1", True, ssl.CERT_NONE),
        ("localhost", True, ssl.CERT_NONE),
        ("web.example", False, ssl.CERT_NONE),
        ("web.example", True, ssl.CERT_REQUIRED),
    ],
)
def test_a_password_goes_to_no_stranger_elsewhere(name: str, secret: bool, mode: ssl.VerifyMode) -> None:
    connection = _connection("https", name, 443, 1, secret)
    assert isinstance(connection, http.client.HTTPSConnection)
    assert vars(connection)["_context"].verify_mode == mode
