"""The same questions to our own store, to Prometheus and to VictoriaMetrics: nobody can tell which one answers."""

import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from agent.configuration import ConfigurationError, parse
from collectors.model import Counter, Gauge, Target
from history.address import Address
from history.database import open_database
from history.embedded import Embedded
from history.model import Point, QueryError, Scalar, Source, Text, Vector
from history.openmetrics import export
from history.remote import Remote
from history.store import Store
from tests.lab.ports import free_port, wait_until
from tests.lab.prometheus import Prometheus
from tests.lab.victoriametrics import VictoriaMetrics

T = 1_790_000_000
READS = Counter("reads_total", "Reads.", ("device",))
LOAD = Gauge("load", "Load.", ("cpu",))
HOSTS = [Target("node", name, name) for name in ("h1", "h2")]


def fill(store: Store) -> None:
    for tick in range(240):
        for host in HOSTS:
            gone = host is HOSTS[0] and 100 <= tick < 160
            samples = [] if gone else [READS(tick * 3, 'sd"a'), LOAD(math.sin(tick), "0"), LOAD(tick % 5, "1")]
            store.append(host, T + 15.0 * tick, samples)


@pytest.fixture(scope="module", params=["embedded", "prometheus", "victoria-metrics"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    folder = tmp_path_factory.mktemp(request.param)
    engine = open_database(folder / "ours")
    store = Store(engine)
    fill(store)
    text = [part for _, part in export(store, 0, 2**60)]
    if request.param == "embedded":
        yield Embedded(store, promql_2x=True)
    elif request.param == "prometheus":
        with Prometheus(folder / "theirs", openmetrics="".join(text)) as running:
            remote = Remote(Address(running.url))
            yield remote
            remote.close()
    else:
        with VictoriaMetrics(folder / "third") as third:
            third.take(in_ms(part) for part in text if not part.startswith("#"))
            remote = Remote(Address(third.url))
            yield remote
            remote.close()
    engine.dispose()


def in_ms(text: str) -> str:
    return "".join(_stamp_in_ms(line) for line in text.splitlines())


def _stamp_in_ms(line: str) -> str:
    series, _, stamp = line.rpartition(" ")
    return f"{series} {round(float(stamp) * 1000)}\n"


pytestmark = pytest.mark.servers


def test_a_vector(source: Source) -> None:
    found = source.query('load{cpu="1"}', T + 600.0)
    assert isinstance(found, Vector)
    assert {(point.labels["host"], point.value, point.t) for point in found.points} == {
        ("h1", 0.0, T + 600.0), ("h2", 0.0, T + 600.0),
    }  # fmt: skip


def test_scalars_and_strings(source: Source) -> None:
    found = source.query("1 + 1", float(T))
    if isinstance(found, Vector):  # of VictoriaMetrics, which has no strings either
        assert found.points == (Point({}, float(T), 2.0),)
        return
    assert found == Scalar(float(T), 2.0)
    assert source.query("'a'", float(T)) == Text(float(T), "a")


def test_a_matrix_has_gaps_where_there_is_nothing(source: Source) -> None:
    found = source.query_range('sum by (host) (load{cpu="1"})', T, T + 3600.0, 60.0)
    lines = {line.labels["host"]: line for line in found.lines}
    assert set(lines) == {"h1", "h2"}
    assert lines["h2"].times.tolist() == [T + 60.0 * step for step in range(61)]
    expected = [float(min(4 * step, 239) % 5) for step in range(61)]
    assert lines["h2"].values.tolist() == expected
    there = lines["h1"].times - T
    assert np.isin(np.arange(0, 1500, 60), there).all()
    assert not np.isin(np.arange(2100, 2340, 60), there).any()


def test_what_there_is(source: Source) -> None:
    span = (float(T), T + 3600.0)
    assert source.label_names([], *span) == ["__name__", "cpu", "device", "host", "instance", "job"]
    assert source.label_values("host", [], *span) == ["h1", "h2"]
    assert source.label_values("device", ['reads_total{host="h2"}'], *span) == ['sd"a']
    found = source.series(['load{host="h1"}', "reads_total"], *span)
    assert [(labels["__name__"], labels["host"]) for labels in found] == [
        ("load", "h1"), ("load", "h1"), ("reads_total", "h1"), ("reads_total", "h2"),
    ]  # fmt: skip
    assert len(source.series([], *span)) == 6


@pytest.mark.parametrize(
    ("expr", "kind"), [("load{", "bad_data"), ("load +", "bad_data"), ("load * on(host) load", "execution")]
)
def test_what_cannot_be_answered(source: Source, expr: str, kind: str) -> None:
    with pytest.raises(QueryError) as caught:
        source.query(expr, T + 600.0)
    # VictoriaMetrics calls everything that it refuses unprocessable.
    assert caught.value.kind in (kind, "execution")
    assert str(caught.value)


class Odd(BaseHTTPRequestHandler):
    """Answers as the test says, and keeps what it was sent."""

    status, body = 200, b""
    seen: dict[str, str] = {}  # noqa: RUF012

    def do_POST(self) -> None:
        type(self).seen = {"path": self.path, **dict(self.headers)}
        self.send_response(self.status)
        if self.status in (301, 302):
            self.send_header("Location", "http://elsewhere.example/")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def odd() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, b"no", "unavailable", "answers 401 and no JSON of Prometheus' API, it wants other credentials"),
        (200, b"<html>", "unavailable", "answers 200 and no JSON of Prometheus' API"),
        (302, b"", "unavailable", "sends us elsewhere: set history.url to where it is"),
        (422, b'{"status":"error","errorType":"execution","error":"too much"}', "execution", "too much"),
        (503, b'{"status":"error","errorType":"timeout","error":"late"}', "timeout", "late"),
    ],
)
def test_strange_answers_are_said_clearly(
    odd: str, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, kind: str, message: str
) -> None:
    monkeypatch.setattr(Odd, "status", status)
    monkeypatch.setattr(Odd, "body", body)
    remote = Remote(Address(f"http://us:se%63ret@{odd}/prom/"))
    with pytest.raises(QueryError) as caught:
        remote.query("up", 1.0)
    remote.close()
    assert caught.value.kind == kind
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
    assert Odd.seen["Authorization"] == "Basic dXM6c2VjcmV0"
    assert Odd.seen["path"] == "/prom/api/v1/query"


