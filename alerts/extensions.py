"""What the reserved annotations of a rule do to its evaluation. Pure, but for what it asks.

An element of an expression speaks of an alert when every label that both have is equal, but for those that the rule
itself sets. So `vector(1)` speaks of all alerts of a rule.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from alerts.engine import Evaluation, Reading, alert_labels
from alerts.expression import ranges
from alerts.model import Alert, Labels, Rule
from history.model import Matrix, Point, QueryError


@dataclass(frozen=True)
class Asking:
    points: Callable[[str], Sequence[Point]]
    """An expression's elements now. QueryError, ValueError."""
    samples: Callable[[str], object]
    """A range selector's Matrix now. QueryError."""
    missing: Callable[[], Sequence[Labels]]
    """Labels of the targets behind the rule that do not answer. QueryError."""


def extended(evaluation: Evaluation, alerts: Collection[Alert], asking: Asking) -> Evaluation:
    """`alerts`: those of the rule so far. What cannot be asked for ends nothing, and is noted."""
    rule = evaluation.rule
    if evaluation.error or not rule.alert:
        return evaluation
    try:
        if rule.min_valid and (evaluation.points or alerts):
            evaluation = _only_valid(evaluation, asking)
        if rule.resolve_expr and any(alert.state == "firing" for alert in alerts):
            evaluation = _until_resolved(evaluation, asking)
        if rule.no_data == "fire":
            evaluation = _with_missing(evaluation, alerts, asking)
    except (QueryError, ValueError) as error:
        return replace(evaluation, error=str(error) or type(error).__name__)
    return _missing_is_over(evaluation) if rule.no_data == "ok" else evaluation


def _speaks_of(element: Labels, labels: Labels, rule: Rule) -> bool:
    own = {"__name__", "alertname", *rule.labels}
    return all(labels.get(name, value) == value for name, value in element.items() if name not in own)


def _only_valid(evaluation: Evaluation, asking: Asking) -> Evaluation:
    """What has too few samples behind it is as missing as what cannot be read."""
    rule = evaluation.rule
    selectors = []
    for text, seconds in ranges(rule.expr).items():
        found = asking.samples(text)
        lines = found.lines if isinstance(found, Matrix) else ()
        selectors.append([(line.labels, _valid(line.times.tolist(), seconds, evaluation.interval)) for line in lines])

    def enough(labels: Labels) -> bool:
        """By the best series of each selector; one without a series that speaks of it has no part in it."""
        best = [
            max((valid for found, valid in lines if _speaks_of(found, labels, rule)), default=1.0)
            for lines in selectors
        ]
        return min(best, default=1.0) >= rule.min_valid

    inner = evaluation.reading

    def reading(labels: Labels) -> Reading:
        known = inner(labels)
        return known if enough(labels) else replace(known, missing=True)

    points = [point for point in evaluation.points if enough(point.labels)]
    return replace(evaluation, points=points, reading=reading)


def _valid(times: Sequence[float], seconds: float, interval: float) -> float:
    """The part of the range that samples at the series' usual distance cover."""
    between = sorted(after - before for before, after in pairwise(times))
    usual = between[len(between) // 2] if between else interval
    return min(1.0, len(times) * usual / seconds) if seconds else 1.0


def _until_resolved(evaluation: Evaluation, asking: Asking) -> Evaluation:
    rule, inner, note = evaluation.rule, evaluation.reading, evaluation.note
    resolving: Sequence[Point] = ()
    try:
        resolving = asking.points(rule.resolve_expr)
    except (QueryError, ValueError) as error:
        note = f"raingauge_resolve_expr: {error}"

    def reading(labels: Labels) -> Reading:
        known = inner(labels)
        if known.missing or known.gone or any(_speaks_of(point.labels, labels, rule) for point in resolving):
            return known
        return replace(known, held=True)

    return replace(evaluation, reading=reading, note=note)


def _with_missing(evaluation: Evaluation, alerts: Iterable[Alert], asking: Asking) -> Evaluation:
    """An element without a value for each target that does not answer, unless a firing alert speaks of it already."""
    rule = evaluation.rule
    firing = [alert.labels for alert in alerts if alert.state == "firing"]
    points = list(evaluation.points)
    for target in asking.missing():
        point = Point({name: value for name, value in target.items() if value}, 0.0, math.nan)
        own = alert_labels(rule, point, evaluation.around)
        if not any(labels != own and _speaks_of(point.labels, labels, rule) for labels in firing):
            points.append(point)
    return replace(evaluation, points=points)


def _missing_is_over(evaluation: Evaluation) -> Evaluation:
    inner = evaluation.reading

    def reading(labels: Labels) -> Reading:
        known = inner(labels)
        return Reading() if known.missing else known

    return replace(evaluation, reading=reading)
