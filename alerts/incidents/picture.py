"""The chart of a message: what the alert's rule compares, with its threshold; else the series that moved first."""

from collections.abc import Iterable, Mapping
from typing import Any

import promql_parser

from alerts.expression import metrics
from alerts.incidents.gather import Window
from alerts.incidents.model import Incident
from alerts.message.chart import Chart
from alerts.message.redact import redact
from alerts.message.units import Unit
from alerts.model import Alert, Rule
from history.model import Line, Source

COMPARED = ("==", "!=", "<", "<=", ">", ">=")
JOINED = ("and", "unless", "or")


def chart(alert: Alert, rules: Iterable[Rule], incident: Incident, source: Source, looked: Window) -> Chart | None:
    """None where there is nothing to draw. QueryError when history cannot be asked."""
    marks = tuple((change.at, redact(change.title)) for change in incident.changes)
    for rule in rules:
        compared = _compared(rule.expr) if rule.alert == alert.name else None
        line = _line(source, compared[0], alert.labels, looked) if compared else None
        if compared and line is not None:
            title = redact(alert.annotations.get("summary", "")) or alert.name
            return _chart(title, line, looked, marks, alert.active_at, compared[1], "threshold", _unit(compared[0]))
    for mover in incident.movers:
        line = _line(source, mover.expr, {"host": incident.host}, looked)
        if line is not None:
            return _chart(mover.title, line, looked, marks, incident.began, mover.before, "usual", mover.unit)
    return None


def _chart(  # noqa: PLR0917
    title: str,
    line: Line,
    looked: Window,
    marks: tuple[tuple[float, str], ...],
    began: float,
    limit: float,
    name: str,
    unit: Unit,
) -> Chart:
    return Chart(
        title, unit, tuple(line.times.tolist()), tuple(line.values.tolist()), looked.start, looked.end, limit, name,
        marks, began,
    )  # fmt: skip


def _unit(expr: str) -> Unit:
    """As far as names of metrics say."""
    names = {name for name in metrics(expr) if not name.endswith("_total")}
    if "/" in expr:
        return "ratio" if names else "count"
    return "seconds" if all(name.endswith("_seconds") for name in names) and names else "count"


def _compared(expr: str) -> tuple[str, float] | None:
    """What the first comparison with a number compares, and that number; None for a rule without one."""
    node: Any = promql_parser.parse(expr)
    while isinstance(node, (promql_parser.ParenExpr, promql_parser.BinaryExpr)):
        if isinstance(node, promql_parser.ParenExpr):
            node = node.expr
        elif str(node.op) in COMPARED and isinstance(node.rhs, promql_parser.NumberLiteral):
            return " ".join(node.lhs.prettify().split()), float(node.rhs.val)
        elif str(node.op) in JOINED:
            node = node.lhs
        else:
            return None
    return None


def _line(source: Source, expr: str, labels: Mapping[str, str], looked: Window) -> Line | None:
    """The series of these labels; of several, the one that varies most."""
    found = [
        line
        for line in source.query_range(expr, looked.start, looked.end, looked.step).lines
        if len(line.times) > 1 and all(labels.get(name, value) == value for name, value in line.labels.items())
    ]
    return max(found, key=lambda line: float(line.values.max() - line.values.min()), default=None)
