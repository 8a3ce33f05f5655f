"""Rule files: Prometheus' own format, loaded unchanged, refused with the exact place of what is wrong.

Source: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from alerts import reserved, templates
from alerts.expression import check_expression, ranges
from alerts.model import Group, Rule
from collectors.config import SECONDS

DEFAULT_INTERVAL = 10.0  # seconds
DURATION = re.compile(r"0|(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class RuleFileError(Exception):
    """`line` counts from 1; 0 when the file could not be read at all."""

    def __init__(self, file: str, line: int, key: str, found: str, expected: str) -> None:
        super().__init__(f"{file}:{line}: {key}: expected {expected}, found {found}")
        self.file = file
        self.line = line
        self.key = key
        self.found = found
        self.expected = expected


class _Wrong(Exception):
    def __init__(self, node: Node | int, key: str, found: str, expected: str) -> None:
        super().__init__(key)
        self.line = node if isinstance(node, int) else node.start_mark.line + 1
        self.key = key
        self.found = found
        self.expected = expected


def load(paths: Iterable[Path], running: Sequence[Group] = ()) -> tuple[list[Group], list[RuleFileError]]:
    """The groups of all files. A file with an error adds the groups that it has in `running`, if any."""
    groups: list[Group] = []
    errors: list[RuleFileError] = []
    for path in paths:
        file = str(path)
        try:
            found = parse(path.read_text(encoding="utf-8"), file)
            _refuse_second(found, groups)
        except (OSError, UnicodeDecodeError) as error:
            errors.append(RuleFileError(file, 0, "file", str(error), "a readable rule file"))
        except RuleFileError as error:
            errors.append(error)
        else:
            groups += found
            continue
        groups += [group for group in running if group.file == file]
    return groups, errors


def parse(text: str, file: str, default_interval: float = DEFAULT_INTERVAL) -> list[Group]:
    """Raise RuleFileError for the first thing that is wrong."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return []
        keys = _mapping(root, "file", {"groups": _each(_group)})
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleFileError(file, line, "file", str(error.problem), "YAML") from error
    except _Wrong as wrong:
        raise RuleFileError(file, wrong.line, wrong.key, wrong.found, wrong.expected) from wrong
    groups: list[Group] = [replace(group, file=file, interval=group.interval or default_interval)
                           for group in keys.get("groups", [])]  # fmt: skip
    return groups


def _refuse_second(found: Sequence[Group], groups: Sequence[Group]) -> None:
    """State is kept by the file's base name and the group's name, so that an upgrade into another folder keeps it."""
    taken = {(Path(group.file).name, group.name): group.file for group in groups}
    for group in found:
        if other := taken.get((Path(group.file).name, group.name)):
            raise RuleFileError(group.file, 1, "name", f"group {group.name!r} of {other} again", "one of that name")


def _mapping(node: Node, key: str, schema: dict[str, Callable[[Node, str], Any]]) -> dict[str, Any]:
    if not isinstance(node, MappingNode):
        raise _Wrong(node, key, _show(node), "a mapping")
    values: dict[str, Any] = {}
    for name_node, value in node.value:
        name = str(name_node.value)
        if name not in schema:
            raise _Wrong(name_node, name, "an unknown key", f"one of {', '.join(schema)}")
        if name in values:
            raise _Wrong(name_node, name, "the key a second time", "it once")
        values[name] = schema[name](value, name)
    return values


def _each(read: Callable[[Node, str], Any]) -> Callable[[Node, str], list[Any]]:
    def read_list(node: Node, key: str) -> list[Any]:
        if isinstance(node, ScalarNode) and node.value in ("", "~", "null"):
            return []
        if not isinstance(node, SequenceNode):
            raise _Wrong(node, key, _show(node), "a list")
        values = [(item, read(item, key)) for item in node.value]
        if read is _group:
            _refuse_same_names(values)
        return [value for _, value in values]

    return read_list


def _refuse_same_names(groups: Sequence[tuple[Node, Group]]) -> None:
    seen: set[str] = set()
    for node, group in groups:
        if group.name in seen:
            raise _Wrong(node, "name", f"group {group.name!r} a second time", "each group's name once in a file")
        seen.add(group.name)


def _group(node: Node, key: str) -> Group:
    values = _mapping(node, key, GROUP)
    if not values.get("name"):
        raise _Wrong(node, "name", "no name", "the group's name")
    labels = values.get("labels", {})
    rules = tuple(replace(rule, labels={**labels, **rule.labels}) for rule in values.get("rules", []))
    return Group(
        values["name"],
        file="",
        interval=values.get("interval", 0.0),
        rules=rules,
        limit=values.get("limit", 0),
        query_offset=values.get("query_offset", 0.0),
        labels=labels,
    )


