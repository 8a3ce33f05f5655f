"""What rules need to know about an expression without evaluating it: can it be asked, and which metrics it reads."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser

from history.model import QueryError
from history.promql.parse import parse


def check_expression(text: str) -> str:
    """What is wrong with the expression; "" if nothing is."""
    try:
        parse(text)
    except QueryError as error:
        return str(error)
    return ""


def metrics(text: str) -> frozenset[str]:
    """Names of the metrics that the expression reads, of a valid expression."""
    found: set[str] = set()

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.update(_names(node))
        return True

    promql_parser.walk(promql_parser.parse(text), visit)
    return frozenset(found)


def ranges(text: str) -> dict[str, float]:
    """Its range selectors as text -> the length of the range, seconds; subqueries are none. Of a valid expression."""
    found: dict[str, float] = {}

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            found[node.prettify()] = node.range.total_seconds()
        return True

    promql_parser.walk(promql_parser.parse(text), visit)
    return found


def _names(selector: Any) -> Iterator[str]:
    if selector.name:
        yield selector.name
    # {__name__="x"}: the parser shows matchers as text only where the version has no list of them.
    yield from re.findall(r'__name__="([^"]+)"', str(selector.matchers))
