"""YAML read strictly: every key is known, and what is wrong is said with its line."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from collectors.config import SECONDS

DURATION = re.compile(r"0|(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")

Read = Callable[[Node, str], Any]
"""A node and its key -> its value. Wrong for what is none."""


class Wrong(Exception):
    def __init__(self, node: Node | int, key: str, found: str, expected: str) -> None:
        super().__init__(key)
        self.line = node if isinstance(node, int) else node.start_mark.line + 1
        self.key = key
        self.found = found
        self.expected = expected


def mapping(node: Node, key: str, schema: Mapping[str, Read]) -> dict[str, Any]:
    if not isinstance(node, MappingNode):
        raise Wrong(node, key, show(node), "a mapping")
    values: dict[str, Any] = {}
    for name_node, value in node.value:
        name = str(name_node.value)
        if name not in schema:
            raise Wrong(name_node, name, "an unknown key", f"one of {', '.join(schema)}")
        if name in values:
            raise Wrong(name_node, name, "the key a second time", "it once")
        values[name] = schema[name](value, name)
    return values


def each(read: Read) -> Read:
    """A list, each item read so; nothing at all is an empty one."""

    def read_list(node: Node, key: str) -> list[Any]:
        if isinstance(node, ScalarNode) and node.value in ("", "~", "null"):
            return []
        if not isinstance(node, SequenceNode):
            raise Wrong(node, key, show(node), "a list")
        return [read(item, key) for item in node.value]

    return read_list


def text(node: Node, key: str) -> str:
    if not isinstance(node, ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        raise Wrong(node, key, show(node), "text")
    return str(node.value)


def duration(node: Node, key: str) -> float:
    found = text(node, key)
    if not DURATION.fullmatch(found):
        raise Wrong(node, key, repr(found), "a duration such as 30s, 5m or 1h30m")
    return float(sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", found)))


def count(node: Node, key: str) -> int:
    if not re.fullmatch(r"\d+", text(node, key)):
        raise Wrong(node, key, show(node), "a whole number")
    return int(text(node, key))


def show(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return repr(node.value) if node.value else "nothing"
    return "a list" if isinstance(node, SequenceNode) else "a mapping"
