"""One board that people made: its panels over one span, and the forms that change it."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, abort

from dashboard import board_files
from dashboard.asked import answer, remembering, view
from dashboard.boards import KINDS, MOST_PANELS, UNITS, Board, Panel, UnknownBoard
from dashboard.exploring import drawn
from dashboard.gathering import frame
from dashboard.marks import Mark, Span, marks
from dashboard.panel_fields import Fields, fields
from dashboard.plots import Frame, Plot, empty
from dashboard.services import Services, services
from dashboard.shell import Shell, View, shell
from history.model import QueryError, Source

blueprint = Blueprint("board", __name__)


@dataclass(frozen=True)
class Shown:
    plot: Plot
    fields: Fields


@dataclass(frozen=True)
class BoardPage:
    """What board.html may use, and what the page returns as JSON."""

    shell: Shell
    name: str
    title: str
    revision: int
    panels: tuple[Shown, ...]
    new: Fields
    most: int
    """Panels there can be."""
    problem: str
    """Why what was sent is refused; "" where nothing was."""
    refused: int | None
    """Of the panel whose form it was; -1: the new one; None: the board's own."""
    units: tuple[str, ...]
    kinds: tuple[str, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


def build(services: Services, asked: View, board: Board, problem: str = "", sent: Fields | None = None) -> BoardPage:
    """`sent`: what was refused, to be mended in its form."""
    axes = frame(services.source, asked, services.interval)
    events = services.events.events(asked.shown.start, asked.shown.end)
    return BoardPage(
        shell=shell(services, asked, "Boards"),
        name=board.name,
        title=board.title,
        revision=board.revision,
        panels=tuple(_shown(services.source, board, axes, sent)),
        new=sent if sent and sent.at < 0 else Fields(-1),
        most=MOST_PANELS,
        problem=problem,
        refused=sent.at if sent else None,
        units=UNITS,
        kinds=KINDS,
        marks=marks(events, asked.shown.start, asked.shown.end),
        spans=(),
    )


def _shown(source: Source, board: Board, axes: Frame, sent: Fields | None) -> Iterator[Shown]:
    for at, panel in enumerate(board.panels):
        yield Shown(_plot(source, panel, axes, at), sent if sent and sent.at == at else fields(panel, at))


def _plot(source: Source, panel: Panel, axes: Frame, at: int) -> Plot:
    chart = panel.chart(f"panel-{at + 1}")
    try:
        return drawn(source, chart, axes) or empty(chart, axes, "No series has a value in this time.")
    except QueryError as error:
        return empty(chart, axes, f"The query failed: {error}")


def found(name: str) -> Board:
    try:
        return services().boards.get(name)
    except UnknownBoard:
        abort(404)


@blueprint.get("/boards/<name>")
def page(name: str) -> Response:
    return answer("board.html", build(remembering(), view(), found(name)))


@blueprint.get("/boards/<name>.yml")
def download(name: str) -> Response:
    board = found(name)
    named = {"Content-Disposition": f'attachment; filename="{board.name}.yml"'}
    return Response(board_files.written([board]), mimetype="application/yaml", headers=named)
