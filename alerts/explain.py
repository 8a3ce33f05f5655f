"""One rule as it stands: its expression part by part, and why each of its alerts is where it is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import promql_parser

from alerts.model import Alert, Rule
from alerts.templates.values import go_float
from history.model import Labels, Point, QueryError

SPLIT = ("and", "or", "unless", "==", "!=", "<", "<=", ">", ">=")
"""Each side of these is shown by itself; arithmetic is one part."""


@dataclass(frozen=True)
class Part:
    depth: int
    expr: str
    points: Sequence[Point] = ()
    error: str = ""


def parts(expr: str, ask: Callable[[str], Sequence[Point]]) -> Iterator[Part]:
    """The expression, then what it is made of. `ask` may raise QueryError and ValueError."""
    yield from _parts(promql_parser.parse(expr), 0, ask)


def _parts(node: Any, depth: int, ask: Callable[[str], Sequence[Point]]) -> Iterator[Part]:
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    if depth and isinstance(node, promql_parser.NumberLiteral):
        return
    text = " ".join(node.prettify().split())
    try:
        yield Part(depth, text, ask(text))
    except (QueryError, ValueError) as error:
        yield Part(depth, text, error=str(error))
    if isinstance(node, promql_parser.BinaryExpr) and str(node.op) in SPLIT:
        yield from _parts(node.lhs, depth + 1, ask)
        yield from _parts(node.rhs, depth + 1, ask)


def why(alert: Alert, rule: Rule) -> str:
    """What it waits for, or what keeps it."""
    if alert.state == "pending":
        if alert.missing_since is not None:
            return f"its data is missing since {at(alert.missing_since)}, and that time does not count"
        return f"true since {at(alert.active_at)}; fires at {at(alert.active_at + rule.hold)} if it stays true"
    if alert.state == "resolved":
        return f"over since {at(alert.resolved_at or 0.0)}; fired at {at(alert.fired_at or 0.0)}"
    return _why_it_fires(alert, rule)


def _why_it_fires(alert: Alert, rule: Rule) -> str:
    if alert.missing_since is not None:
        return f"kept: its data is missing since {at(alert.missing_since)}"
    if alert.false_since is not None:
        until = alert.false_since + rule.keep_firing_for
        return f"kept: not true since {at(alert.false_since)}; keep_firing_for holds it until {at(until)}"
    if alert.last_true < alert.seen:
        return f"kept: last true at {at(alert.last_true)}; raingauge_resolve_expr has no element for it yet"
    return f"true; fired at {at(alert.fired_at or 0.0)}, last true at {at(alert.last_true)}"


def at(seconds: float) -> str:
    """A time in UTC, to the second."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f}"


def shown(point: Point) -> str:
    return f"{labels(point.labels)} {go_float(point.value)}"


def labels(of: Labels) -> str:
    pairs = ", ".join(f'{name}="{value}"' for name, value in sorted(of.items()) if name != "__name__")
    return f"{of.get('__name__', '')}{{{pairs}}}"
