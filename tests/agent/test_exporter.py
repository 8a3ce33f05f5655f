"""The exporter as its clients see it: pages that are ready, who may read them, the list of targets, and health."""

import gzip
import http.client
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.exporter import LOOPBACK, PACK_FROM_BYTES, Authorised, Exporter
from agent.pages import Pages
from agent.tokens import scrape_access
from collectors.model import Gauge, Target
from history.access import Access
from history.database import open_database

LOAD = Gauge("node_load1", "Load.")
USED = Gauge("cache_used_bytes", "Memory in use.", ("pool",))
NODE = Target("node", "web1", "web1")
CACHE = Target("redis", "web1:6379", "web1")
SOCKET = Target("phpfpm", "web1:/run/php/www.sock", "web1")


def filled(pages: Pages, pools: int = 40) -> Pages:
    pages.publish(NODE, [LOAD(0.5)])
    pages.publish(CACHE, [USED(n, f"pool {n}") for n in range(pools)])
    pages.publish(SOCKET, [])
    pages.render()
    return pages


@contextmanager
def serving(pages: Pages, authorised: Authorised | None = None, host: str = "127.0.0.1") -> Iterator[Exporter]:
    exporter = Exporter(host, 0, pages, authorised)
    exporter.start()
    try:
        yield exporter
    finally:
        exporter.stop()


class Client:
    """One kept connection."""

    def __init__(self, exporter: Exporter) -> None:
        at = urlsplit(exporter.url)
        self.connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        self.connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    with serving(filled(Pages())) as exporter:
        yield exporter


@pytest.fixture
def client(exporter: Exporter) -> Iterator[Client]:
    client = Client(exporter)
    yield client
    client.connection.close()


def test_the_whole_host_with_labels_and_one_target_without(client: Client) -> None:
    status, headers, body = client.ask("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert found["node_load1"].samples[0].labels == {"job": "node", "instance": "web1", "host": "web1"}
    assert {sample.labels["pool"] for sample in found["cache_used_bytes"].samples} == {f"pool {n}" for n in range(40)}
    status, _, body = client.ask("/metrics/node/web1")
    assert body.decode() == "# HELP node_load1 Load.\n# TYPE node_load1 gauge\nnode_load1 0.5\n"


def test_one_connection_serves_many_requests_and_is_kept_after_an_error(client: Client) -> None:
    client.ask("/metrics")
    at = client.connection.sock.getsockname()
    assert [client.ask(path)[0] for path in ("/metrics", "/nothing", "/sd", "/-/healthy")] == [200, 404, 200, 200]
    assert client.connection.sock.getsockname() == at


def test_head_says_what_get_would_and_sends_nothing(client: Client) -> None:
    status, headers, body = client.ask("/metrics", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) == len(client.ask("/metrics")[2])


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/metrics/node", "/metrics/node/other", "/metrics/redis/web1", "/metrics/node/web1/more", "/sd/x",
     "/metrics/../etc/passwd", "/%6detrics"],
)  # fmt: skip
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert client.ask(path)[0] == 404