def test_secrets_are_sent_and_never_shown(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Odd, "status", 200)
    monkeypatch.setattr(
        Odd, "body", b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]},"infos":["PromQL info: x"]}'
    )
    address = Address(f"http://{odd}", token="key")
    remote = Remote(address)
    found = remote.query("up", 1.0)
    remote.close()
    assert found == Scalar(1.0, 2.0, ("PromQL info: x",))
    assert Odd.seen["Authorization"] == "Bearer key"
    assert "key" not in repr(address) + str(address)


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b'{"resultType":"new","result":[]}',
        b'{"resultType":"vector","result":null}',
        b'{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"1"}]}]}',
        b'{"resultType":"scalar","result":[1,"two"]}',
    ],
)
def test_a_success_that_cannot_be_read_is_a_query_error(odd: str, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Anything else would end the evaluator's thread, and with it all alerts."""
    monkeypatch.setattr(Odd, "status", 200)
    monkeypatch.setattr(Odd, "body", b'{"status":"success","data":%s}' % data)
    remote = Remote(Address(f"http://{odd}"))
    with pytest.raises(QueryError, match="what we cannot read"):
        remote.query("up", 1.0)
    remote.close()


def test_a_token_that_no_header_holds_is_refused_and_not_shown() -> None:
    for token in ("secret\nkey", "secret\u20ac"):
        with pytest.raises(ValueError, match="token of one line") as caught:
            Address("http://127.0.0.1:1", token=token)
        assert "secret" not in str(caught.value)


def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    assert str(Address("http://us:secret@[::1]:9090/prom/")) == "http://[::1]:9090/prom"


@pytest.mark.parametrize("url", ["http://h:99999", "http://us:pa/ss@h", "http://[x", "ftp://h"])
def test_an_address_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="expected an http:// or https:// address") as caught:
        parse(f"history: {{url: '{url}'}}", "f.yml")
    assert "pa" not in str(caught.value).replace("f.yml", "")


def test_metadata_of_what_another_server_scrapes(tmp_path: Path) -> None:
    port = free_port()
    scraped = (
        f"scrape_configs: [{{job_name: p, scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]"
    )
    with Prometheus(tmp_path / "one", scraped, port=port) as running:
        source = Remote(Address(running.url))
        wait_until(lambda: source.metadata("prometheus_build_info"), 30, "a scrape")
        found = source.metadata("prometheus_build_info")
        assert found["prometheus_build_info"][0].type == "gauge"
        assert "A metric with a constant '1' value" in found["prometheus_build_info"][0].help
        assert source.metadata("nothing") == {}
        source.close()


def test_a_server_that_came_back_is_asked_again(tmp_path: Path) -> None:
    with Prometheus(tmp_path / "one") as running:
        source = Remote(Address(running.url))
        assert source.query("1", 1.0) == Scalar(1.0, 1.0)
        running.stop()
        with pytest.raises(QueryError, match="cannot be reached"):
            source.query("1", 1.0)
        running.start()
        assert source.query("1", 1.0) == Scalar(1.0, 1.0)
        source.close()
