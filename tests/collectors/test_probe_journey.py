"""What is asked over HTTP, what a good answer is, and journeys that carry cookies and values on."""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.reading import trial
from collectors.probe import COLLECTOR, read
from collectors.probe.attempt import Facts
from collectors.probe.config import Probe
from collectors.probe.families import FAMILIES, STEP_DURATION, STEP_SUCCESS, parse
from collectors.probe.journey import filled

FORM = '<form><input name="form_build_id" value="form-a+b/c=1"><input name="form_id" value="user_login_form"></form>'
STATUS = {"status": "ok", "queues": [{"name": "mail", "items": 7}], "token": "t-42"}


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: str


class Shop(BaseHTTPRequestHandler):
    """A site with a login form; `asked` keeps what came."""

    asked: list[Asked]

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        found = getattr(self, f"on{self.path.partition('?')[0].replace('/', '_').rstrip('_')}", None)
        status, headers, text = found(body) if found else (404, {}, "not here")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._do
        raise AttributeError(name)

    def on(self, _body: str) -> tuple[int, dict[str, str], str]:
        return 200, {"X-Generator": "Drupal 11", "Set-Cookie": "seen=1; Path=/"}, FORM

    def on_status(self, _body: str) -> tuple[int, dict[str, str], str]:
        return 200, {"Content-Type": "application/json"}, json.dumps(STATUS)

    def on_login(self, body: str) -> tuple[int, dict[str, str], str]:
        fields = parse_qs(body)
        good = fields.get("pass") == ["s3cret&"] and fields.get("form_build_id") == ["form-a+b/c=1"]
        if not good or "seen=1" not in self.headers.get("Cookie", ""):
            return 200, {}, "wrong name or password"
        return 303, {"Location": "/user/1", "Set-Cookie": "SESSabc=42; Path=/user; HttpOnly"}, ""

    def on_user_1(self, _body: str) -> tuple[int, dict[str, str], str]:
        known = "SESSabc=42" in self.headers.get("Cookie", "") and self.command == "GET"
        return (200, {}, "Log out") if known else (403, {}, "denied")

    def on_old(self, _body: str) -> tuple[int, dict[str, str], str]:
        return 301, {"Location": "/"}, ""

    def on_kept(self, _body: str) -> tuple[int, dict[str, str], str]:
        return 307, {"Location": "/status"}, ""

    def on_away_kept(self, _body: str) -> tuple[int, dict[str, str], str]:
        return 307, self.on_away("")[1], ""

    def on_away(self, _body: str) -> tuple[int, dict[str, str], str]:
        return 302, {"Location": f"http://localhost:{self.connection.getsockname()[1]}/status"}, ""

    def log_message(self, *_: object) -> None:
        pass


class Site(NamedTuple):
    url: str
    asked: list[Asked]


