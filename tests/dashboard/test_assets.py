"""The files that browsers may keep for a year, and that nothing is taken from anywhere else."""

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask

from dashboard import vendor
from dashboard.assets import STATIC, Assets
from tests.dashboard.world import World

FOREIGN = re.compile(r"""(?:https?|wss?):\S+|["'(=]\s*//\w[\w.-]*""", re.IGNORECASE)
NAMESPACES = re.compile(r"http://www\.w3\.org/\d{4}/(?:svg|xhtml|xlink)")
LINKS = re.compile(r"""(?:<a\b[^>]*\bhref|\bplaceholder)="https://[^"]*\"""")
"""The reader may go there, the page does not."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def address(world: World, name: str) -> str:
    with world.app.test_request_context():
        return str(world.app.jinja_env.from_string("{{ asset(name) }}").render(name=name))


def test_a_file_has_its_hash_in_its_name_and_is_kept_for_ever(world: World) -> None:
    path = address(world, "plotly.js")
    answer = world.stranger().get(path)
    assert re.fullmatch(r"/static/plotly\.[0-9a-f]{12}\.js", path)
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers["Vary"]
    assert answer.data == vendor.bundle().read_bytes()


def test_it_is_packed_for_who_takes_it(world: World) -> None:
    client, path = world.stranger(), address(world, "plotly.js")
    packed = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(packed.data) == client.get(path).data
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    again = client.get(path, headers={"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == packed.headers["Cache-Control"]


def test_another_content_has_another_address(tmp_path: Path) -> None:
    for name, content in (("a.css", "a{}"), ("b.css", "b{}"), ("notes.txt", "")):
        (tmp_path / name).write_text(content)
    (tmp_path / "vendor").mkdir()
    before = Assets(tmp_path)
    (tmp_path / "a.css").write_text("a{color:red}")
    after = Assets(tmp_path)
    with Flask("any").test_request_context():
        assert before.url("a.css") != after.url("a.css")
        assert before.url("b.css") == after.url("b.css")
        with pytest.raises(KeyError):
            after.url("notes.txt")


def test_the_wheels_bundle_serves_where_the_small_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = vendor.bundle(tmp_path)
    monkeypatch.setattr(vendor, "bundle", lambda: full)
    world = World(tmp_path)
    assert world.stranger().get(address(world, "plotly.js")).data == full.read_bytes()


@pytest.mark.parametrize("name", ["plotly.js", "plotly.000000000000.js", "../app.py", "..%2fapp.py", "vendor",
                                  "vendor/plotly-basic.min.js", "", "%00"])  # fmt: skip
def test_no_other_file_is_served(world: World, name: str) -> None:
    answer = world.client().get(f"/static/{name}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")


def foreign(text: str) -> list[str]:
    return FOREIGN.findall(LINKS.sub("", NAMESPACES.sub("", text)))


def test_nothing_of_another_host_is_loaded() -> None:
    kinds = {".html", ".css", ".js", ".svg", ".json", ".webmanifest"}
    files = [path for folder in (STATIC, STATIC.parent / "templates") for path in folder.rglob("*")]
    ours = [path for path in files if path.suffix in kinds and "vendor" not in path.parts]
    assert len(ours) >= 3
    assert {path.name: found for path in ours if (found := foreign(path.read_text()))} == {}


def test_what_counts_as_another_host() -> None:
    for text in ('<script src="https://cdn.example/x.js">', "url(//cdn.example/x)", "fetch('//a.b')", 'src=//a.b',
                 '<link href="https://a.b">', "new WebSocket('wss://a.b')", "@import 'HTTP://a.b'"):  # fmt: skip
        assert foreign(text), text
    for text in ('<svg xmlns="http://www.w3.org/2000/svg">', "// a comment", 'src="/static/x.js"', "a //b",
                 '<a class="x" href="https://docs.example/">'):  # fmt: skip
        assert not foreign(text), text
