"""Events that leave the host: once to syslog, until it is taken to a webhook, and nothing that was there before."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from agent.shipping import Ship, Shipping, syslog_line
from collectors.model import Event
from history.database import open_database
from history.events import Events


def event(name: str, severity: Any = "warning", kind: str = "security.code", **more: Any) -> Event:
    known = {"title": name, "evidence": ({"source": "198.51.100.7"},), **more}
    return Event(name, kind, severity, "web1", "shop", 1000.0, 1000.5, 1, **known)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(tmp_path)


class Taking(BaseHTTPRequestHandler):
    statuses: list[int]
    bodies: list[Any]

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.statuses.pop(0) if self.statuses else 204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def webhook() -> Iterator[tuple[str, type[Taking]]]:
    class Mine(Taking):
        statuses: list[int] = []  # noqa: RUF012
        bodies: list[Any] = []  # noqa: RUF012

    server = HTTPServer(("127.0.0.1", 0), Mine)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/key", Mine
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_is_asked_until_it_takes_them(engine: Engine, webhook: tuple[str, type[Taking]]) -> None:
    url, taking = webhook
    events = Events(engine)
    events.record(event("before"))
    shipping = Shipping(Ship.model_validate({"webhook": url}), engine)
    assert shipping.step("webhook")
    events.record(event("one"))
    events.record(event("cron", "info", "drupal.cron"))
    events.record(event("probe", "info", "security.probe"))
    taking.statuses.append(503)
    assert not shipping.step("webhook")
    again = Shipping(Ship.model_validate({"webhook": url}), engine)  # after a restart
    assert again.step("webhook")
    assert again.step("webhook")
    assert [[each["id"] for each in body["events"]] for body in taking.bodies] == [["one", "probe"]] * 2


def test_syslog_gets_one_datagram_each_with_pseudonyms(engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        settings = {"syslog": f"127.0.0.1:{server.getsockname()[1]}", "pseudonym_key": "k"}
        shipping = Shipping(Ship.model_validate(settings), engine)
        shipping.step("syslog")
        Events(engine).record(event("one", title="new\nline <13>1"))
        assert shipping.step("syslog")
        line = server.recv(20_000).decode()
    head, _, body = line.partition("{")
    assert head == "<84>1 1970-01-01T00:16:40.500+00:00 web1 raingauge - security.code - "
    assert "\n" not in line
    assert "198.51.100.7" not in line
    assert json.loads("{" + body)["id"] == "one"


def test_a_datagram_is_bounded() -> None:
    big = event("big", evidence=tuple({"line": "x" * 3000} for _ in range(9)))
    assert len(syslog_line(big)) < 9000


def test_where_it_may_be_sent() -> None:
    for wrong in ({"syslog": "logs.example"}, {"syslog": "logs.example:99999"}, {"webhook": "ftp://x"}):
        with pytest.raises(ValidationError):
            Ship.model_validate(wrong)


def test_addresses_are_forgotten_after_their_time(engine: Engine) -> None:
    events = Events(engine)
    events.record(event("old"))
    assert events.forget(0.0, 1000.0) == 1000.0
    assert events.events(0, 2000)[0].evidence == ({"source": "198.51.100.7"},)
    assert events.forget(0.0, 5000.0) == 5000.0
    (found,) = events.events(0, 2000)
    assert (found.id, found.evidence) == ("old", ({"source": "(forgotten)"},))
