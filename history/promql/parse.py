"""Text -> expression, by promql-parser (https://docs.rs/promql-parser); what it lets pass wrongly is refused here."""

import math
import re
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

import promql_parser

from history.model import QueryError
from history.promql.ast import (
    Aggregate,
    At,
    Binary,
    Call,
    Matching,
    Negate,
    Node,
    Number,
    Selector,
    String,
    Subquery,
)
from history.promql.limits import DEFAULT, Limits, exceeded
from history.samples import Matcher

OPERATORS = 150
"""More in one expression would overflow the native parser's stack or ours: each deepens the tree."""

LITERALS = re.compile(r"""\"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\{[^{}]*\}""")
OPERATOR = re.compile(r"[-+*/%^]|[=!<>]+|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)

OPS: dict[str, Literal["=", "!=", "=~", "!~"]] = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
SET_OPS = ("and", "or", "unless")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@lru_cache(maxsize=2000)
def parse(text: str, limits: Limits = DEFAULT) -> Node:
    """QueryError("bad_data") for what is no PromQL, or too much of it."""
    if len(text) > limits.length:
        raise exceeded("bad_data", f"the query has {len(text):,} characters", limits.length, "length")
    _refuse_deep(text, limits.depth)
    if re.search(r"@\s*-", text):  # the binding panics on it
        raise QueryError("bad_data", "a negative time after @ is not supported yet")
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        raise QueryError("bad_data", f"parse error in {text!r}: {error}") from error
    return _node(tree)


def _refuse_deep(text: str, most: int) -> None:
    bare = LITERALS.sub("", LITERALS.sub("", text))  # strings first, then the braces that held them
    if len(OPERATOR.findall(bare)) > OPERATORS:
        raise QueryError("bad_data", f"the query has more than {OPERATORS} operators")
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if depth > most:
            raise exceeded("bad_data", f"the query nests deeper than {most} brackets", most, "depth")


def _node(tree: Any) -> Node:
    kind = type(tree).__name__
    if kind not in NODES:
        raise QueryError("bad_data", f"{kind} is not supported yet")
    return NODES[kind](tree)


def _ms(span: timedelta | None) -> int:
    return 0 if span is None else round(span / timedelta(milliseconds=1))


def _at(modifier: Any) -> At:
    if modifier is None:
        return None
    kind = str(modifier.type).rpartition(".")[2]
    if kind == "Start":
        return "start"
    if kind == "End":
        return "end"
    try:
        return round(modifier.at.timestamp() * 1000)
    except (ValueError, OverflowError) as error:  # the binding makes a datetime of it, which ends with the year 9999
        raise QueryError("bad_data", "the time after @ is out of range") from error


def _matcher(tree: Any) -> Matcher:
    matcher = Matcher(tree.name, OPS[str(tree.op).rpartition(".")[2]], tree.value)
    if matcher.op in ("=~", "!~"):
        _ = matcher.regex  # refuse a bad one now
    return matcher


def _selector(tree: Any) -> Selector:
    name = (Matcher("__name__", "=", tree.name),) if tree.name else ()
    if name and any(m.name == "__name__" for m in tree.matchers.matchers):
        raise QueryError("bad_data", f"the metric name must not be set twice: {tree.name!r} and in the braces")
    sets = tree.matchers.or_matchers or [tree.matchers.matchers]
    alternatives = tuple(name + tuple(_matcher(m) for m in matchers) for matchers in sets)
    for matchers in alternatives:
        if all(matcher("") for matcher in matchers):
            raise QueryError("bad_data", "vector selector must contain at least one non-empty matcher")
    return Selector(alternatives, None, _ms(tree.offset), _at(tree.at))


def _matrix(tree: Any) -> Selector:
    inner = _selector(tree.vector_selector)
    return Selector(inner.alternatives, _ms(tree.range), inner.offset, inner.at)


def _subquery(tree: Any) -> Subquery:
    return Subquery(
        _node(tree.expr), _ms(tree.range), None if tree.step is None else _ms(tree.step), _ms(tree.offset), _at(tree.at)
    )


def _aggregate(tree: Any) -> Aggregate:
    labels: tuple[str, ...] = ()
    without = False
    if tree.modifier is not None:
        labels = tuple(tree.modifier.labels)
        without = str(tree.modifier.type).endswith("Without")
    param = None if tree.param is None else _node(tree.param)
    return Aggregate(str(tree.op), _node(tree.expr), param, labels, without)


GROUPS: dict[str, Literal["", "left", "right"]] = {"ManyToOne": "left", "OneToMany": "right"}


def _binary(tree: Any) -> Binary:
    op = str(tree.op)
    modifier = tree.modifier
    matching = Matching()
    if modifier is not None:
        chosen = modifier.matching
        group = GROUPS.get(str(modifier.card).rpartition(".")[2], "")
        on = chosen is not None and str(chosen.type).endswith("Include")
        labels = () if chosen is None else tuple(chosen.labels)
        fill = modifier.fill_values
        matching = Matching(
            labels, on, group, tuple(modifier.group_labels or ()), *((fill.lhs, fill.rhs) if fill else ())
        )
    return Binary(op, _node(tree.lhs), _node(tree.rhs), matching, bool(modifier and modifier.return_bool))


def _negate(tree: Any) -> Node:
    inner = _node(tree.expr)
    return Number(-inner.value) if isinstance(inner, Number) else Negate(inner)


NODES: dict[str, Callable[[Any], Node]] = {
    "NumberLiteral": lambda tree: Number(math.nan if math.isnan(tree.val) else tree.val),
    "StringLiteral": lambda tree: String(tree.val),
    "ParenExpr": lambda tree: _node(tree.expr),
    "VectorSelector": _selector,
    "MatrixSelector": _matrix,
    "SubqueryExpr": _subquery,
    "Call": lambda tree: Call(tree.func.name, tuple(_node(arg) for arg in tree.args)),
    "AggregateExpr": _aggregate,
    "BinaryExpr": _binary,
    "UnaryExpr": _negate,
}
