"""Boards that people make: panels in an order, each an expression; kept in the local database.

Neither Flask nor numpy: the command line exports and imports them too.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from sqlalchemy import Column, Connection, Engine, Integer, String, Table, Text, delete, func, insert, select, update

from alerts.message.units import Unit
from dashboard.charts.model import RATE_INTERVAL, Chart, Curve, Limit
from history.database import METADATA, make_tables
from history.model import QueryError
from history.promql.ast import Selector, Subquery
from history.promql.ast import String as Quoted
from history.promql.parse import parse

MOST_BOARDS = 50
MOST_PANELS = 40
MOST_TITLE = 80
MOST_EXPRESSION = 4000
MOST_THRESHOLDS = 3
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")

Kind = Literal["lines", "area", "stack"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNITS: tuple[Unit, ...] = get_args(Unit)

board_table = Table(
    "board", METADATA,
    Column("name", String(60), primary_key=True),
    Column("title", String(MOST_TITLE), nullable=False),
    Column("panels", Text, nullable=False),  # JSON
    Column("revision", Integer, nullable=False),
)  # fmt: skip


class UnknownBoard(Exception):
    """No board has this name."""


class Changed(ValueError):
    """Somebody else changed the board in the meantime."""


@dataclass(frozen=True)
class Panel:
    title: str
    expr: str
    unit: Unit = "count"
    kind: Kind = "lines"
    thresholds: tuple[float, ...] = ()
    """Drawn as lines across."""

    def chart(self, chart_id: str) -> Chart:
        """Its only curve has no name: the labels that tell its lines apart make one."""
        limits = tuple(Limit("threshold", f"vector({level:g})") for level in self.thresholds)
        return Chart(chart_id, self.title, "", self.unit, "", "", (Curve("", self.expr),), self.kind, limits)


@dataclass(frozen=True)
class Board:
    name: str
    """In its address: small letters, digits and -."""
    title: str
    panels: tuple[Panel, ...] = ()
    revision: int = 0
    """Counts changes, so that two people do not undo each other's."""


def named(title: str) -> str:
    """`Black Friday!` -> `black-friday`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-") or "board"


def checked(board: Board) -> Board:
    """As it will be kept. ValueError says what is wrong with it."""
    if not NAME.fullmatch(board.name):
        raise ValueError(f"expected a name of small letters, digits and -, found {board.name!r}")
    if len(board.panels) > MOST_PANELS:
        raise ValueError(f"expected at most {MOST_PANELS} panels, found {len(board.panels)}")
    panels = tuple(checked_panel(panel) for panel in board.panels)
    return replace(board, title=_title(board.title), panels=panels)


def checked_panel(panel: Panel) -> Panel:
    if panel.unit not in UNITS:
        raise ValueError(f"expected a unit, one of {', '.join(UNITS)}, found {panel.unit!r}")
    if panel.kind not in KINDS:
        raise ValueError(f"expected a kind, one of {', '.join(KINDS)}, found {panel.kind!r}")
    if len(panel.thresholds) > MOST_THRESHOLDS or not all(map(math.isfinite, panel.thresholds)):
        raise ValueError(f"expected at most {MOST_THRESHOLDS} thresholds, each a number")
    return replace(panel, title=_title(panel.title), expr=_expression(panel.expr))


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not 0 < len(title) <= MOST_TITLE:
        raise ValueError(f"expected a title of 1 to {MOST_TITLE} characters, found {len(title)}")
    return title


def _expression(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= MOST_EXPRESSION:
        raise ValueError(f"expected an expression of 1 to {MOST_EXPRESSION} characters, found {len(text)}")
    try:
        node = parse(text.replace(RATE_INTERVAL, "1m"))
    except QueryError as error:
        raise ValueError(str(error)) from error
    if isinstance(node, Subquery) or (isinstance(node, Selector) and node.range is not None):
        raise ValueError("this is a range of samples: a function such as rate(...) makes a number of it")
    if isinstance(node, Quoted):
        raise ValueError("this is a text, and a panel draws numbers")
    return text


class Boards:
    """Every method is one short transaction; any thread, any process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        make_tables(engine, [board_table])

    def all(self) -> Sequence[Board]:
        """By title."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(board_table).order_by(func.lower(board_table.c.title), board_table.c.name))
            return [_board(row) for row in rows]

    def get(self, name: str) -> Board:
        """UnknownBoard where there is none."""
        with self._engine.connect() as connection:
            return _get(connection, name)

    def add(self, title: str) -> str:
        """A board without panels; its name. ValueError for a title that is none, and for one board too many."""
        name = named(title)
        with self._engine.begin() as connection:
            taken = set(connection.execute(select(board_table.c.name)).scalars())
            numbered = (f"{name[:56]}-{number}" for number in range(2, MOST_BOARDS + 2))
            name = next(each for each in (name, *numbered) if each not in taken)
            _insert(connection, checked(Board(name, title)))
        return name

    def change(self, board: Board) -> None:
        """To this title and these panels. Changed if it is not the newest that was changed; ValueError as `checked`."""
        board = checked(board)
        with self._engine.begin() as connection:
            _get(connection, board.name)
            here = (board_table.c.name == board.name) & (board_table.c.revision == board.revision)
            if not connection.execute(update(board_table).where(here).values(**_row(board))).rowcount:
                raise Changed("somebody changed this board in the meantime: look at it, and repeat what you did")

    def remove(self, name: str) -> None:
        with self._engine.begin() as connection:
            _get(connection, name)
            connection.execute(delete(board_table).where(board_table.c.name == name))

    def take(self, boards: Iterable[Board]) -> None:
        """Each in the place of the one with its name; all or, with a ValueError, none."""
        with self._engine.begin() as connection:
            for board in map(checked, boards):
                before = connection.execute(select(board_table).where(board_table.c.name == board.name)).first()
                connection.execute(delete(board_table).where(board_table.c.name == board.name))
                _insert(connection, replace(board, revision=before.revision if before else 0))


def moved(panels: Sequence[Panel], at: int, by: int) -> tuple[Panel, ...]:
    """In another order: one panel earlier (-1) or later (1); at an end it stays."""
    found = list(panels)
    to = min(len(found) - 1, max(0, at + by))
    found.insert(to, found.pop(at))
    return tuple(found)


def _get(connection: Connection, name: str) -> Board:
    row = connection.execute(select(board_table).where(board_table.c.name == name)).first()
    if row is None:
        raise UnknownBoard(name)
    return _board(row)


def _insert(connection: Connection, board: Board) -> None:
    count = connection.execute(select(func.count()).select_from(board_table)).scalar_one()
    if count >= MOST_BOARDS:
        raise ValueError(f"there are {MOST_BOARDS} boards already, and no more are taken: remove one first")
    connection.execute(insert(board_table).values(name=board.name, **_row(board)))


def _row(board: Board) -> dict[str, object]:
    panels = json.dumps([asdict(panel) for panel in board.panels])
    return {"title": board.title, "panels": panels, "revision": board.revision + 1}


def _board(row: Any) -> Board:
    panels = (Panel(**{**each, "thresholds": tuple(each["thresholds"])}) for each in json.loads(row.panels))
    return Board(row.name, row.title, tuple(panels), row.revision)
