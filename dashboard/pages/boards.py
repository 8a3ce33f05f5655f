"""Boards that people made: which there are, a new one, and all of them as YAML."""

from dataclasses import dataclass

from flask import Blueprint, Response

from dashboard import board_files
from dashboard.asked import answer, remembering, view
from dashboard.boards import MOST_BOARDS
from dashboard.services import Services, services
from dashboard.shell import Shell, View, shell

blueprint = Blueprint("boards", __name__)


@dataclass(frozen=True)
class BoardRow:
    name: str
    title: str
    panels: tuple[str, ...]
    """Their titles."""


@dataclass(frozen=True)
class BoardsPage:
    """What boards.html may use, and what the page returns as JSON."""

    shell: Shell
    boards: tuple[BoardRow, ...]
    most: int
    """So many there can be."""
    problem: str
    """Why what was sent is refused; "" where nothing was."""
    title: str
    """What was sent as the title of a new board and refused."""
    text: str
    """What was sent as YAML and refused."""


def build(services: Services, asked: View, problem: str = "", title: str = "", text: str = "") -> BoardsPage:
    rows = (
        BoardRow(each.name, each.title, tuple(panel.title for panel in each.panels)) for each in services.boards.all()
    )
    return BoardsPage(shell(services, asked, "Boards"), tuple(rows), MOST_BOARDS, problem, title, text)


@blueprint.get("/boards")
def page() -> Response:
    return answer("boards.html", build(remembering(), view()))


@blueprint.get("/boards.yml")
def download() -> Response:
    named = {"Content-Disposition": 'attachment; filename="boards.yml"'}
    return Response(board_files.written(services().boards.all()), mimetype="application/yaml", headers=named)
