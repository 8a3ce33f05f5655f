"""HTTP checks that end in time whatever a site does, and addresses that are not plain ASCII."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors.inventory import Inventory
from collectors.inventory.nginx_conf import nginx_vhosts
from collectors.probe import read
from collectors.probe.config import Probe
from collectors.probe.discovery import discover
from collectors.probe.families import parse
from collectors.probe.hop import Hop


def check(url: str, **settings: Any) -> dict[str, float]:
    samples = parse(read(Probe(url=url, **settings)))
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in samples}


Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
Answer = Callable[[socket.socket, bytes, threading.Event], None]


@contextlib.contextmanager
def serving(answer: Answer, address: str = "127.0.0.1") -> Iterator[int]:
    """Hands each client, with what it asked, to `answer`; the event is set when the test is over. Gives the port."""
    over = threading.Event()

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:  # the test is over
                return
            with client, contextlib.suppress(OSError):
                answer(client, client.recv(4000), over)

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(60)


def once(text: bytes) -> Answer:
    return lambda client, _asked, _over: client.sendall(text)


def slowly(head: bytes, drop: bytes) -> Answer:
    """A byte now and then, each soon enough for a limit on one wait."""

    def answer(client: socket.socket, _asked: bytes, over: threading.Event) -> None:
        client.sendall(head)
        while not over.wait(0.02):
            client.sendall(drop)

    return answer


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"y"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_that_drips_ends_with_the_checks_own_time(head: bytes, drop: bytes) -> None:
    with serving(slowly(head, drop)) as port:
        found = check(f"http://127.0.0.1:{port}/", timeout=0.3)
    assert found["probe_success"] == 0
    assert 0.3 <= found["probe_duration_seconds"] < 5


def test_a_name_server_that_is_silent_fails_the_check_and_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def silent(*_arguments: object, **_named: object) -> None:
        over.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    try:
        found = check("http://shop.example/", timeout=0.2)
    finally:
        over.set()
    assert (found["probe_success"], found["probe_http_status_code"]) == (0, 0)
    assert found["probe_dns_lookup_time_seconds"] >= 0.2


def test_a_name_that_nobody_has_fails_the_check() -> None:
    assert check("http://nobody.invalid/")["probe_success"] == 0


def test_redirects_without_end_are_a_failure() -> None:
    with serving(once(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")) as port:
        for height in ("local", "public"):
            found = check(f"http://127.0.0.1:{port}/", height=height)
            assert (found["probe_success"], found["probe_http_redirects"]) == (0, 10)


def test_a_redirect_that_is_expected_is_the_answer() -> None:
    with serving(once(b"HTTP/1.1 301 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")) as port:
        found = check(f"http://127.0.0.1:{port}/", expect_status=(301,))
    assert (found["probe_success"], found["probe_http_redirects"]) == (1, 0)


@pytest.mark.parametrize("date", ["Mon, 21 Sep 2026 14:13:20 +99999999999999", "21 Sep 99999999999999999999 1:1:1 GMT"])
def test_a_date_that_is_none_is_left_out(date: str) -> None:
    with serving(once(f"HTTP/1.1 200 OK\r\nLast-Modified: {date}\r\nContent-Length: 0\r\n\r\n".encode())) as port:
        found = check(f"http://127.0.0.1:{port}/")
    assert found["probe_success"] == 1
    assert "probe_http_last_modified_timestamp_seconds" not in found


def test_what_is_no_tls_is_not_told_to_be() -> None:
    with serving(once(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        found = check(f"https://127.0.0.1:{port}/", verify_tls=False)
    assert (found["probe_success"], found["probe_http_ssl"]) == (0, 0)


def test_ipv6() -> None:
    try:
        with serving(once(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "::1") as port:
            found = check(f"http://[::1]:{port}/")
    except OSError:
        pytest.skip("this host has no IPv6")
    assert (found["probe_success"], found["probe_ip_protocol"]) == (1, 6)


def test_letters_beyond_ascii_are_sent_as_browsers_send_them() -> None:
    asked: list[bytes] = []

    def answer(client: socket.socket, request: bytes, _over: threading.Event) -> None:
        asked.append(request)
        moved = "HTTP/1.1 302 Found\r\nLocation: /caf\xe9 au lait?\u00fc#x\r\nContent-Length: 0\r\n\r\n".encode()
        client.sendall(moved if len(asked) == 1 else b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(answer) as port:
        found = check(f"http://127.0.0.1:{port}/\u00fcber uns", host_header="b\u00fccher.example")
    assert found["probe_success"] == 1
    lines = [request.split(b"\r\n")[0] for request in asked]
    assert lines == [b"GET /%C3%BCber%20uns HTTP/1.1", b"GET /caf%C3%A9%20au%20lait?%C3%BC HTTP/1.1"]
    assert [b"Host: xn--bcher-kva.example:" in request for request in asked] == [True, True]


@given(st.text(), st.sampled_from(["", "shop.example", "b\u00fccher.example"]))
def test_what_is_sent_is_one_line_of_ascii(location: str, name: str) -> None:
    try:
        onward = Hop(urlsplit("http://127.0.0.1:8080/a/b"), name).onward(location)
        sent = onward.path + onward.host
    except ValueError:
        return
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent


def test_a_name_with_capitals_is_the_same_site() -> None:
    hop = Hop(urlsplit("http://127.0.0.1/"), "Shop.Example")
    assert hop.onward("http://shop.example/x").same_server(hop)


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("listen 80; listen 443 ssl;", "https://127.0.0.1:443/"),
        ("listen 8080; listen 10.0.0.5:8443 ssl http2;", "https://10.0.0.5:8443/"),
        ("listen 8443 ssl; listen 8080;", "https://127.0.0.1:8443/"),
        ("listen 8443; ssl on;", "https://127.0.0.1:8443/"),
        ("listen 443;", "http://127.0.0.1:443/"),
        ("", "http://127.0.0.1:80/"),
    ],
)
def test_a_site_is_asked_over_tls_where_it_speaks_it(server: str, url: str) -> None:
    text = f"http {{ server {{ {server} server_name shop.example; root /srv; }} }}"
    (proposal,) = discover(Inventory("h", vhosts=nginx_vhosts({"/n.conf": text}, "/n.conf")))
    assert isinstance(proposal.config, Probe)
    assert proposal.config.url == url


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "http://shop.example:99999/"}, "expected an http:// or https:// address"),
        ({"url": "http://a:b:c/"}, "expected an http:// or https:// address"),
        ({"url": "ftp://shop.example/"}, "expected an http:// or https:// address"),
        ({"host_header": "shop.example:8080"}, "expected a name such as shop.example, without port or path"),
        ({"host_header": "http://shop.example/"}, "expected a name such as shop.example, without port or path"),
        ({"host_header": "shop.example\r\nX: y"}, "expected a name such as shop.example, without port or path"),
        ({"expect_status": [20]}, "greater than or equal to 100"),
    ],
)
def test_settings_that_could_never_work_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Probe(**settings)


def signed(days: int, name: str, by: Signed | None = None) -> Signed:
    """A certificate that ends in so many days, made by another or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    end = datetime.now(UTC) + timedelta(days=days)
    issuer, issuer_key = (by[0].subject, by[1]) if by else (subject, key)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(end - timedelta(days=400)).not_valid_after(end)
    return builder.sign(issuer_key, hashes.SHA256()), key


def test_the_first_end_of_all_certificates_that_a_server_sends_is_told(tmp_path: Path) -> None:
    above = signed(30, "above")
    certificate, key = signed(300, "shop.example", above)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = [each.public_bytes(Encoding.PEM) for each in (certificate, above[0])]
    (tmp_path / "chain.pem").write_bytes(b"".join([*chain, plain]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")

    def answer(client: socket.socket, asked: bytes, _over: threading.Event) -> None:
        """The greeting was read already: the handshake goes over memory."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(asked)
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        client.sendall(outgoing.read())
        client.recv(4000)

    with serving(answer) as port:
        found = check(f"https://127.0.0.1:{port}/", verify_tls=False, timeout=2)
    assert found["probe_ssl_earliest_cert_expiry"] == above[0].not_valid_after_utc.timestamp()