@pytest.fixture
def site() -> Iterator[Site]:
    handler = type("Handler", (Shop,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_address[1]}", handler.asked)  # type: ignore[attr-defined]
        server.shutdown()
        thread.join(60)


def facts(url: str, **settings: Any) -> Facts:
    return read(Probe.model_validate({"url": url, **settings}))


@pytest.mark.parametrize(
    ("path", "settings", "reason"),
    [
        ("/", {"must_match": ['name="form_build_id"', "(?i)FORM_ID"]}, ""),
        ("/", {"must_match": ["^nothing$"]}, "body"),
        ("/", {"must_not_match": ["Fatal error|Stack trace"]}, ""),
        ("/", {"must_not_match": ["user_.*_form"]}, "body"),
        ("/", {"expect_headers": [{"name": "x-generator", "matches": "^Drupal 1[01]"}]}, ""),
        ("/", {"expect_headers": [{"name": "X-Generator", "matches": "^Drupal 7"}]}, "header"),
        ("/", {"expect_headers": [{"name": "Strict-Transport-Security"}]}, "header"),
        ("/", {"expect_headers": [{"name": "X-Powered-By", "absent": True}]}, ""),
        ("/", {"expect_headers": [{"name": "X-Generator", "absent": True}]}, "header"),
        ("/status", {"expect_json": ['$.status == "ok"', "$.queues[0].items < 100", "$.token"]}, ""),
        ("/status", {"expect_json": ["$.queues[0].items < 5"]}, "json"),
        ("/", {"expect_json": ["$.status"]}, "json"),
        ("/", {"max_seconds": 5}, ""),
        ("/", {"max_seconds": 0.000001}, "slow"),
        ("/old", {"follow_redirects": False, "expect_status": [301]}, ""),
        ("/old", {"follow_redirects": False, "must_contain": "form"}, "body"),
        ("/old", {}, ""),
        ("/gone", {"must_match": ["nowhere"]}, "status"),
        ("/", {"method": "HEAD"}, ""),
        ("/", {"certificate": {"days_left": 1}}, "certificate"),
    ],
)
def test_what_a_good_answer_is(site: Site, path: str, settings: dict[str, Any], reason: str) -> None:
    found = facts(site.url + path, **settings)
    assert found["reason"] == reason, found["error"]
    names = {sample.family.name: sample.value for sample in parse(found)}
    assert names["probe_failed_due_to_regex"] == (reason in ("body", "header"))


def test_what_is_sent(site: Site, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    (tmp_path / "body").write_text('{"a": {}}')
    headers = [{"name": "Accept", "value": "text/plain"}, {"name": "X-Key", "value_file": tmp_path / "key"}]
    facts(f"{site.url}/status", method="PUT", headers=headers, body_file=tmp_path / "body")
    facts(f"{site.url}/status", method="POST", form=[{"name": "a", "value": "b c&d"}])
    facts(f"{site.url}/status", username="me", password="a:b")
    facts(f"{site.url}/status", token="t1")
    put, post, basic, bearer = site.asked
    assert (put.method, put.body, put.headers["X-Key"]) == ("PUT", '{"a": {}}', "from a file")
    assert (put.headers["Accept"], put.headers["User-Agent"]) == ("text/plain", "raingauge")
    assert (post.body, post.headers["Content-Type"]) == ("a=b+c%26d", "application/x-www-form-urlencoded")
    assert basic.headers["Authorization"] == f"Basic {b64encode(b'me:a:b').decode()}"
    assert bearer.headers["Authorization"] == "Bearer t1"


def test_a_redirect_carries_on_what_it_should(site: Site) -> None:
    facts(f"{site.url}/old", method="POST", form=[{"name": "a", "value": "b"}])
    facts(f"{site.url}/kept", method="POST", form=[{"name": "a", "value": "b"}])
    assert [(each.method, each.path, each.body) for each in site.asked] == [
        ("POST", "/old", "a=b"), ("GET", "/", ""), ("POST", "/kept", "a=b"), ("POST", "/status", "a=b"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "known", [{"token": "t1"}, {"headers": [{"name": "authorization", "value": "Bearer t1"}]}], ids=["token", "header"]
)
def test_no_other_site_is_told_who_we_are(site: Site, known: dict[str, Any]) -> None:
    found = facts(f"{site.url}/away", **known)
    assert found["reason"] == ""
    told = [any(name.lower() == "authorization" for name in each.headers) for each in site.asked]
    assert told == [True, False]


def test_a_form_is_not_sent_on_to_another_site(site: Site) -> None:
    found = facts(f"{site.url}/away/kept", method="POST", form=[{"name": "pass", "value": "s3cret"}])
    assert (found["reason"], len(site.asked)) == ("protocol", 1)


def journey(tmp_path: Path, **last: Any) -> dict[str, Any]:
    (tmp_path / "password").write_text("s3cret&\n")
    form = [
        {"name": "name", "value": "monitor"},
        {"name": "pass", "value_file": tmp_path / "password"},
        {"name": "form_build_id", "value": "{build}"},
    ]
    return {
        "extract": [{"name": "build", "regex": 'form_build_id" value="([^"]+)"'}],
        "steps": [
            {"name": "log in", "url": "/login", "method": "POST", "form": form, "must_contain": "Log out"},
            {"name": "status", "url": "/status", "extract": [{"name": "token", "json_path": "$.token"}]},
            {"name": "last", "url": "/status?token={token}", "body": '{"t": "{token}", "{none}": {}}',
             "headers": [{"name": "X-Token", "value": "{token}"}], "method": "POST", **last},
        ],
    }  # fmt: skip


def test_a_login_journey(site: Site, tmp_path: Path) -> None:
    found = facts(f"{site.url}/", **journey(tmp_path))
    assert found["error"] == ""
    samples = list(parse(found))
    steps = ["start", "log in", "status", "last"]
    assert [sample.labels[0] for sample in samples if sample.family is STEP_DURATION] == steps
    assert [sample.value for sample in samples if sample.family is STEP_SUCCESS] == [1, 1, 1, 1]
    last = site.asked[-1]
    assert (last.path, last.body, last.headers["X-Token"]) == (
        "/status?token=t-42", '{"t": "t-42", "{none}": {}}', "t-42",
    )  # fmt: skip
    assert {sample.family for sample in samples} <= set(FAMILIES)
    assert "s3cret" not in json.dumps(found)
    assert "t-42" not in json.dumps(found)


def test_two_journeys_share_no_cookie(site: Site, tmp_path: Path) -> None:
    for _ in range(2):
        facts(f"{site.url}/", **journey(tmp_path))
    assert [each.headers.get("Cookie") for each in site.asked if each.path == "/"] == [None, None]


def test_the_step_that_fails_is_named_and_ends_the_journey(site: Site, tmp_path: Path) -> None:
    settings = journey(tmp_path)
    (tmp_path / "password").write_text("other")
    found = facts(f"{site.url}/", **settings)
    assert (found["reason"], found["error"].startswith("step log in: expected 'Log out'")) == ("body", True)
    assert [sample.value for sample in parse(found) if sample.family is STEP_SUCCESS] == [1, 0]


@pytest.mark.parametrize(
    ("extract", "reason"),
    [
        ({"regex": "no such (.*)text"}, "body"),
        ({"json_path": "$.nothing"}, "json"),
        ({"json_path": "$.queues"}, ""),
        ({"regex": '"status": "(\\w+)"'}, ""),
        ({"regex": '"status"'}, ""),
    ],
)
def test_a_value_that_is_not_there_fails_the_step(site: Site, extract: dict[str, Any], reason: str) -> None:
    found = facts(f"{site.url}/status", extract=[{"name": "x", **extract}], steps=[{"name": "next", "url": "/?x={x}"}])
    assert found["reason"] == reason
    assert len(site.asked) == (1 if reason else 2)


def test_a_value_with_a_line_break_is_not_sent_as_a_header(site: Site) -> None:
    extract = [{"name": "x", "regex": "(?s)(<form.*)"}]
    for value in ("s3cret\r\nY: {x}", "s3cret\u20ac", "s3cret\x00"):
        steps = [{"name": "next", "url": "/", "headers": [{"name": "X", "value": value}]}]
        found = facts(f"{site.url}/", extract=extract, steps=steps)
        assert (found["reason"], "s3cret" in found["error"]) == ("protocol", False)
        assert len(site.asked) == 1
        site.asked.clear()
    steps = [{"name": "next", "url": "/", "headers": [{"name": "X", "value": "{x}"}]}]
    extract = [{"name": "x", "regex": "(?s)<form>(.)"}]
    assert facts(f"{site.url}/", extract=extract, steps=steps)["reason"] == ""
    site.asked.pop()
    assert len(site.asked) == 1


def test_a_secret_that_cannot_be_read_is_no_failure_of_the_site(tmp_path: Path) -> None:
    for settings in ({"token_file": tmp_path / "x"}, {"body_file": tmp_path / "x"},
                     {"headers": [{"name": "A", "value_file": tmp_path / "x"}]}):  # fmt: skip
        (reading,) = trial(COLLECTOR, Probe.model_validate(settings))
        assert reading.outcome == "denied"
        assert str(tmp_path / "x") in reading.error


@given(st.text(), st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True), st.text(), max_size=3))
def test_what_is_filled_in_is_filled_in_once(text: str, values: dict[str, str]) -> None:
    assert filled(text.replace("{", ""), values) == text.replace("{", "")
    for name, value in values.items():
        assert filled(f"a{{{name}}}b", values) == f"a{value}b"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"form": [{"name": "a", "value": "b"}], "body": "c"}, "expected one of form, body and body_file"),
        ({"headers": [{"name": "a"}]}, "expected value or value_file"),
        ({"headers": [{"name": "a b", "value": "c"}]}, "should match pattern"),
        ({"extract": [{"name": "a"}]}, "expected regex or json_path"),
        ({"extract": [{"name": "a-b", "regex": "x"}]}, "should match pattern"),
        ({"steps": [{"name": "a", "url": "/"}] * 2}, "expected each step's name once"),
        ({"steps": [{"name": f"{n}", "url": "/"} for n in range(20)]}, "at most 19"),
        ({"must_match": ["a{2000}"]}, "expected a regular expression"),
        ({"tcp": {"address": "mail:25"}, "icmp": {"address": "mail"}}, "expected one of tcp, dns, icmp and fastcgi"),
    ],
)
def test_settings_that_could_never_work_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Probe.model_validate(settings)
