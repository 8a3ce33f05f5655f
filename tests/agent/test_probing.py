"""/probe: who may be asked, within which time, and that the answer is blackbox_exporter's."""

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from agent.exporter import Doors, Exporter
from agent.pages import Pages
from agent.probing import MOST_AT_ONCE, Probing, Refused, seconds
from collectors.probe.modules import MODULES
from tests.collectors.answering import answering
from tests.collectors.official import families, series
from tests.lab.process import Raingauge
from tests.lab.talking import SSH, Talking

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def ask(probing: Probing, target: str, module: str = "http_2xx", timeout: str = "", **more: str) -> tuple[int, str]:
    status, _, body = probing.answer(urlencode({"target": target, "module": module, **more}), timeout)
    return status, body.decode()


@contextmanager
def site(answer: bytes = PAGE) -> Iterator[str]:
    with answering(answer, before=False) as port:
        yield f"http://127.0.0.1:{port}/"


def test_without_targets_nothing_is_asked() -> None:
    with site() as url:
        status, text = ask(Probing(()), url)
    assert (status, "exporter.probe_targets of the configuration is empty" in text) == (403, True)


@pytest.mark.parametrize(
    ("listed", "target", "status"),
    [
        ("{url}", "{url}", 200),
        ("{url}", "{url}other", 403),
        ("{url}", "127.0.0.1", 403),
        ("127.0.0.1", "{url}", 200),
        ("127.0.0.1", "{url}other?x=1", 200),
        ("127.0.*", "{url}", 200),
        ("*.example", "{url}", 403),
        ("*.example", "http://shop.example@127.0.0.1:1/", 403),
        ("*.example", "http://127.0.0.1:1/?.example", 403),
        ("*.example", "http://127.0.0.1:1#.example", 403),
        ("*.example", "http://127.0.0.1\\.example/", 400),
        ("shop.example", "127.0.0.1://shop.example/", 403),
        ("shop.example", "a.b://shop.example/", 403),
        ("127.0.0.1", "http://localhost/", 403),
        ("[0-9]*", "{url}", 403),
    ],
)
def test_only_what_is_listed_is_asked(listed: str, target: str, status: int) -> None:
    with site() as url:
        found, _ = ask(Probing([listed.format(url=url)]), target.format(url=url))
    assert found == status


def test_a_redirect_to_what_is_not_listed_is_not_followed() -> None:
    with answering(PAGE, before=False) as other:
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://localhost:{other}/\r\nContent-Length: 0\r\n\r\n".encode()
        with site(moved) as url:
            status, text = ask(Probing([url]), url)
            assert (status, "probe_success 0\n" in text) == (200, True)
            _, text = ask(Probing([url, "localhost"]), url)
            assert "probe_success 1\n" in text


@pytest.mark.parametrize(
    ("target", "module", "words"),
    [
        ("", "http_2xx", "expected a target"),
        ("http://127.0.0.1/", "nonsense", "unknown module 'nonsense'"),
        ("127.0.0.1", "tcp_connect", "expected host:port"),
        ("127.0.0.1:99999", "tcp_connect", "expected a port"),
        ("http://[::1/", "http_2xx", "expected an http:// or https:// address"),
    ],
)
def test_what_cannot_be_asked_is_told(target: str, module: str, words: str) -> None:
    status, text = ask(Probing(["*"]), target, module)
    assert (status, words in text) == (400, True), text


def test_a_failed_check_is_an_answer() -> None:
    with site(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") as url:
        status, text = ask(Probing(["127.0.0.1"]), url)
    assert status == 200
    assert ("probe_success 0\n" in text, "probe_http_status_code 503\n" in text) == (True, True)
    assert all(name.startswith("probe_") for name in families(text))


@pytest.mark.parametrize(("header", "limit"), [("", 9), ("10", 9), ("5", 4.5), ("1", 0.5), ("0.2", 0.1), ("1e300", 9)])
def test_prometheus_own_time_is_kept(header: str, limit: float) -> None:
    assert seconds(header) == limit


@pytest.mark.parametrize("header", ["soon", "0", "-1", "nan", "inf"])
def test_what_is_no_time_is_refused(header: str) -> None:
    with pytest.raises(Refused):
        seconds(header)
    assert Probing(["*"]).answer("target=127.0.0.1", header)[0] == 400


def test_no_more_than_some_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        probing = Probing(["127.0.0.1"])
        found: list[int] = []

        def one() -> None:
            found.append(ask(probing, address, timeout="2")[0])

        threads = [threading.Thread(target=one) for _ in range(MOST_AT_ONCE + 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(found) == [200] * MOST_AT_ONCE + [503] * 5
        assert ask(probing, address, timeout="0.2")[0] == 200


def test_a_token_is_needed_where_one_is_needed_to_scrape() -> None:
    with site() as url:
        exporter = Exporter(
            "127.0.0.1", 0, Pages(), lambda header: header == "Bearer x", doors=Doors(probe=Probing([url]).answer)
        )
        exporter.start()
        try:
            asked = urllib.request.Request(f"{exporter.url}/probe?target={url}")
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(asked, timeout=60)
            asked.add_header("Authorization", "Bearer x")
            with urllib.request.urlopen(asked, timeout=60) as answer:
                assert b"probe_success 1\n" in answer.read()
        finally:
            exporter.stop()


def test_every_module_makes_a_check() -> None:
    probing = Probing(["127.0.0.1"])
    with answering(b"nonsense\r\n") as port:
        for module in MODULES:
            target = "127.0.0.1" if module.startswith("icmp") else f"127.0.0.1:{port}"
            status, text = ask(probing, target, module, "1")
            assert status == 200, module
            assert series(text)["probe_timeout_seconds", frozenset()] == 0.5
    with Talking(SSH) as server:
        assert "probe_success 1\n" in ask(probing, server.address, "ssh_banner")[1]


@pytest.mark.servers
def test_a_running_agent_answers_and_follows_its_configuration(tmp_path: Path) -> None:
    def asked(raingauge: Raingauge, url: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{raingauge.exporter}/probe?target={url}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    with site() as url, Raingauge(tmp_path, "discovery: false\n", "agent") as raingauge:
        assert asked(raingauge, url)[0] == 403
        raingauge.configuration.write_text(f"discovery: false\nexporter: {{probe_targets: ['{url}']}}\n")
        raingauge.hup()
        raingauge.until_logged("reloaded")
        status, text = asked(raingauge, url)
        assert (status, "probe_success 1\n" in text) == (200, True)
        raingauge.stop()
