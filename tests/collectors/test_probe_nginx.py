"""HTTP checks of a real nginx, as discovery proposes them and as an operator may set them."""

import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent.reading import trial
from collectors.inventory import Inventory
from collectors.inventory.nginx_conf import nginx_vhosts
from collectors.probe import COLLECTOR
from collectors.probe.config import Probe
from collectors.probe.discovery import discover
from tests.lab.ports import free_port
from tests.lab.servers import Nginx

pytestmark = pytest.mark.servers

SITE = """
    root {root};
    location = /gone {{ return 404; }}
    location = /maintenance {{ return 503 "back soon"; }}
    location = /hung-up {{ return 444; }}
    location = /old {{ return 301 /; }}
    location = /stub_status {{ stub_status; }}
"""


class TlsNginx(Nginx):
    """One site on a plain and on a TLS port, and one that only sends visitors there."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.tls_port = free_port()
        (directory / "index.html").write_text("<title>Shop</title>")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=shop.example", "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        text = self.configuration.read_text()
        top = text[: text.index("  server {")]
        self.configuration.write_text(
            f"{top}  ssl_certificate {directory}/cert.pem;\n  ssl_certificate_key {directory}/key.pem;\n"
            f"  server {{ listen 127.0.0.1:{self.port}; listen 127.0.0.1:{self.tls_port} ssl http2;"
            f" server_name shop.example; {SITE.format(root=directory)} }}\n"
            f"  server {{ listen 127.0.0.1:{self.port}; server_name www.shop.example; root {directory};"
            f" return 301 https://shop.example:{self.tls_port}$request_uri; }}\n}}\n"
        )


@pytest.fixture(scope="module")
def server() -> Iterator[TlsNginx]:
    with tempfile.TemporaryDirectory(prefix="raingauge-nginx-") as folder:
        Path(folder).chmod(0o755)  # for nginx's own user
        with TlsNginx(Path(folder)) as server:
            yield server


def check(config: Probe) -> dict[str, float]:
    (reading,) = trial(COLLECTOR, config)
    assert reading.outcome == "ok", reading.error
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in reading.samples}


def test_what_discovery_proposes_succeeds_over_tls_and_tells_the_certificates_end(server: TlsNginx) -> None:
    texts = {str(server.configuration): server.configuration.read_text()}
    vhosts = nginx_vhosts(texts, str(server.configuration))
    configs = [proposal.config for proposal in discover(Inventory("h", vhosts=vhosts))]
    assert [COLLECTOR.instance(config, "h") for config in configs] == [
        f"https://shop.example:{server.tls_port}/", f"http://www.shop.example:{server.port}/",
    ]  # fmt: skip
    shop, www = (check(config) for config in configs if isinstance(config, Probe))
    assert (shop["probe_success"], shop["probe_http_ssl"], shop["probe_http_version"]) == (1, 1, 1.1)
    assert (www["probe_success"], www["probe_http_status_code"], www["probe_http_redirects"]) == (1, 301, 0)
    end = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", server.directory / "cert.pem"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert datetime.fromisoformat(end.strip().partition("=")[2]).timestamp() == shop["probe_ssl_earliest_cert_expiry"]


@pytest.mark.parametrize(
    ("path", "settings", "success", "status"),
    [
        ("/", {"must_contain": "Shop"}, 1, 200),
        ("/gone", {}, 0, 404),
        ("/maintenance", {}, 0, 503),
        ("/maintenance", {"expect_status": [503], "must_contain": "back soon"}, 1, 503),
        ("/hung-up", {}, 0, 0),
        ("/old", {"must_contain": "Shop"}, 1, 200),
        ("/old", {"expect_status": [301]}, 1, 301),
        ("/index.html?a=b c\u00fc", {}, 1, 200),
    ],
)
def test_what_a_page_counts_as(
    server: TlsNginx, path: str, settings: dict[str, Any], success: int, status: int
) -> None:
    config = Probe.model_validate({"url": f"{server.url}{path}", "host_header": "shop.example", **settings})
    found = check(config)
    assert (found["probe_success"], found["probe_http_status_code"]) == (success, status)


def test_a_certificate_that_nobody_vouches_for(server: TlsNginx) -> None:
    url = f"https://127.0.0.1:{server.tls_port}/"
    refused = check(Probe(url=url, host_header="shop.example"))
    assert (refused["probe_success"], refused["probe_http_ssl"]) == (0, 0)
    taken = check(Probe(url=url, host_header="shop.example", verify_tls=False))
    assert taken["probe_success"] == 1
    assert refused["probe_ssl_earliest_cert_expiry"] == taken["probe_ssl_earliest_cert_expiry"]


def test_tls_asked_of_a_plain_port_and_plain_of_tls(server: TlsNginx) -> None:
    assert check(Probe(url=f"https://127.0.0.1:{server.port}/", verify_tls=False))["probe_success"] == 0
    plain = check(Probe(url=f"http://127.0.0.1:{server.tls_port}/"))
    assert (plain["probe_success"], plain["probe_http_status_code"]) == (0, 400)


def test_nginx_that_is_stopped(tmp_path: Path) -> None:
    with Nginx(tmp_path) as server:
        assert check(Probe(url=f"{server.url}/stub_status"))["probe_success"] == 1
    assert check(Probe(url=f"{server.url}/stub_status"))["probe_success"] == 0
