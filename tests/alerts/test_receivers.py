"""Every notifier over the wire: receivers that check what they get, hang, or answer with bad words."""

import base64
import json
import queue
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from alerts import state
from alerts.attempt import Attempt, attempt
from alerts.delivery import Delivery
from alerts.registry import MODULES, notifier
from tests.alerts.examples import T, alert, tell, webhook
from tests.alerts.receiver import BlackHole, Receiver
from tests.alerts.shapes import CHECKS
from tests.alerts.told import CONTEXT, NOTICES, NOW, channel
from tests.lab.background import Background
from tests.lab.ports import free_port, wait_until

POSTING = tuple(kind for kind in MODULES if notifier(kind).render)
PACKAGE = """
import os, time
class Apprise:
    def add(self, url):
        self.url = url
        return not url.startswith("nosuch:")
    def notify(self, **asked):
        if "hang" in self.url:
            time.sleep(60)
        if asked["attach"]:
            with open(asked["attach"], "rb") as chart, open(os.environ["APPRISE_TOLD"] + ".png", "wb") as file:
                file.write(chart.read())
            if "slowchart" in self.url:
                time.sleep(60)
            if "nochart" in self.url:
                return False
        with open(os.environ["APPRISE_TOLD"], "w") as file:
            print(self.url, asked["title"], asked["notify_type"], asked["body"].splitlines()[0], file=file)
        return "refuse" not in self.url
"""


class Checking(Background, ThreadingHTTPServer):
    """Answers as the receiver's documentation says, 400 if the body is not as it says."""

    daemon_threads = True

    def __init__(self, kind: str, answer: bytes = b"ok", status: int = 202) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kind, self.answer, self.status = kind, answer, status
        self.got: queue.Queue[tuple[str, dict[str, str], Any]] = queue.Queue()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Checking

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.server.status, self.server.answer
        try:
            CHECKS[self.server.kind](body, self.path)
        except AssertionError as error:
            status, answer = 400, str(error).partition("\n")[0].encode() or b"not as documented"
        self.server.got.put((self.path, dict(self.headers), body))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("case", ["one", "resolved", "rich", "hostile", "bare", "many"])
@pytest.mark.parametrize("kind", POSTING)
def test_receivers_take_it(kind: str, case: str) -> None:
    with Checking(kind) as server:
        assert attempt(channel(kind, url=server.url), NOTICES[case], NOW) == Attempt("done", "HTTP 202: ok")


def test_credentials_go_where_they_belong() -> None:
    wanted = {
        "webhook": "Bearer s3cret-token",
        "alertmanager": "Basic cmc6czNjcmV0",
        "opsgenie": "GenieKey s3cret",
        "ntfy": "Bearer s3cret-token",
    }
    for kind in POSTING:
        with Checking(kind) as server:
            attempt(channel(kind, url=server.url), NOTICES["one"], NOW)
            _, headers, _ = server.got.get(timeout=5)
        assert headers.get("Authorization") == wanted.get(kind), kind
        assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("answer", "words"), [
    (b"", "HTTP 500"), (b"\n\n first line \nsecond", "HTTP 500: first line"), (b"\xff\x00\x1b[2Jx", "HTTP 500: �[2Jx"),
    (b"no_such s3cret-token", "HTTP 500: no_such [hidden]"), (b"x" * 1_000_000, "HTTP 500: " + "x" * 189 + "…"),
])  # fmt: skip
def test_what_a_receiver_says_is_told_in_one_line(answer: bytes, words: str) -> None:
    with Checking("webhook", answer, 500) as server:
        assert attempt(channel("webhook", url=server.url), NOTICES["one"], NOW).words == words


