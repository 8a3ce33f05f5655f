"""The chart in a message: where the receiver refuses it, the message comes at once without it."""

import json
import threading
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from alerts.attempt import Attempt, attempt
from tests.alerts.told import CONTEXT, NOTICES, NOW, channel
from tests.lab.background import Background

CHART = CONTEXT.chart_png
HANGS = -1


class NtfyServer(Background, ThreadingHTTPServer):
    """A file by PUT to a topic with the message in headers, and JSON by POST to the root, as ntfy takes them."""

    def __init__(self, picture: int, text: int = 200) -> None:
        """What it answers to each; 0: it hangs up; HANGS: nothing."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {"PUT": picture, "POST": text}
        self.over = threading.Event()
        self.got: list[tuple[str, str, dict[str, Any], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.over.set()
        super().__exit__()


class _Handler(BaseHTTPRequestHandler):
    server: NtfyServer

    def do_POST(self) -> None:
        self.do_PUT()

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fields: dict[str, Any] = json.loads(body) if self.command == "POST" else {
            name.lower(): str(make_header(decode_header(value))) for name, value in self.headers.items()
        }  # fmt: skip
        self.server.got.append((self.command, self.path, fields, body))
        if self.server.answers[self.command] == HANGS:
            self.server.over.wait(60)
        elif status := self.server.answers[self.command]:
            self.send_response(status)
            self.end_headers()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def told(server: NtfyServer, case: str = "rich") -> Attempt:
    return attempt(channel("ntfy", url=server.url, timeout=2.0), NOTICES[case], NOW)


def test_ntfy_gets_the_chart_with_the_whole_message() -> None:
    with NtfyServer(200) as server:
        assert told(server) == Attempt("done", "HTTP 200")
        plain = attempt(channel("ntfy", url=server.url), NOTICES["one"], NOW)
    assert plain.outcome == "done"
    (method, path, fields, chart), (without, root, text, _) = server.got
    assert (method, path, chart, without, root) == ("PUT", "/s3cret-topic", CHART, "POST", "/")
    assert (fields["filename"], fields["content-type"]) == ("chart.png", "image/png")
    assert fields["authorization"] == "Bearer s3cret-token"
    assert (fields["title"], fields["priority"], fields["tags"]) == (text["title"], "5", "warning")
    assert fields["message"].splitlines()[0].startswith("web1: /srv has 2.1% of its space left: 2.1%, usual 40%")
    assert "\nProbably because: /srv/backup grew" in fields["message"]
    assert json.loads(fields["actions"])[0]["action"] == "view"


@pytest.mark.parametrize("refusal", [400, 401, 405, 413, 500, 507, 0, HANGS])
def test_ntfy_that_refuses_the_chart_gets_the_message_at_once(refusal: int) -> None:
    with NtfyServer(refusal) as server:
        found = told(server)
    methods = [method for method, *_ in server.got]
    assert (found, methods) == (Attempt("done", "HTTP 200"), ["PUT", "POST"])
    assert "2.1%, usual 40%" in server.got[1][2]["message"]


def test_ntfy_that_refuses_both_is_told_of_by_its_last_answer() -> None:
    with NtfyServer(413, 403) as server:
        assert told(server) == Attempt("permanent", "HTTP 403")
