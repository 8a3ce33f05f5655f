"""HTTP checks against servers that answer well, badly, late or not at all."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from collectors.probe import COLLECTOR, read
from collectors.probe.config import Probe, address
from collectors.probe.discovery import accepts
from collectors.probe.families import parse
from collectors.probe.hop import Hop

PAGES: dict[str, tuple[int, dict[str, str], str]] = {
    "/": (200, {"Last-Modified": "Mon, 21 Sep 2026 14:13:20 GMT"}, "<title>Shop</title>"),
    "/gone": (404, {}, "not here"),
    "/broken": (503, {}, "maintenance"),
    "/moved": (301, {"Location": "/"}, ""),
    "/loop": (302, {"Location": "/loop"}, ""),
    "/away": (302, {"Location": "http://elsewhere.invalid/"}, ""),
    "/nonsense": (302, {"Location": "gopher://old/"}, ""),
    "/odd": (200, {"Last-Modified": "yesterday"}, ""),
    "/large": (200, {}, "x" * 1_500_000),
}


class Site(ThreadingHTTPServer):
    """Answers PAGES and keeps the Host headers; `/slow` waits until the test is over."""

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hosts: list[str] = []
        self.over = threading.Event()
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])
        path = self.path.partition("?")[0]
        if path == "/slow":
            self.server.over.wait(20)
            return
        status, headers, body = PAGES[path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def made(folder: Path, days: int) -> Path:
    """A self-made certificate with its key, which ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    end = datetime.now(UTC) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(end - timedelta(days=90)).not_valid_after(end).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "cert.pem"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + plain)
    return file


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(made(tmp_path_factory.mktemp("tls"), 60)) as site:
        yield site


def check(url: str, **settings: Any) -> dict[str, float]:
    samples = parse(read(Probe(url=url, **settings)))
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in samples}


def test_a_page_that_is_as_it_should_be(site: Site) -> None:
    found = check(f"{site.url}/")
    assert (found["probe_success"], found["probe_http_status_code"], found["probe_http_ssl"]) == (1, 200, 0)
    assert found["probe_http_content_length"] == found["probe_http_uncompressed_body_length"] == 19
    assert found["probe_http_last_modified_timestamp_seconds"] == 1_790_000_000
    assert (found["probe_ip_protocol"], found["probe_http_redirects"]) == (4, 0)
    phases = [value for name, value in found.items() if name.startswith("probe_http_duration_seconds")]
    assert 0 < sum(phases) <= found["probe_duration_seconds"]


@pytest.mark.parametrize(
    ("path", "settings", "success", "status"),
    [
        ("/gone", {}, 0, 404),
        ("/broken", {}, 0, 503),
        ("/broken", {"expect_status": (503,)}, 1, 503),
        ("/", {"expect_status": (204,)}, 0, 200),
        ("/", {"must_contain": "Shop"}, 1, 200),
        ("/", {"must_contain": "Basket"}, 0, 200),
        ("/", {"must_not_contain": "Shop"}, 0, 200),
        ("/moved", {}, 1, 200),
        ("/odd", {}, 1, 200),
        ("/large", {}, 1, 200),
        ("/away", {"height": "local"}, 1, 302),
        ("/away", {}, 0, 302),
        ("/nonsense", {}, 0, 302),
    ],
)
def test_when_it_counts_as_good(site: Site, path: str, settings: dict[str, Any], success: int, status: int) -> None:
    found = check(f"{site.url}{path}", **settings)
    assert (found["probe_success"], found["probe_http_status_code"]) == (success, status)


def test_a_loop_of_redirects_ends(site: Site) -> None:
    assert check(f"{site.url}/loop")["probe_http_redirects"] == 10


def test_text_that_is_wrong_is_told_apart(site: Site) -> None:
    assert check(f"{site.url}/", must_contain="Basket")["probe_failed_due_to_regex"] == 1
    assert check(f"{site.url}/gone")["probe_failed_due_to_regex"] == 0


def test_who_does_not_answer_in_time(site: Site) -> None:
    found = check(f"{site.url}/slow", timeout=0.2)
    assert (found["probe_success"], found["probe_http_status_code"]) == (0, 0)
    assert 0.2 <= found["probe_duration_seconds"] < 5
    assert "probe_http_version" not in found