@pytest.mark.parametrize("answer", [
    b"", b"nothing of HTTP\r\n\r\n", b"HTTP/1.1 200\xff\r\n" + b"x: y\r\n" * 500, b"HTTP/1.1 " + b"9" * 70_000,
    b"HTTP/1.1 abc OK\r\n\r\n", b"220 lab ESMTP\r\n", b"HTTP/1.1 500 no\r\nContent-Length: 900\r\n\r\nshort",
])  # fmt: skip
def test_what_is_no_http_is_retried(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/s3cret"
        tried = attempt(webhook(url, timeout=5), NOTICES["bare"], NOW)
        thread.join()
    assert tried.outcome == "retry"
    assert "s3cret" not in tried.words


@pytest.mark.parametrize("kind", [kind for kind in MODULES if kind != "apprise"])
def test_one_that_hangs_delays_no_other(kind: str, engine: Engine) -> None:
    with BlackHole() as hole, Receiver() as receiver:
        port = int(hole.url.rpartition(":")[2].strip("/"))
        at = {"server": "127.0.0.1", "port": port} if kind == "email" else {"url": hole.url}
        stuck, well = channel(kind, "stuck", timeout=30, **at), webhook(receiver.url, "well")
        delivery = Delivery(engine, [stuck, well])
        delivery.start()
        for number in range(3):
            for each in (stuck, well):
                tell(engine, each, alert(host=f"web{number}"), now=T + number)
            delivery.wake()
            assert receiver.body()["receiver"] == "well"
        delivery.stop(timeout=0.1)
        assert state.waiting(engine)["stuck"][0] >= 1


@pytest.mark.parametrize("kind", ["slack", "mattermost", "teams", "pagerduty", "opsgenie", "ntfy"])
def test_fired_and_over_while_it_was_away_is_one_message(kind: str, engine: Engine) -> None:
    with Checking(kind) as server:
        away = channel(kind, "ops", url=f"http://127.0.0.1:{free_port()}")
        delivery = Delivery(engine, [away], lambda: T, fraction=lambda: 0.0)
        tell(engine, away, alert())
        delivery.deliver_next(away)
        tell(engine, away, alert(state="resolved"), now=T + 30)
        back = channel(kind, "ops", url=server.url)
        delivery = Delivery(engine, [back], lambda: T + 60)
        delivery.start()
        wait_until(lambda: not state.waiting(engine), 10, "the outbox is empty")
        delivery.stop()
        assert server.got.qsize() == 1


class TestApprise:
    @pytest.fixture(autouse=True)
    def told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (tmp_path / "apprise.py").write_text(PACKAGE)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("APPRISE_TOLD", str(tmp_path / "told"))
        return tmp_path / "told"

    def test_is_asked(self, told: Path) -> None:
        tried = attempt(channel("apprise", url="tgram://s3cret/1"), NOTICES["one"], NOW)
        assert tried == Attempt("done", "Apprise 0")
        line = "tgram://s3cret/1 DiskFull on web1 failure web1: /srv has 2.1% of its space left, for 6 min\n"
        assert told.read_text() == line

    @pytest.mark.parametrize("url", ["tgram://s3cret/1", "nochart://s3cret"])
    def test_is_given_the_chart_and_told_without_it_where_that_fails(self, told: Path, url: str) -> None:
        assert attempt(channel("apprise", url=url), NOTICES["rich"], NOW) == Attempt("done", "Apprise 0")
        assert told.with_suffix(".png").read_bytes() == CONTEXT.chart_png
        assert told.read_text().startswith(f"{url} DiskFull on web1 failure web1: /srv has 2.1%")

    def test_that_takes_no_chart_in_time_is_told_without_it(self, told: Path) -> None:
        slow = channel("apprise", url="slowchart://s3cret", timeout=2.0)
        assert attempt(slow, NOTICES["rich"], NOW) == Attempt("done", "Apprise 0")
        assert told.read_text().startswith("slowchart://s3cret DiskFull on web1")

    @pytest.mark.parametrize(("url", "words"), [
        ("nosuch://s3cret", "Apprise 4: Apprise does not know such an address"),
        ("refuse://s3cret", "Apprise 5: the receiver did not accept it"),
    ])  # fmt: skip
    def test_refuses(self, url: str, words: str) -> None:
        assert attempt(channel("apprise", url=url), NOTICES["one"], NOW) == Attempt("retry", words)

    def test_is_ended_when_its_time_is_over(self, told: Path) -> None:
        tried = attempt(channel("apprise", url="hang://s3cret", timeout=0.5), NOTICES["one"], NOW)
        assert tried == Attempt("retry", "TimeoutError: Apprise was not done within 0.5 s")
        assert not told.exists()

    def test_that_is_not_installed_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "apprise.py").write_text("raise ImportError")
        tried = attempt(channel("apprise"), NOTICES["one"], NOW)
        assert tried.words == "Apprise 3: the package apprise is not installed: pip install 'raingauge[apprise]'"

    def test_the_address_is_not_in_the_arguments(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[Any] = []
        run = subprocess.run

        def watched(command: list[str], **options: Any) -> Any:
            seen.append(command)
            return run(command, **options)

        monkeypatch.setattr(subprocess, "run", watched)
        attempt(channel("apprise"), NOTICES["one"], NOW)
        assert len(seen) == 1
        assert "s3cret" not in str(seen)

    def test_the_package_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where it is installed; a POST of JSON by Apprise's own plugin."""
        monkeypatch.delenv("PYTHONPATH")
        if subprocess.run(
            [sys.executable, "-P", "-c", "import apprise"], check=False, capture_output=True, cwd="/"
        ).returncode:
            pytest.skip("apprise is not installed")
        with Receiver() as receiver:
            address = receiver.url.removeprefix("http://").partition("/")[0]
            tried = attempt(channel("apprise", url=f"json://{address}/hook"), NOTICES["rich"], NOW)
            assert tried == Attempt("done", "Apprise 0")
            got = receiver.body()
        assert got["title"] == "DiskFull on web1"
        assert [base64.b64decode(each["base64"]) for each in got["attachments"]] == [CONTEXT.chart_png]


def test_every_kind_is_here() -> None:
    assert set(CHECKS) | {"email", "apprise"} == set(MODULES)
