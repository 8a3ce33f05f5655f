"""The same as blackbox_exporter says of the same: names, labels, types, and every number that is no time."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from agent.probing import Probing
from tests.collectors.answering import answering
from tests.collectors.official import families, series
from tests.lab.blackbox import Blackbox
from tests.lab.certificates import Authority
from tests.lab.dns import NameServer
from tests.lab.ports import free_port
from tests.lab.servers import Nginx
from tests.lab.talking import SMTP, SSH, Talking

pytestmark = pytest.mark.servers

NEWER = {"probe_timeout_seconds", "probe_tls_cipher_info"}
"""Families of today's blackbox_exporter that Debian's does not have yet."""
UNKNOWN = {"probe_http_version", "probe_http_content_length", "probe_http_uncompressed_body_length"}
"""0 there when no answer came; unknown is absent here."""
NEWER_LABELS = {"serialnumber"}
TIMES = ("_duration_seconds", "_lookup_time_seconds")
ROOT = "$ORIGIN .\n$TTL 300\n@ SOA a.example. b.example. 1 2 3 4 5\n@ NS a.example.\n@ NS b.example.\n"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="raingauge-") as folder:
        Path(folder).chmod(0o755)  # for nginx's own user
        yield Path(folder)


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def blackbox(folder: Path) -> Iterator[Blackbox]:
    with Blackbox(folder / "blackbox") as blackbox:
        yield blackbox


class Site(Nginx):
    """Pages that answer well and badly, and the same over TLS with a certificate that nobody vouches for."""

    def __init__(self, directory: Path, certificate: Path) -> None:
        super().__init__(directory)
        (directory / "index.html").write_text("<title>Shop</title>")
        self.tls_port = free_port()
        text = self.configuration.read_text()
        top = text[: text.index("  server {")]
        self.configuration.write_text(
            f"{top}  ssl_certificate {certificate};\n  ssl_certificate_key {certificate};\n"
            f"  server {{ listen 127.0.0.1:{self.port}; listen 127.0.0.1:{self.tls_port} ssl; root {directory};\n"
            "    location = /gone { return 404; } location = /busy { return 503 busy; }\n"
            "    location = /old { return 301 /; } location = /hung-up { return 444; } }\n}\n"
        )


@pytest.fixture(scope="module")
def site(folder: Path, authority: Authority) -> Iterator[Site]:
    with Site(folder / "nginx", authority.certified("shop.example")) as site:
        yield site


def ours(target: str, module: str) -> str:
    status, _, body = Probing(["*"]).answer(urlencode({"target": target, "module": module}), "")
    assert status == 200, body
    return body.decode()


def compare(blackbox: Blackbox, target: str, module: str) -> None:
    mine, theirs = ours(target, module), blackbox.probe(target, module)
    found, expected = families(mine), families(theirs)
    absent = UNKNOWN if series(theirs).get(("probe_http_status_code", frozenset())) == 0 else set()
    assert found.keys() - NEWER == expected.keys() - absent, f"{target} {module}"
    for name, family in expected.items():
        if name in absent:
            continue
        assert (found[name].type, found[name].labels - NEWER_LABELS) == (family.type, family.labels), name
    assert exact(mine) == {key: value for key, value in exact(theirs).items() if key[0] not in absent}


def exact(page: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (name, frozenset(label for label in labels if label[0] not in NEWER_LABELS)): value
        for (name, labels), value in series(page).items()
        if not name.endswith(TIMES) and name not in NEWER
    }


@pytest.mark.parametrize("path", ["/", "/index.html", "/gone", "/busy", "/old", "/hung-up"])
def test_pages(blackbox: Blackbox, site: Site, path: str) -> None:
    compare(blackbox, f"{site.url}{path}", "http_2xx")
    compare(blackbox, f"{site.url}{path}", "http_post_2xx")
    compare(blackbox, f"127.0.0.1:{site.port}{path}", "http_2xx")


def test_nobody_there(blackbox: Blackbox) -> None:
    port = free_port()
    compare(blackbox, f"http://127.0.0.1:{port}/", "http_2xx")
    compare(blackbox, f"127.0.0.1:{port}", "tcp_connect")


def test_a_page_over_tls_that_nobody_vouches_for_fails_for_both(blackbox: Blackbox, site: Site) -> None:
    url = f"https://127.0.0.1:{site.tls_port}/"
    for page in (ours(url, "http_2xx"), blackbox.probe(url, "http_2xx")):
        assert series(page)["probe_success", frozenset()] == 0
        assert series(page)["probe_http_status_code", frozenset()] == 0


def test_tcp(blackbox: Blackbox) -> None:
    with Talking(SSH) as ssh, Talking(SMTP) as plain:
        compare(blackbox, ssh.address, "tcp_connect")
        compare(blackbox, ssh.address, "ssh_banner")
        compare(blackbox, plain.address, "tcp_connect")
    with answering(b"421 busy\r\n") as port:
        compare(blackbox, f"127.0.0.1:{port}", "ssh_banner")


@pytest.mark.parametrize("module", ["dns_udp", "dns_tcp"])
def test_name_servers(blackbox: Blackbox, module: str) -> None:
    with NameServer(ROOT, ".") as names:
        compare(blackbox, names.address, module)
    with NameServer() as names:  # which knows nothing of the root
        compare(blackbox, names.address, module)


def test_ping(blackbox: Blackbox) -> None:
    if "probe_success 0" in blackbox.probe("127.0.0.1", "icmp"):
        pytest.skip("nobody may ping here")
    compare(blackbox, "127.0.0.1", "icmp")


def trusted(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    from collectors.probe import tls

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    tls._made.cache_clear()


def test_what_is_vouched_for(folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted(monkeypatch, authority)
    file = authority.certified("localhost", "mail.example")
    try:
        with (
            Blackbox(folder / "trusting") as blackbox,
            Site(folder / "trusted", file) as site,
            Talking(SMTP, file) as mail,
        ):
            compare(blackbox, f"https://localhost:{site.tls_port}/", "http_2xx")
            compare(blackbox, f"localhost:{site.tls_port}", "tcp_connect_tls")
            compare(blackbox, f"localhost:{mail.port}", "smtp_starttls")
    finally:
        from collectors.probe import tls

        tls._made.cache_clear()
