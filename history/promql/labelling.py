"""label_replace and label_join."""

import re
from typing import TYPE_CHECKING, Any

from history.model import Labels, QueryError
from history.promql.ast import Call
from history.promql.frames import Frame, relabel
from history.regex import compile_regex

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation

REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


def replace(evaluation: "Evaluation", node: Call) -> Frame:
    target, template, source, pattern = (evaluation.text(arg) for arg in node.args[1:])
    _check_name(target, "label_replace")
    regex = compile_regex(pattern)

    def rename(labels: Labels) -> Labels:
        found = regex.fullmatch(labels.get(source, ""))
        return labels if found is None else _with(labels, target, _expand(template, found))

    return relabel(evaluation.vector(node.args[0]), rename)


def join(evaluation: "Evaluation", node: Call) -> Frame:
    target, separator, *sources = (evaluation.text(arg) for arg in node.args[1:])
    for name in (target, *sources):
        _check_name(name, "label_join")

    def rename(labels: Labels) -> Labels:
        return _with(labels, target, separator.join(labels.get(name, "") for name in sources))

    return relabel(evaluation.vector(node.args[0]), rename)


def _check_name(name: str, function: str) -> None:
    if not name:
        raise QueryError("execution", f"invalid label name in {function}(): {name!r}")


def _with(labels: Labels, name: str, value: str) -> Labels:
    """An empty value is no label."""
    rest = {other: kept for other, kept in labels.items() if other != name}
    return {**rest, name: value} if value else rest


def _expand(template: str, found: Any) -> str:
    """`$1`, `${1}`, `$name`; `$$` is a dollar; a group that is not there is empty (Go's Regexp.Expand)."""

    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        groups = found.groupdict()
        if name.isdecimal():
            return (found[int(name)] or "") if int(name) <= len(found.groups()) else ""
        return groups.get(name) or ""

    return REFERENCE.sub(value, template)
