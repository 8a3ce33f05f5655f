"""Boards as YAML, to keep beside other files and to take elsewhere; read strictly, errors with their line."""

from collections.abc import Iterable
from typing import Any

import yaml

from alerts import strict_yaml
from alerts.strict_yaml import Wrong
from dashboard.boards import MOST_BOARDS, Board, Panel, checked, checked_panel, named


class NoBoards(ValueError):
    """What is wrong with a file, with its line."""


def written(boards: Iterable[Board]) -> str:
    found = [
        {"name": board.name, "title": board.title, "panels": [_plain(panel) for panel in board.panels]}
        for board in boards
    ]
    return yaml.safe_dump({"boards": found}, sort_keys=False, allow_unicode=True, width=110)


def _plain(panel: Panel) -> dict[str, Any]:
    """What is as usual is left out."""
    found: dict[str, Any] = {"title": panel.title, "expr": panel.expr, "unit": panel.unit, "kind": panel.kind}
    return {**found, "thresholds": list(panel.thresholds)} if panel.thresholds else found


def read(text: str, file: str = "boards") -> list[Board]:
    """NoBoards for what is none."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise Wrong(1, "boards", "nothing", "a list of boards")
        found: list[Board] = strict_yaml.mapping(node, "file", {"boards": strict_yaml.each(_board)}).get("boards", [])
    except Wrong as wrong:
        raise NoBoards(f"{file}:{wrong.line}: {wrong.key}: expected {wrong.expected}, found {wrong.found}") from wrong
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise NoBoards(f"{file}:{line}: file: expected YAML: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise NoBoards(f"{file}: file: expected boards with panels, found lists or mappings nested too deep") from error
    names = [board.name for board in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise NoBoards(f"{file}: boards: expected each name once, found {twice!r} again")
    if len(found) > MOST_BOARDS:
        raise NoBoards(f"{file}: boards: expected at most {MOST_BOARDS}, found {len(found)}")
    return found


def _board(node: yaml.Node, key: str) -> Board:
    schema = {"name": strict_yaml.text, "title": strict_yaml.text, "panels": strict_yaml.each(_panel)}
    found = strict_yaml.mapping(node, key, schema)
    title = found.get("title", found.get("name", ""))
    try:
        return checked(Board(found.get("name", named(title)), title, tuple(found.get("panels", ()))))
    except ValueError as error:
        raise _wrong(node, key, error) from error


def _panel(node: yaml.Node, key: str) -> Panel:
    schema = dict.fromkeys(("title", "expr", "unit", "kind"), strict_yaml.text)
    found = strict_yaml.mapping(node, key, {**schema, "thresholds": strict_yaml.each(_number)})
    for needed in ("title", "expr"):
        if needed not in found:
            raise Wrong(node, needed, "none", "a value")
    try:
        return checked_panel(Panel(**{**found, "thresholds": tuple(found.get("thresholds", ()))}))
    except ValueError as error:
        raise _wrong(node, key, error) from error


def _number(node: yaml.Node, key: str) -> float:
    try:
        return float(strict_yaml.text(node, key))
    except ValueError as error:
        raise Wrong(node, key, strict_yaml.show(node), "a number") from error


def _wrong(node: yaml.Node, key: str, error: ValueError) -> Wrong:
    """The words of the check say both what was expected and what was found."""
    expected, _, found = str(error).removeprefix("expected ").rpartition(", found ")
    return Wrong(node, key, found, expected) if expected else Wrong(node, key, str(error), "something else")
