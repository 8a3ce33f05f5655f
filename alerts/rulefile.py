"""Rule files: Prometheus' own format, loaded unchanged, refused with the exact place of what is wrong.

Source: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from yaml import MappingNode, Node

from alerts import reserved, templates
from alerts.expression import check_expression, ranges
from alerts.model import Group, Rule
from alerts.strict_yaml import Read, Wrong, count, duration, each, mapping, show, text

DEFAULT_INTERVAL = 10.0  # seconds
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
    keys = read(text, file, {"groups": _groups})
    groups: list[Group] = [replace(group, file=file, interval=group.interval or default_interval)
                           for group in keys.get("groups", [])]  # fmt: skip
    return groups


def read(content: str, file: str, schema: Mapping[str, Read]) -> dict[str, Any]:
    """The keys of a whole file. RuleFileError for the first thing that is wrong."""
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
        return {} if root is None else mapping(root, "file", schema)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleFileError(file, line, "file", str(error.problem), "YAML") from error
    except yaml.YAMLError as error:
        raise RuleFileError(file, 1, "file", str(error), "YAML") from error
    except RecursionError as error:
        raise RuleFileError(file, 1, "file", "too many brackets", "YAML") from error
    except Wrong as wrong:
        raise RuleFileError(file, wrong.line, wrong.key, wrong.found, wrong.expected) from wrong


def _refuse_second(found: Sequence[Group], groups: Sequence[Group]) -> None:
    """State is kept by the file's base name and the group's name, so that an upgrade into another folder keeps it."""
    taken = {(Path(group.file).name, group.name): group.file for group in groups}
    for group in found:
        if other := taken.get((Path(group.file).name, group.name)):
            raise RuleFileError(group.file, 1, "name", f"group {group.name!r} of {other} again", "one of that name")


def _groups(node: Node, key: str) -> list[Group]:
    groups: list[Group] = each(_group)(node, key)
    for at, group in enumerate(groups):
        if group.name in {other.name for other in groups[:at]}:
            place = node.value[at]
            raise Wrong(place, "name", f"group {group.name!r} a second time", "each group's name once in a file")
    return groups


def _group(node: Node, key: str) -> Group:
    values = mapping(node, key, GROUP)
    if not values.get("name"):
        raise Wrong(node, "name", "no name", "the group's name")
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
    values = mapping(node, key, RULE)
    assert isinstance(node, MappingNode)
    if ("alert" in values) == ("record" in values):
        raise Wrong(node, "rules", "both" if "alert" in values else "neither", "either `alert` or `record`")
    if not values.get("expr"):
        raise Wrong(node, "expr", "no expression", "a PromQL expression")
    if "record" in values and (extra := values.keys() & {"for", "keep_firing_for", "annotations"}):
        raise Wrong(node, min(extra), "the key in a recording rule", "it in alerting rules only")
    values["hold"] = values.pop("for", 0.0)
    if "alert" in values:
        _refuse_templates(node)
        values |= _reserved(node, values)
    return Rule(**values)


def _refuse_templates(rule: MappingNode) -> None:
    for key, node in rule.value:
        if key.value in ("labels", "annotations"):
            for name, value in node.value:
                if problem := templates.check(value.value):
                    raise Wrong(value, f"{key.value}.{name.value}", problem, "a template")


def _reserved(rule: MappingNode, values: dict[str, Any]) -> dict[str, Any]:
    """The fields that annotations with reserved names give, and the annotations without these."""
    fields: dict[str, Any] = {"annotations": dict(values.get("annotations", {}))}
    pairs = [pair for key, node in rule.value if key.value == "annotations" for pair in node.value]
    for name, value in pairs:
        if name.value.startswith(reserved.PREFIX):
            try:
                field, read = reserved.read(name.value, fields["annotations"].pop(name.value))
            except reserved.Refused as refused:
                raise Wrong(value, f"annotations.{name.value}", refused.found, refused.expected) from refused
            fields[field] = read
            if field == "min_valid" and not ranges(values["expr"]):
                raise Wrong(value, f"annotations.{name.value}", "an expression without one", "a range such as [5m]")
    return fields


def _record(node: Node, key: str) -> str:
    if not METRIC.fullmatch(text(node, key)):
        raise Wrong(node, key, show(node), "a metric name")
    return text(node, key)


def _alert(node: Node, key: str) -> str:
    if not text(node, key):
        raise Wrong(node, key, "no name", "the alert's name")
    return text(node, key)


def _expression(node: Node, key: str) -> str:
    expr = text(node, key)
    if problem := check_expression(expr):
        raise Wrong(node, key, f"{expr.strip()!r}: {problem}", "a PromQL expression")
    return expr


def texts(node: Node, key: str) -> dict[str, str]:
    if not isinstance(node, MappingNode):
        raise Wrong(node, key, show(node), "a mapping of names to text")
    values: dict[str, str] = {}
    for name_node, value in node.value:
        name = str(name_node.value)
        if not LABEL.fullmatch(name) or name == "__name__":
            raise Wrong(name_node, key, repr(name), "a label name")
        if name in values:
            raise Wrong(name_node, f"{key}.{name}", "the key a second time", "it once")
        values[name] = text(value, f"{key}.{name}")
    return values


RULE: dict[str, Read] = {
    "record": _record,
    "alert": _alert,
    "expr": _expression,
    "for": duration,
    "keep_firing_for": duration,
    "labels": texts,
    "annotations": texts,
}
GROUP: dict[str, Read] = {
    "name": text,
    "interval": duration,
    "query_offset": duration,
    "limit": count,
    "labels": texts,
    "rules": each(_rule),
}