def _rule(node: Node, key: str) -> Rule:
    values = _mapping(node, key, RULE)
    assert isinstance(node, MappingNode)
    if ("alert" in values) == ("record" in values):
        raise _Wrong(node, "rules", "both" if "alert" in values else "neither", "either `alert` or `record`")
    if not values.get("expr"):
        raise _Wrong(node, "expr", "no expression", "a PromQL expression")
    if "record" in values and (extra := values.keys() & {"for", "keep_firing_for", "annotations"}):
        raise _Wrong(node, min(extra), "the key in a recording rule", "it in alerting rules only")
    values["hold"] = values.pop("for", 0.0)
    if "alert" in values:
        _refuse_templates(node)
        values |= _reserved(node, values)
    return Rule(**values)


def _refuse_templates(rule: MappingNode) -> None:
    for key, texts in rule.value:
        if key.value in ("labels", "annotations"):
            for name, value in texts.value:
                if problem := templates.check(value.value):
                    raise _Wrong(value, f"{key.value}.{name.value}", problem, "a template")


def _reserved(rule: MappingNode, values: dict[str, Any]) -> dict[str, Any]:
    """The fields that annotations with reserved names give, and the annotations without these."""
    fields: dict[str, Any] = {"annotations": dict(values.get("annotations", {}))}
    texts = [pair for key, node in rule.value if key.value == "annotations" for pair in node.value]
    for name, value in texts:
        if name.value.startswith(reserved.PREFIX):
            try:
                field, read = reserved.read(name.value, fields["annotations"].pop(name.value))
            except reserved.Refused as refused:
                raise _Wrong(value, f"annotations.{name.value}", refused.found, refused.expected) from refused
            fields[field] = read
            if field == "min_valid" and not ranges(values["expr"]):
                raise _Wrong(value, f"annotations.{name.value}", "an expression without one", "a range such as [5m]")
    return fields


def _text(node: Node, key: str) -> str:
    if not isinstance(node, ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        raise _Wrong(node, key, _show(node), "text")
    return str(node.value)


def _record(node: Node, key: str) -> str:
    if not METRIC.fullmatch(_text(node, key)):
        raise _Wrong(node, key, _show(node), "a metric name")
    return _text(node, key)


def _alert(node: Node, key: str) -> str:
    if not _text(node, key):
        raise _Wrong(node, key, "no name", "the alert's name")
    return _text(node, key)


def _expression(node: Node, key: str) -> str:
    text = _text(node, key)
    if problem := check_expression(text):
        raise _Wrong(node, key, f"{text.strip()!r}: {problem}", "a PromQL expression")
    return text


def _duration(node: Node, key: str) -> float:
    text = _text(node, key)
    if not DURATION.fullmatch(text):
        raise _Wrong(node, key, repr(text), "a duration such as 30s, 5m or 1h30m")
    return float(sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", text)))


def _count(node: Node, key: str) -> int:
    if not re.fullmatch(r"\d+", _text(node, key)):
        raise _Wrong(node, key, _show(node), "a whole number")
    return int(_text(node, key))


def _texts(node: Node, key: str) -> dict[str, str]:
    if not isinstance(node, MappingNode):
        raise _Wrong(node, key, _show(node), "a mapping of names to text")
    values: dict[str, str] = {}
    for name_node, value in node.value:
        name = str(name_node.value)
        if not LABEL.fullmatch(name) or name == "__name__":
            raise _Wrong(name_node, key, repr(name), "a label name")
        if name in values:
            raise _Wrong(name_node, f"{key}.{name}", "the key a second time", "it once")
        values[name] = _text(value, f"{key}.{name}")
    return values


def _show(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return repr(node.value) if node.value else "nothing"
    return "a list" if isinstance(node, SequenceNode) else "a mapping"


RULE: dict[str, Callable[[Node, str], Any]] = {
    "record": _record,
    "alert": _alert,
    "expr": _expression,
    "for": _duration,
    "keep_firing_for": _duration,
    "labels": _texts,
    "annotations": _texts,
}
GROUP: dict[str, Callable[[Node, str], Any]] = {
    "name": _text,
    "interval": _duration,
    "query_offset": _duration,
    "limit": _count,
    "labels": _texts,
    "rules": _each(_rule),
}