def test_nobody_there() -> None:
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        found = check(f"http://127.0.0.1:{shut.getsockname()[1]}/")
    assert (found["probe_success"], found["probe_http_status_code"]) == (0, 0)


def answering(text: bytes) -> Callable[[], int]:
    """A server that sends these bytes whatever it is asked; gives its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server:
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(text)

    threading.Thread(target=serve, daemon=True).start()
    return lambda: int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("text", "success"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", 0),
        (b"", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\nhello", 1),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", 0),
    ],
)
def test_odd_answers(text: bytes, success: int) -> None:
    assert check(f"http://127.0.0.1:{answering(text)()}/")["probe_success"] == success


def test_tls_that_is_not_verified_tells_the_certificates_end(tls: Site) -> None:
    found = check(f"{tls.url}/", verify_tls=False)
    assert (found["probe_success"], found["probe_http_ssl"]) == (1, 1)
    assert found["probe_tls_version_info,TLS 1.3"] == 1
    text = subprocess.run(
        ["openssl", "s_client", "-connect", urlsplit(tls.url).netloc],
        input="",
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    end = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601"], input=text, capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    assert datetime.fromisoformat(end.strip().partition("=")[2]).timestamp() == found["probe_ssl_earliest_cert_expiry"]


def test_a_certificate_that_is_refused_is_told_too(tls: Site) -> None:
    found = check(f"{tls.url}/")
    assert (found["probe_success"], found["probe_http_status_code"]) == (0, 0)
    assert found["probe_ssl_earliest_cert_expiry"] > 0


def test_an_expired_certificate_tells_its_end_and_is_refused(tmp_path: Path) -> None:
    with Site(made(tmp_path, -1)) as expired:
        found = check(f"{expired.url}/")
    assert found["probe_success"] == 0
    assert 0 < found["probe_ssl_earliest_cert_expiry"] < time.time()


def test_a_site_behind_an_address_is_asked_for_by_its_name(site: Site) -> None:
    port = urlsplit(site.url).port
    found = check(f"{site.url}/moved", host_header="shop.example", height="local")
    assert (found["probe_success"], found["probe_http_redirects"]) == (1, 1)
    assert site.hosts[-2:] == [f"shop.example:{port}"] * 2


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"url": "http://user:secret@shop.example:80/a?token=1#b"}, "http://shop.example/a"),
        ({"url": "https://shop.example:8443"}, "https://shop.example:8443/"),
        ({"url": "http://127.0.0.1:8080/", "host_header": "shop.example"}, "http://shop.example:8080/"),
        ({"url": "http://[::1]/"}, "http://[::1]/"),
    ],
)
def test_the_instance_holds_no_secret(settings: dict[str, Any], expected: str) -> None:
    assert address(Probe(**settings)) == COLLECTOR.instance(Probe(**settings), "host") == expected


@given(location=st.text(), name=st.sampled_from(["", "shop.example"]))
def test_wherever_a_redirect_leads_it_is_an_address_or_refused(location: str, name: str) -> None:
    hop = Hop(urlsplit("http://127.0.0.1:8080/a/b"), name)
    try:
        onward = hop.onward(location)
    except ValueError:
        return
    assert isinstance(onward.same_server(hop), bool)


@pytest.mark.parametrize(
    ("location", "same"),
    [("/x", True), ("http://shop.example:8080/x", True), ("//shop.example:8080/", True),
     ("https://shop.example/", False), ("http://evil.example/", False), ("http://shop.example/", False)],
)  # fmt: skip
def test_what_is_still_the_same_server(location: str, same: bool) -> None:
    hop = Hop(urlsplit("http://127.0.0.1:8080/"), "shop.example")
    onward = hop.onward(location)
    assert onward.same_server(hop) == same
    if same:
        assert (onward.at.hostname, onward.name) == ("127.0.0.1", "shop.example")


def test_discovery_keeps_only_what_succeeds_once(site: Site) -> None:
    good, bad = (parse(read(Probe(url=f"{site.url}{path}"))) for path in ("/", "/broken"))
    assert (accepts(good), accepts(bad)) == (True, False)
