"""The rules as another process sees them: from their files, the history and the states that were saved."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent import asking
from agent.cli.context import Context
from agent.rule_files import rule_files
from alerts import rulefile, state
from alerts.asked import points, rule_keys
from alerts.engine import RuleState
from alerts.explain import at, labels, parts, shown, why
from alerts.model import Group, Rule
from alerts.readings import LAST_SUCCESS, PART_UP, Catalogue, behind_expressions
from alerts.ruletest.run import span
from collectors import registry
from history.model import Point, QueryError
from history.store import Store

EVALUATED = "raingauge_rule_group_last_evaluation_timestamp_seconds"
ELEMENTS = 10
"""Of a part's result, so many are shown."""


class Now:
    def __init__(self, context: Context) -> None:
        configuration, engine = context.configuration(), context.database()
        self.groups, self.errors = rulefile.load(rule_files(configuration))
        self._source = asking.source(configuration, Store(engine))
        self._states = state.load(engine)
        self._at = time.time()
        self._evaluated = {point.labels.get("group", ""): point.value for point in self._quiet(EVALUATED)}

    def keys(self, group: Group) -> list[tuple[str, Rule]]:
        return rule_keys(group)

    def _quiet(self, expr: str) -> Sequence[Point]:
        try:
            return points(self._source.query(expr, self._at))
        except (QueryError, ValueError):
            return ()

    def state(self, key: str) -> str:
        """`firing 2, pending 1`; inactive when nothing is."""
        found = [alert.state for alert in self._states.get(key, RuleState()).alerts.values()]
        counts = [f"{name} {found.count(name)}" for name in ("firing", "pending") if name in found]
        return ", ".join(counts) or "inactive"

    def evaluated(self, group: Group) -> str:
        """ "" when history does not know."""
        return at(self._evaluated[group.name]) if group.name in self._evaluated else ""

    def error(self, group: Group, rule: Rule) -> str:
        """Why the expression cannot be answered now; "" if it can."""
        try:
            points(self._source.query(rule.expr, self._at - group.query_offset))
        except (QueryError, ValueError) as error:
            return str(error) or type(error).__name__
        return ""

    def explained(self, group: Group, key: str, rule: Rule) -> Iterator[str]:
        yield f"{rule.alert or rule.record}: {Path(group.file).name}, group {group.name}, every {span(group.interval)}"
        yield from (f"  {line}" for line in _settings(rule))
        yield f"\nExpression, as of {at(self._at - group.query_offset)}"
        yield from self._expression(rule.expr, group)
        if rule.resolve_expr:
            yield "\nEnds when this has an element for the alert"
            yield from self._expression(rule.resolve_expr, group)
        yield "\nBehind it"
        yield from self._behind(rule)
        if rule.alert:
            yield "\nAlerts, as they were saved"
            alerts = self._states.get(key, RuleState()).alerts.values()
            for alert in alerts:
                yield f"  {alert.state} {labels(alert.labels)} value {alert.value:g}\n    {why(alert, rule)}"
            if not alerts:
                yield "  none"
        yield ""

    def _expression(self, expr: str, group: Group) -> Iterator[str]:
        for part in parts(expr, lambda text: points(self._source.query(text, self._at - group.query_offset))):
            indent = "  " * (part.depth + 1)
            yield f"{indent}{part.expr}"
            for point in part.points[:ELEMENTS]:
                yield f"{indent}  = {shown(point)}"
            if more := len(part.points) - ELEMENTS:
                yield from [f"{indent}  and {more} more"] if more > 0 else ()
            if not part.points:
                yield f"{indent}  {part.error or 'no element'}"

    def _behind(self, rule: Rule) -> Iterator[str]:
        behind = behind_expressions(self.groups, Catalogue(registry.collectors())).get(rule.expr, frozenset())
        up, read = self._quiet(PART_UP), self._quiet(LAST_SUCCESS)
        if not behind:
            yield "  no part of a collector of ours"
        for job, part in sorted(behind):
            seen = [point for point in up if point.labels.get("target_job") == job]
            seen = [point for point in seen if part in ("", point.labels.get("part"))]
            for point in seen:
                stamps = [each.value for each in read if _same(each, point)]
                when = f", last read at {at(max(stamps))}" if stamps else ""
                answers = "answers" if point.value else "does not answer"
                yield f"  {job} {point.labels.get('part')}, {point.labels.get('target_instance')}: {answers}{when}"
            if not seen:
                yield f"  {job} {part or '(any part)'}: not watched here"


def _same(one: Point, other: Point) -> bool:
    names = ("target_job", "target_instance", "part", "host")
    return all(one.labels.get(name) == other.labels.get(name) for name in names)


def _settings(rule: Rule) -> Iterator[str]:
    if rule.alert:
        hold = f"for {span(rule.hold)}" if rule.hold else "at once"
        kept = f", kept for {span(rule.keep_firing_for)} after" if rule.keep_firing_for else ""
        yield f"{rule.labels.get('severity', 'no severity')}, {hold}{kept}"
    if rule.no_data != "keep":
        yield f"no data: {rule.no_data}"
    if rule.min_valid:
        yield f"at least {rule.min_valid:g} of the samples in its ranges"
    if rule.depends_on:
        yield f"depends on {', '.join(rule.depends_on)}"
