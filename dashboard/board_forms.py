"""What people do to boards on pages. Forms; each answer leads back to the page, or is the page with what is wrong."""

from dataclasses import replace

from flask import Blueprint, Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from dashboard import board_files
from dashboard.asked import answer, remembering, view
from dashboard.boards import Board, Changed, checked_panel, moved
from dashboard.caller import note
from dashboard.pages import board as one
from dashboard.pages import boards as all_of_them
from dashboard.panel_fields import Fields, panel
from dashboard.panel_fields import sent as sent_fields
from dashboard.services import services

MOVES = {"up": -1, "down": 1}
MOST_CHARACTERS = 250_000
"""Of YAML that is sent: to read 1 MB takes half a minute of a core. `raingauge boards import` takes more."""

blueprint = Blueprint("board_forms", __name__)


@blueprint.post("/boards")
def make() -> ResponseReturnValue:
    title = request.form.get("title", "")
    try:
        name = services().boards.add(title)
    except ValueError as error:
        return _all(problem=str(error), title=title)
    note(f"board {name} made")
    return _to(name)


@blueprint.post("/boards/import")
def take() -> ResponseReturnValue:
    text = request.form.get("text", "").replace("\r\n", "\n")
    try:
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"expected at most {MOST_CHARACTERS:,} characters, found {len(text):,}")
        boards = board_files.read(text)
        services().boards.take(boards)
    except ValueError as error:
        return _all(problem=str(error), text=text)
    note(f"boards {', '.join(board.name for board in boards)} imported")
    return redirect(url_for("boards.page"), 303)


@blueprint.post("/boards/<name>")
def change(name: str) -> ResponseReturnValue:
    """Another title, or away with it."""
    board = one.found(name)
    if request.form.get("what") == "remove":
        services().boards.remove(name)
        note(f"board {name} removed")
        return redirect(url_for("boards.page"), 303)
    return _kept(replace(board, title=request.form.get("title", ""), revision=_revision()), None, "top")


@blueprint.post("/boards/panels")
def save() -> ResponseReturnValue:
    """A panel of Explore, for a board that is there, or for a new one."""
    name, title = request.form.get("board", ""), request.form.get("new", "").strip()
    sent = sent_fields(-1)
    if not name:
        try:
            checked_panel(panel(sent))
            name = services().boards.add(title or sent.title)
            note(f"board {name} made")
        except ValueError as error:
            return _all(problem=str(error), title=title)
    return _add(one.found(name), sent)


@blueprint.post("/boards/<name>/panels")
def add(name: str) -> ResponseReturnValue:
    return _add(replace(one.found(name), revision=_revision()), sent_fields(-1))


@blueprint.post("/boards/<name>/panels/<int:at>")
def edit(name: str, at: int) -> ResponseReturnValue:
    """`what`: save, up, down or remove."""
    board, what = replace(one.found(name), revision=_revision()), request.form.get("what", "save")
    if at >= len(board.panels):
        return _refused(board, "this panel is gone", None)
    if what in MOVES:
        to = min(len(board.panels) - 1, max(0, at + MOVES[what]))
        return _kept(replace(board, panels=moved(board.panels, at, MOVES[what])), None, f"chart-panel-{to + 1}")
    panels = list(board.panels)
    if what == "remove":
        del panels[at]
        return _kept(replace(board, panels=tuple(panels)), None, "charts")
    sent = sent_fields(at)
    try:
        panels[at] = checked_panel(panel(sent))
    except ValueError as error:
        return _refused(board, str(error), sent)
    return _kept(replace(board, panels=tuple(panels)), sent, f"chart-panel-{at + 1}")


def _add(board: Board, sent: Fields) -> ResponseReturnValue:
    try:
        panels = (*board.panels, checked_panel(panel(sent)))
    except ValueError as error:
        return _refused(board, str(error), sent)
    return _kept(replace(board, panels=panels), sent, f"chart-panel-{len(panels)}")


def _kept(board: Board, sent: Fields | None, place: str) -> ResponseReturnValue:
    try:
        services().boards.change(board)
    except ValueError as error:
        return _refused(board, str(error), sent, 409 if isinstance(error, Changed) else 400)
    note(f"board {board.name} changed")
    return _to(board.name, place)


def _to(name: str, place: str = "charts") -> ResponseReturnValue:
    return redirect(f"{url_for('board.page', name=name)}#{place}", 303)


def _refused(board: Board, problem: str, sent: Fields | None, status: int = 400) -> Response:
    """The board as it is, and what was sent in its form."""
    page = one.build(remembering(), view(), one.found(board.name), problem, sent)
    return make_response(answer("board.html", page), status)


def _all(**wrong: str) -> Response:
    return make_response(answer("boards.html", all_of_them.build(remembering(), view(), **wrong)), 400)


def _revision() -> int:
    given = request.form.get("revision", "")
    return int(given) if given.isdecimal() and len(given) < 10 else -1
