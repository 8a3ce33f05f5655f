"""A parsed template carried out: bounded in steps, in depth and in what it makes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.templates import texts
from alerts.templates.around import Around
from alerts.templates.collections import items
from alerts.templates.functions import FUNCTIONS
from alerts.templates.nodes import (
    Branch,
    Constant,
    Dot,
    Field,
    Function,
    Leave,
    Node,
    Operand,
    Output,
    Pipe,
    Template,
    Text,
    Use,
    Variable,
)
from alerts.templates.values import Args, Data, Sample, TemplateError, Value, kind, show, true
from history.model import QueryError

STEPS = 20_000
DEPTH = 80
LONGEST = 65_536  # characters of all that is made
QUERIES = 20


class _Left(Exception):
    """`break` or `continue`, on its way to its range."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Run:
    def __init__(self, template: Template, around: Around) -> None:
        self._template = template
        self._around = around
        self._steps = 0
        self._depth = 0
        self._queries = 0
        self._made: list[str] = []
        self._characters = 0

    def text(self, data: Data) -> str:
        variables = [("$", data), ("$labels", data["Labels"]), ("$externalLabels", data["ExternalLabels"]),
                     ("$externalURL", data["ExternalURL"]), ("$value", data["Value"])]  # fmt: skip
        self._nodes(self._template.body, data, variables)
        return "".join(self._made)

    def _step(self, weight: int = 1) -> None:
        self._steps += weight
        if self._steps > STEPS:
            raise TemplateError(f"more than {STEPS:,} steps")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise TemplateError(f"templates, blocks and brackets nest deeper than {DEPTH}")

    def _write(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > LONGEST:
            raise TemplateError(f"more than {LONGEST:,} characters")
        self._made.append(text)

    def _nodes(self, nodes: Sequence[Node], dot: Value, variables: list[tuple[str, Value]]) -> None:
        """What is declared here is gone after it; what is assigned stays."""
        known = len(variables)
        self._deeper()
        try:
            for node in nodes:
                self._step()
                self._node(node, dot, variables)
        finally:
            del variables[known:]
            self._depth -= 1

    def _node(self, node: Node, dot: Value, variables: list[tuple[str, Value]]) -> None:
        match node:
            case Text():
                self._write(node.text)
            case Output():
                value = self._pipe(node.pipe, dot, variables)
                if not node.pipe.declares:
                    self._write("<no value>" if value is None else show(value))
            case Branch():
                self._branch(node, dot, variables)
            case Use():
                given = None if node.pipe is None else self._pipe(node.pipe, dot, variables)
                self._use(node.name, given)
            case Leave():
                raise _Left(node.kind)

    def _use(self, name: str, given: Value) -> None:
        if name not in self._template.defined:
            raise TemplateError(f"template {name!r} not defined")
        self._nodes(self._template.defined[name], given, [("$", given)])

    def _branch(self, node: Branch, dot: Value, variables: list[tuple[str, Value]]) -> None:
        known = len(variables)
        value = self._pipe(node.pipe, dot, variables)
        if node.kind == "range":
            self._range(node, value, dot, variables)
        elif true(value):
            self._nodes(node.body, value if node.kind == "with" else dot, variables)
        else:
            self._nodes(node.otherwise, dot, variables)
        del variables[known:]

    def _range(self, node: Branch, value: Value, dot: Value, variables: list[tuple[str, Value]]) -> None:
        names, empty = node.pipe.declares, True
        for key, element in items(value):
            self._step()
            empty = False
            for name, each in zip(names, (key, element) if len(names) == 2 else (element,), strict=False):
                _assign(variables, name, each)
            try:
                self._nodes(node.body, element, variables)
            except _Left as left:
                if left.kind == "break":
                    break
        if empty:
            self._nodes(node.otherwise, dot, variables)

    def _pipe(self, pipe: Pipe, dot: Value, variables: list[tuple[str, Value]]) -> Value:
        value: Value = None
        self._deeper()
        for at, command in enumerate(pipe.commands):
            value = self._command(command, dot, variables, (value,) if at else ())
        self._depth -= 1
        for name in pipe.declares:
            if pipe.anew:
                variables.append((name, value))
            else:
                _assign(variables, name, value)
        return value

    def _command(
        self, command: Sequence[Operand], dot: Value, variables: list[tuple[str, Value]], piped: tuple[Value, ...]
    ) -> Value:
        self._step()
        first = command[0]
        if isinstance(first, Function):
            if first.name in ("and", "or"):
                return self._short(first.name == "or", command[1:], dot, variables, piped)
            return self._call(first.name, [*(self._value(each, dot, variables) for each in command[1:]), *piped])
        arguments = [*(self._value(each, dot, variables) for each in command[1:]), *piped]
        if isinstance(first, Field):
            return _field(self._value(first.of, dot, variables), first.name, arguments)
        if arguments:
            raise TemplateError("can't give argument to non-function")
        if isinstance(first, Constant) and first.value is None:
            raise TemplateError("nil is not a command")
        return self._value(first, dot, variables)

    def _short(
        self,
        until: bool,
        operands: Sequence[Operand],
        dot: Value,
        variables: list[tuple[str, Value]],
        piped: tuple[Value, ...],
    ) -> Value:
        """Go's `and` and `or`: the first that settles it, else the last."""
        value: Value = None
        for each in operands:
            value = self._value(each, dot, variables)
            if true(value) == until:
                return value
        if not operands and not piped:
            raise TemplateError("and, or: expected at least one argument")
        return piped[0] if piped else value

    def _value(self, operand: Operand, dot: Value, variables: list[tuple[str, Value]]) -> Value:
        match operand:
            case Constant():
                return operand.value
            case Dot():
                return dot
            case Variable():
                return next(value for name, value in reversed(variables) if name == operand.name)
            case Field():
                return _field(self._value(operand.of, dot, variables), operand.name, [])
            case Function():
                return self._command((operand,), dot, variables, ())
            case Pipe():
                return self._pipe(operand, dot, variables)

    def _call(self, name: str, arguments: list[Value]) -> Value:
        self._step(sum(len(each) for each in arguments if isinstance(each, str | list)) // 64)
        try:
            value = self._own(name, *arguments) if name not in FUNCTIONS else FUNCTIONS[name](*arguments)
        except TemplateError as error:
            raise TemplateError(f"error calling {name}: {error}") from error
        except (TypeError, ValueError, OverflowError) as error:
            raise TemplateError(f"{name} cannot take {', '.join(map(show, arguments)) or 'nothing'}"[:500]) from error
        if isinstance(value, str) and len(value) > LONGEST:
            raise TemplateError(f"{name} makes more than {LONGEST:,} characters")
        return value

    def _own(self, name: str, *arguments: Value) -> Value:
        match name, arguments:
            case "query", (str() as expr,):
                return self._query(expr)
            case "externalURL", ():
                return self._around.external_url
            case "pathPrefix", ():
                return texts.path_prefix(self._around.external_url)
            case "now", ():
                return self._around.now
            case "tmpl", (str() as called, given):
                before, self._made = self._made, []
                self._use(called, given)
                made, self._made = "".join(self._made), before
                return made
        raise TypeError(name)

    def _query(self, expr: str) -> list[Sample]:
        self._queries += 1
        if self._queries > QUERIES:
            raise TemplateError(f"more than {QUERIES} queries")
        try:
            return [Sample(point.labels, point.value) for point in self._around.query(expr)]
        except (QueryError, ValueError) as error:
            raise TemplateError(str(error)) from error


def _assign(variables: list[tuple[str, Value]], name: str, value: Value) -> None:
    at = next(at for at in range(len(variables) - 1, -1, -1) if variables[at][0] == name)
    variables[at] = (name, value)


def _field(of: Value, name: str, arguments: list[Any]) -> Value:
    if isinstance(of, datetime):
        return _of_time(of, name, arguments)
    if arguments:
        raise TemplateError(f"{name} has arguments but cannot be invoked as function")
    if isinstance(of, Sample) and name in ("Labels", "Value"):
        return of.labels if name == "Labels" else of.value
    if isinstance(of, Data) and name in of:
        return of[name]
    if isinstance(of, Mapping) and not isinstance(of, Data):
        return of.get(name, None if isinstance(of, Args) else "")
    if of is None:
        raise TemplateError(f"nil data; no entry for key {name!r}")
    raise TemplateError(f"can't evaluate field {name} in type {kind(of)}")


def _of_time(at: datetime, name: str, arguments: list[Any]) -> Value:
    seconds = at.timestamp()
    plain = {"Unix": int(seconds // 1), "UnixMilli": int(seconds * 1000 // 1), "Year": at.year, "Day": at.day,
             "Hour": at.hour, "Minute": at.minute, "Second": at.second, "UTC": at,
             "Month": f"{at:%B}", "Weekday": f"{at:%A}", "YearDay": at.timetuple().tm_yday}  # fmt: skip
    if name == "Format" and len(arguments) == 1:
        return texts.format_time(at, arguments[0])
    if name in plain and not arguments:
        return plain[name]
    raise TemplateError(f"can't evaluate {name} of a time")
