"""Boards that people make: their forms, their bounds, their file, and two people at once."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from dashboard import board_files
from dashboard.boards import KINDS, MOST_BOARDS, MOST_PANELS, UNITS, Board, Changed, Panel, checked, named
from tests.dashboard import situations
from tests.dashboard.test_pages import EVIL, get
from tests.dashboard.world import World

UP = {"title": "Answers", "expr": "up", "unit": "count", "kind": "lines", "thresholds": ""}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def send(client: FlaskClient, path: str, **fields: Any) -> Any:
    """As a browser sends a form of the page."""
    text = client.get("/boards").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert token
    return client.post(path, data={"csrf_token": token[1], **fields})


def revision(world: World, name: str = "launch") -> int:
    return world.boards.get(name).revision


def test_a_board_is_made_filled_arranged_and_removed(world: World) -> None:
    client = world.client()
    made = send(client, "/boards", title=" Launch  day ")
    assert (made.status_code, made.location) == (303, "/boards/launch-day#charts")
    here = "/boards/launch-day"
    for title in ("a", "b", "c"):
        now = revision(world, "launch-day")
        assert send(client, f"{here}/panels", **{**UP, "title": title}, revision=now).status_code == 303
    send(client, f"{here}/panels/2", what="up", revision=revision(world, "launch-day"))
    send(client, f"{here}/panels/0", what="remove", revision=revision(world, "launch-day"))
    changed = {"title": "B", "expr": "rate(x_total[$__rate_interval])", "unit": "per_second", "kind": "area",
               "thresholds": "3, 4.5"}  # fmt: skip
    send(client, f"{here}/panels/1", what="save", **changed, revision=revision(world, "launch-day"))
    board = world.boards.get("launch-day")
    assert board.title == "Launch day"
    assert board.panels == (
        Panel("c", "up"), Panel("B", "rate(x_total[$__rate_interval])", "per_second", "area", (3.0, 4.5)),
    )  # fmt: skip
    send(client, here, what="rename", title="Later", revision=board.revision)
    assert get(client, "/boards")["boards"] == [{"name": "launch-day", "title": "Later", "panels": ["c", "B"]}]
    send(client, here, what="remove", revision=0)
    assert world.boards.all() == []
    assert client.get(here).status_code == 404


def test_its_panels_are_charts_with_their_thresholds(tmp_path: Path) -> None:
    world = situations.trouble(tmp_path / "trouble")
    world.boards.take([situations.BOARD])
    requests, workers, nothing = (each["plot"] for each in get(world.client(), "/boards/launch")["panels"])
    assert (requests["unit"], requests["kind"], requests["title"]) == ("per_second", "area", "Requests")
    assert [(level["name"], level["value"]) for level in requests["levels"]] == [("threshold", 60.0)]
    assert [trace["name"] for trace in workers["traces"]] == ["shop", "www"]
    assert (nothing["traces"], nothing["note"]) == ([], "No series has a value in this time.")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"expr": "rate("}, "parse error in &#39;rate(&#39;"),
        ({"expr": "no_such_function(up)"}, "unknown function"),
        ({"expr": "up[5m]"}, "this is a range of samples"),
        ({"expr": '"up"'}, "this is a text"),
        ({"expr": " "}, "expected an expression of 1 to 4000 characters, found 0"),
        ({"expr": "up" * 2001}, "found 4002"),
        ({"title": " "}, "expected a title of 1 to 80 characters, found 0"),
        ({"unit": "furlongs"}, "expected a unit, one of count, per_second,"),
        ({"kind": "pie"}, "expected a kind, one of lines, area, stack, found"),
        ({"thresholds": "high"}, "expected thresholds such as 0.8, 0.95, found"),
        ({"thresholds": "nan"}, "expected at most 3 thresholds, each a number"),
        ({"thresholds": "1 2 3 4"}, "expected at most 3 thresholds"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_sent_stays(world: World, wrong: dict[str, str], words: str) -> None:
    world.boards.take([Board("launch", "Launch", (Panel("Answers", "up"),))])
    client = world.client()
    for path in ("/boards/launch/panels", "/boards/launch/panels/0"):
        answer = send(client, path, **{**UP, **wrong}, revision=revision(world))
        text = answer.get_data(as_text=True)
        assert answer.status_code == 400
        assert words.lower() in text.lower()
        if sent := wrong.get("expr", "").strip():
            assert f'value="{sent}"' in text.replace("&#34;", '"')
    assert world.boards.get("launch").panels == (Panel("Answers", "up"),)


def test_two_people_do_not_undo_each_other(world: World) -> None:
    world.boards.take([Board("launch", "Launch", (Panel("Answers", "up"),))])
    client, seen = world.client(), revision(world)
    assert send(client, "/boards/launch/panels", **UP, revision=seen).status_code == 303
    late = send(client, "/boards/launch/panels/0", what="remove", revision=seen)
    assert late.status_code == 409
    assert "somebody changed this board in the meantime" in late.get_data(as_text=True).lower()
    assert len(world.boards.get("launch").panels) == 2
    with pytest.raises(Changed):
        world.boards.change(Board("launch", "Old", (), seen))
    assert send(client, "/boards/launch/panels/7", what="up", revision=revision(world)).status_code == 400


def test_boards_and_panels_are_bounded(world: World) -> None:
    world.boards.take(Board(f"b{number}", "B") for number in range(MOST_BOARDS))
    refused = send(world.client(), "/boards", title="One more")
    assert (refused.status_code, len(world.boards.all())) == (400, MOST_BOARDS)
    assert "there are 50 boards already" in refused.get_data(as_text=True).lower()
    world.boards.take([Board("b1", "In its place", (Panel("Answers", "up"),) * MOST_PANELS)])
    refused = send(world.client(), "/boards/b1/panels", **UP, revision=revision(world, "b1"))
    assert (refused.status_code, len(world.boards.get("b1").panels)) == (400, MOST_PANELS)
    assert "expected at most 40 panels" in refused.get_data(as_text=True).lower()


def test_the_same_title_twice_is_two_boards(world: World) -> None:
    assert [world.boards.add("Día D") for _ in range(3)] == ["d-a-d", "d-a-d-2", "d-a-d-3"]
    assert (named("…"), len(named("x" * 80))) == ("board", 60)


def test_explore_saves_a_panel_to_a_board_or_to_a_new_one(world: World) -> None:
    client = world.client()
    first = send(client, "/boards/panels", board="", new="Launch", **UP)
    assert (first.status_code, first.location) == (303, "/boards/launch#chart-panel-1")
    assert send(client, "/boards/panels", board="launch", **UP).location == "/boards/launch#chart-panel-2"
    assert send(client, "/boards/panels", board="", **{**UP, "expr": "rate("}).status_code == 400
    assert send(client, "/boards/panels", board="gone", **UP).status_code == 404
    assert [len(board.panels) for board in world.boards.all()] == [2]


def test_the_form_of_explore_knows_the_unit(tmp_path: Path) -> None:
    world = situations.trouble(tmp_path / "trouble")
    world.boards.take([situations.BOARD])
    text = world.client().get("/explore?q=node_filesystem_avail_bytes").get_data(as_text=True)
    assert '<option value="launch">Launch day</option>' in text
    assert '<option value="bytes" selected>' in text


def test_nothing_happens_without_the_form_or_the_login(world: World) -> None:
    assert world.client().post("/boards", data={"title": "x"}).status_code == 400
    assert world.stranger().post("/boards", data={"title": "x"}).status_code == 302
    token = {"Authorization": f"Bearer {world.token('write')}"}
    assert world.stranger().post("/boards", data={"title": "x"}, headers=token).status_code == 403
    assert world.boards.all() == []


def test_nothing_of_a_board_is_taken_for_markup(world: World) -> None:
    world.boards.take([Board("launch", EVIL, (Panel(EVIL, 'up{job="<b>"}'),))])
    for path in ("/boards", "/boards/launch"):
        assert "<script>alert" not in world.client().get(path).get_data(as_text=True)


def test_boards_come_and_go_as_yaml(world: World) -> None:
    world.boards.take([situations.BOARD])
    client = world.client()
    text = client.get("/boards.yml").get_data(as_text=True)
    assert board_files.read(client.get("/boards/launch.yml").get_data(as_text=True)) == board_files.read(text)
    world.boards.remove("launch")
    assert send(client, "/boards/import", text=text.replace("\n", "\r\n")).status_code == 303
    assert world.boards.get("launch").panels == situations.BOARD.panels
    refused = send(client, "/boards/import", text="boards: [{title: x, panels: [{title: y}]}]")
    assert refused.status_code == 400
    assert "boards:1: expr: expected a value, found none" in refused.get_data(as_text=True).lower()


panels = st.builds(
    Panel,
    title=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20),
    expr=st.sampled_from(["up", 'a{b="#: é"}', "- 1", "rate(x_total[$__rate_interval])", "a\n+ b"]),
    unit=st.sampled_from(UNITS),
    kind=st.sampled_from(KINDS),
    thresholds=st.lists(st.floats(-1e9, 1e9), max_size=3).map(tuple),
)
boards = st.builds(Board, name=st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True), title=st.just("T"),
                   panels=st.lists(panels, max_size=4).map(tuple))  # fmt: skip


@given(st.lists(boards, max_size=4, unique_by=lambda board: board.name))
def test_what_is_written_is_what_is_read(found: list[Board]) -> None:
    assert board_files.read(board_files.written(found)) == [checked(board) for board in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "f.yml:1: boards: expected a list of boards, found nothing"),
        ("boards: {", "f.yml:1: file: expected YAML"),
        ("- a", "f.yml:1: file: expected a mapping, found a list"),
        ("boards:\n- title: x\n  color: red", "f.yml:3: color: expected one of name, title, panels, found an unknown"),
        ("boards:\n- name: a\n- name: a", "f.yml: boards: expected each name once, found 'a' again"),
        ("boards:\n- name: A b", "f.yml:2: boards: expected a name of small letters, digits and -, found 'A b'"),
        ("boards:\n- {}", "f.yml:2: boards: expected a title of 1 to 80 characters, found 0"),
        ("boards:\n- title: x\n  panels:\n  - {title: y, expr: 'rate('}", "f.yml:4: panels: expected"),
        ("boards:\n- title: x\n  panels:\n  - {title: y, expr: up, thresholds: [a]}", "thresholds: expected a number"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(board_files.NoBoards, match=re.escape(words)):
        board_files.read(text, "f.yml")
