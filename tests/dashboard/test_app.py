"""What every answer carries, what is said when something is wrong, and the files that browsers may keep."""

import gzip
import logging
from pathlib import Path

import pytest
from flask import Blueprint

from dashboard import pages
from dashboard.assets import STATIC
from dashboard.security import HEADERS
from tests.dashboard.world import World

JSON = {"Accept": "application/json"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """With one page more, which breaks."""
    broken = Blueprint("broken", __name__)

    @broken.get("/broken")
    def _break() -> str:
        raise RuntimeError("the secret is hunter2")

    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, broken))
    return World(tmp_path)


@pytest.mark.parametrize(
    "path", ["/login", "/", "/nothing", "/broken", "/api/v1/query?query=1", "/api/v1/query?query=("]
)
def test_every_answer_protects_the_browser(world: World, path: str) -> None:
    for client in (world.stranger(), world.client()):
        answer = client.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["Cache-Control"] == "no-store"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_a_bug_ends_one_request_with_a_number_that_the_log_has(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "raingauge.dashboard"):
        page = world.client().get("/broken")
    number = caplog.messages[0].split()[0].removeprefix("request=")
    assert (page.status_code, number in page.text) == (500, True)
    assert "hunter2" not in page.text
    assert "hunter2" in caplog.text
    answer = world.client().get("/broken", headers=JSON).json
    assert answer is not None
    assert (answer["status"], answer["errorType"]) == ("error", "internal_error")


def test_what_is_not_there_and_what_is_not_taken(world: World) -> None:
    client = world.client()
    assert "There is nothing here." in client.get("/nothing").text
    assert client.get("/api/v1/nothing").json == {
        "status": "error", "errorType": "not_found", "error": "There is nothing here.",
    }  # fmt: skip
    answer = client.delete("/api/v1/query")
    assert (answer.status_code, "GET" in answer.headers["Allow"]) == (405, True)


def test_a_form_that_is_too_large(world: World) -> None:
    answer = world.client().post("/api/v1/query", data={"query": "1" * 2_000_000})
    assert (answer.status_code, answer.json and answer.json["error"]) == (413, "The request is larger than 1 MB.")


def test_large_answers_are_packed_for_who_takes_it(world: World) -> None:
    client = world.client()
    query = {"query": 'label_replace(vector(1), "a", "' + "x" * 3000 + '", "", "")'}
    plain = client.get("/api/v1/query", query_string=query)
    packed = client.get("/api/v1/query", query_string=query, headers={"Accept-Encoding": "gzip"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert len(gzip.decompress(packed.data)) == len(plain.data)
    assert "Accept-Encoding" in packed.headers["Vary"]
    refused = client.get("/api/v1/query", query_string=query, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers
    small = client.get("/api/v1/query?query=1", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers


def test_files_have_their_hash_in_the_name_and_are_kept_for_ever(world: World) -> None:
    url = world.app.jinja_env.globals["asset"]
    assert callable(url)
    path = url("plotly.js")
    answer = world.stranger().get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype in ("text/javascript", "application/javascript")
    assert len(answer.data) < 600_000
    again = world.stranger().get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    with pytest.raises(KeyError):
        url("nothing.js")


@pytest.mark.parametrize("name", ["plotly.js", "plotly.000000000000.js", "../app.py", "..%2fapp.py", "vendor", ""])
def test_no_other_file_is_served(world: World, name: str) -> None:
    assert world.stranger().get(f"/static/{name}").status_code in (302, 404)


def test_nothing_of_another_host_is_loaded() -> None:
    folders = (STATIC, STATIC.parent / "templates")
    files = [
        path for folder in folders for path in folder.glob("*.*") if path.suffix in (".html", ".css", ".js", ".svg")
    ]
    assert files
    loads = ("src=", "url(", "import ", "fetch(", "<link", "action=")
    lines = [
        f"{path.name}: {line.strip()}"
        for path in files
        for line in path.read_text().splitlines()
        if any(word in line for word in loads) and ("http://" in line or "https://" in line or '"//' in line)
    ]
    assert lines == []
