"""YAML as plain data, with the line of each key, so that an error can name the place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Place = tuple[int | str, ...]
"""Keys and list positions from the top."""


class NotYaml(Exception):
    def __init__(self, line: int, message: str, key: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.key = key


@dataclass(frozen=True)
class Document:
    value: Any
    _lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """From 1; of the nearest thing above, for a key that is not there."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)


def parse(text: str) -> Document:
    """An empty text is an empty mapping. NotYaml for bad YAML and for a key that comes twice."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return Document({}, {})
        lines = dict(_lines(root, (), ()))
        return Document(yaml.safe_load(text), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(mark.line + 1 if mark else 1, f"expected YAML, but {error.problem}") from error
    except yaml.YAMLError as error:
        raise NotYaml(1, f"expected YAML, but {error}") from error
    except (ValueError, RecursionError) as error:  # 2026-13-45 is no date; ten thousand brackets
        raise NotYaml(1, f"expected YAML, but {error}") from error


def _lines(node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]) -> Iterator[tuple[Place, int]]:
    line = node.start_mark.line + 1
    if node in above:
        raise NotYaml(line, "expected plain values, found an alias that contains itself", _text(place))
    yield place, line
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _lines(item, (*place, position), (*above, node))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, item in node.value:
            name = str(key.value)
            if name in seen:
                raise NotYaml(key.start_mark.line + 1, "expected the key once, found it again", _text((*place, name)))
            seen.add(name)
            yield from _lines(item, (*place, name), (*above, node))
            yield (*place, name), key.start_mark.line + 1


def _text(place: Place) -> str:
    return ".".join(map(str, place))
