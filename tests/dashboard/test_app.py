"""What every answer carries, and what is said when something is wrong."""

import gzip
import logging
from pathlib import Path

import pytest
from flask import Blueprint, render_template_string

from dashboard import pages
from dashboard.security import HEADERS, POLICY
from tests.dashboard.world import World

JSON = {"Accept": "application/json"}
LONG = {"query": 'label_replace(vector(1), "a", "' + "x" * 3000 + '", "", "")'}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """With pages that break, beside the real ones."""
    more = Blueprint("more", __name__)

    @more.get("/broken")
    @more.get("/api/v1/broken")
    @more.get("/broken/<name>")
    def _break(name: str = "") -> str:
        raise RuntimeError(f"the secret is hunter2 {name}")

    @more.get("/misspelt")
    def _misspell() -> str:
        return render_template_string("{{ hunter2 }}")

    @more.get("/long")
    def _long() -> str:
        return "ä" * 2000

    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, more))
    return World(tmp_path)


@pytest.mark.parametrize(
    ("path", "stranger", "known"),
    [("/login", 200, 302), ("/login?key=x", 403, 302), ("/nothing", 302, 404), ("/broken", 302, 500),
     ("/logout", 302, 405), ("/static/nothing.js", 404, 404), ("/api/v1/query?query=1", 401, 200),
     ("/api/v1/query?query=(", 401, 400), ("/api/v1/nothing", 401, 404), ("/api/v1/broken", 401, 500)],
)  # fmt: skip
def test_every_answer_protects_the_browser(world: World, path: str, stranger: int, known: int) -> None:
    for client, status in ((world.stranger(), stranger), (world.client(), known)):
        answer = client.get(path)
        assert answer.status_code == status
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_policy_allows_nothing_inline_and_no_other_host() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    allowed = {source for sources in rules.values() for source in sources.split()}
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert (rules["script-src"], rules["connect-src"], rules["form-action"]) == ("'self'",) * 3
    assert allowed - {"'self'", "'none'", "data:"} == {"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"}


@pytest.mark.parametrize("path", ["/broken", "/misspelt", "/api/v1/broken"])
def test_a_bug_ends_one_request_with_a_number_that_the_log_has(
    world: World, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.client()
    with caplog.at_level(logging.ERROR, "raingauge.dashboard"):
        answers = [client.get(path), client.get(path, headers=JSON)]
    numbers = [message.split()[0].removeprefix("request=") for message in caplog.messages]
    assert len(set(numbers)) == 2
    for answer, number in zip(answers, numbers, strict=True):
        assert (answer.status_code, number in answer.text) == (500, True)
        assert "hunter2" not in answer.text
        assert "Traceback" not in answer.text
    assert answers[1].json == {
        "status": "error",
        "errorType": "internal",
        "error": f"Something is broken in Raingauge. The log has the details under this number. ({numbers[1]})",
    }
    assert caplog.text.count("hunter2") >= 2
    assert client.get("/long").status_code == 200


def test_the_log_of_a_bug_cannot_be_forged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "raingauge.dashboard"):
        world.client().get("/broken/x%0Arequest=1 all is well?token=hunter3")
    [message] = caplog.messages
    assert "\n" not in message
    assert "hunter3" not in message


def test_what_is_not_there_and_what_is_not_taken(world: World) -> None:
    client = world.client()
    page = client.get("/nothing")
    assert (page.mimetype, "There is nothing here." in page.text) == ("text/html", True)
    for answer in (client.get("/nothing", headers=JSON), client.get("/api/v1/nothing")):
        assert answer.json == {"status": "error", "errorType": "not_found", "error": "There is nothing here."}
    for path in ("/api/v1/query", "/long"):
        answer = client.delete(path)
        assert (answer.status_code, "GET" in answer.headers["Allow"]) == (405, True)


def test_a_request_that_is_too_large(world: World) -> None:
    bearer = {"Authorization": f"Bearer {world.token()}"}
    client = world.stranger()
    taken, refused = (
        client.post("/api/v1/labels", data={"more": "1" * size}, headers=bearer) for size in (990_000, 1_000_001)
    )
    assert taken.status_code == 200
    assert (refused.status_code, refused.json) == (
        413, {"status": "error", "errorType": "bad_data", "error": "The request is larger than 1 MB."},
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/long", "/api/v1/query"])
def test_large_answers_are_packed_for_who_takes_it(world: World, path: str) -> None:
    client = world.client()
    plain = client.get(path, query_string=LONG)
    packed = client.get(path, query_string=LONG, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 5
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    for refused in ("gzip;q=0", "br", "identity"):
        assert (
            "Content-Encoding" not in client.get(path, query_string=LONG, headers={"Accept-Encoding": refused}).headers
        )
    small = client.get("/api/v1/query?query=1", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers
    head = client.head(path, query_string=LONG, headers={"Accept-Encoding": "gzip"})
    assert (head.status_code, head.data) == (200, b"")