@pytest.mark.parametrize("path", ["/metrics?collect[]=cpu", "/metrics/", "/sd?x=1"])
def test_a_query_and_a_slash_at_the_end_change_nothing(client: Client, path: str) -> None:
    assert client.ask(path)[0] == 200


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [("gzip", True), ("deflate, gzip;q=0.5", True), ("GZIP", True), ("", False), ("identity", False), ("br", False),
     ("gzip;q=0", False), ("gzip; q=0.000, identity", False)],
)  # fmt: skip
def test_a_page_is_packed_only_for_who_asks_for_it_from_afar(
    client: Client, accepts: str, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, headers, _ = client.ask("/metrics", Accept_Encoding=accepts)
    assert headers["Content-Encoding"] is None
    monkeypatch.setattr("agent.exporter.LOOPBACK", re.compile("nowhere"))
    _, headers, plain = client.ask("/metrics")
    assert headers["Content-Encoding"] is None
    _, headers, body = client.ask("/metrics", Accept_Encoding=accepts)
    assert headers["Vary"] == "Accept-Encoding"
    assert (headers["Content-Encoding"] == "gzip") == packed
    assert (gzip.decompress(body) if packed else body) == plain


@pytest.mark.parametrize(
    ("address", "local"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("::ffff:127.0.0.1", True), ("::1234", False),
     ("192.0.2.127", False), ("1.127.0.1", False), ("2001:db8::1", False)],
)  # fmt: skip
def test_what_is_this_machine_itself(address: str, local: bool) -> None:
    assert bool(LOOPBACK.match(address)) == local


def test_a_short_page_is_not_packed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.exporter.LOOPBACK", re.compile("nowhere"))
    _, headers, body = client.ask("/metrics/node/web1", Accept_Encoding="gzip")
    assert headers["Content-Encoding"] is None
    assert len(body) < PACK_FROM_BYTES


def test_service_discovery_gives_each_target_its_path_and_labels(client: Client) -> None:
    status, headers, body = client.ask("/sd", Host="web1.example:9876")
    groups = json.loads(body)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert all(group["targets"] == ["web1.example:9876"] for group in groups)
    paths = {group["labels"].pop("__metrics_path__"): group["labels"] for group in groups}
    assert paths == {
        "/metrics/node/web1": {"job": "node", "instance": "web1", "host": "web1"},
        "/metrics/redis/web1_6379": {"job": "redis", "instance": "web1:6379", "host": "web1"},
        "/metrics/phpfpm/web1__run_php_www.sock": {"job": "phpfpm", "instance": SOCKET.instance, "host": "web1"},
    }
    assert [client.ask(path)[0] for path in paths] == [200, 200, 200]


@pytest.mark.parametrize(
    "host", ['"],"x":["', "a b", "http://evil.example/", "\xff\xfe", "[::1", "x" * 500, "a:b:c", "host:99999999", ""]
)
def test_a_host_header_that_is_no_address_is_not_repeated(client: Client, exporter: Exporter, host: str) -> None:
    client.connection.putrequest("GET", "/sd", skip_host=True)
    client.connection.putheader("Host", host.encode("latin-1"))
    client.connection.endheaders()
    groups = json.loads(client.connection.getresponse().read())
    own = urlsplit(exporter.url).netloc
    assert {target for group in groups for target in group["targets"]} == {own}


@pytest.mark.parametrize("host", ["web1", "web1.example:80", "10.0.0.7:9876", "[fe80::1]:9876", "[::1]", "my_host:1"])
def test_the_host_header_says_how_we_are_reached(client: Client, host: str) -> None:
    assert json.loads(client.ask("/sd", Host=host)[2])[0]["targets"] == [host]


def test_it_listens_on_ipv6() -> None:
    with serving(filled(Pages()), host="::1") as exporter:
        assert exporter.url.startswith("http://[::1]:")
        client = Client(exporter)
        assert client.ask("/metrics")[0] == 200
        client.connection.putrequest("GET", "/sd", skip_host=True)
        client.connection.endheaders()
        groups = json.loads(client.connection.getresponse().read())
        client.connection.close()
        assert groups[0]["targets"] == [exporter.url.removeprefix("http://")]


def test_healthy_from_the_start_and_ready_from_the_first_tick() -> None:
    pages = Pages()
    with serving(pages) as exporter:
        client = Client(exporter)
        assert [client.ask("/-/healthy")[0], client.ask("/-/ready")[0]] == [200, 503]
        pages.render()
        assert client.ask("/-/ready")[0] == 200
        client.connection.close()


def test_the_first_page_links_to_all_others(client: Client) -> None:
    _, headers, body = client.ask("/")
    assert headers["Content-Type"].startswith("text/html")
    paths = [text.split('"')[0] for text in body.decode().split('href="')[1:]]
    assert len(paths) == 5
    assert {client.ask(path)[0] for path in paths} == {200}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "BREW"])
def test_nothing_can_be_changed(client: Client, method: str) -> None:
    assert client.ask("/metrics", method)[0] == 501
    assert client.ask("/metrics", "POST")[0] == 404


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def test_who_is_not_on_this_machine_needs_a_token(tmp_path: Path) -> None:
    access = Access(open_database(tmp_path))
    token = access.create_token("read", 1.0, "prometheus")
    assert scrape_access(access, "127.0.0.1:9876") is None
    assert scrape_access(access, "[::1]:9876") is None
    with serving(filled(Pages()), scrape_access(access, "0.0.0.0:9876")) as exporter:
        client = Client(exporter)
        for shown in (f"Bearer {token}", f"bearer {token}", basic("prometheus", token), basic("", token)):
            assert client.ask("/metrics", Authorization=shown)[0] == 200, shown
            assert client.ask("/sd", Authorization=shown)[0] == 200
        for shown in ("", token, "Bearer x", f"Basic {token}", basic(token, ""), "Basic \xff", f"Digest {token}"):
            status, headers, body = client.ask("/metrics", Authorization=shown)
            assert status == 401, shown
            assert headers["WWW-Authenticate"].startswith("Bearer")
            assert b"node_load1" not in body
        assert [client.ask(path)[0] for path in ("/", "/sd", "/nothing")] == [401, 401, 401]
        assert [client.ask(path)[0] for path in ("/-/healthy", "/-/ready")] == [200, 200]
        access.revoke_token("prometheus")
        assert client.ask("/metrics", Authorization=f"Bearer {token}")[0] == 401
        client.connection.close()
