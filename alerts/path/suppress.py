"""Stages that suppress: what a cause that fires explains, and what people silenced. What is suppressed stays visible.

Source: https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule
"""

from collections.abc import Mapping
from dataclasses import replace

from alerts.matchers import matches
from alerts.model import Alert, Labels
from alerts.path.flow import Flow, Mark
from alerts.path.plan import Inhibition, elsewhere


def inhibit(flow: Flow) -> Flow:
    """A silenced source inhibits too. What fits both sides is not inhibited by another that does."""
    firing = {key: alert for key, alert in flow.alerts.items() if alert.state == "firing"}
    found: dict[str, list[Alert]] = {}
    for rule in flow.known.plan.inhibitions:
        sources = _by_equal(rule, firing)
        for key, alert in firing.items() if sources else ():
            if not matches(rule.target, alert.labels):
                continue
            both = matches(rule.source, alert.labels)
            for other_key, source in sources.get(_equal(rule, alert.labels), ()):
                may = other_key != key and not (both and matches(rule.target, source.labels))
                if may and not elsewhere(flow.known.plan.uses, source.labels, alert.labels):
                    found.setdefault(key, []).append(source)
                    break
    return replace(flow, marks={**flow.marks, **{key: Mark(inhibited_by=tuple(by)) for key, by in found.items()}})


def _by_equal(rule: Inhibition, firing: Mapping[str, Alert]) -> Mapping[tuple[str, ...], list[tuple[str, Alert]]]:
    sources: dict[tuple[str, ...], list[tuple[str, Alert]]] = {}
    for key, alert in firing.items():
        if matches(rule.source, alert.labels):
            sources.setdefault(_equal(rule, alert.labels), []).append((key, alert))
    return sources


def _equal(rule: Inhibition, labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in rule.equal)


def silence(flow: Flow) -> Flow:
    active = [each for each in flow.known.silences if each.state(flow.known.now) == "active"]
    marks = dict(flow.marks)
    for key, alert in flow.alerts.items() if active else ():
        covering = tuple(each for each in active if alert.state == "firing" and each.covers(alert))
        if covering:
            marks[key] = replace(marks.get(key, Mark()), silenced_by=covering)
    return replace(flow, marks=marks)
