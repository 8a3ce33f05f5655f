"""The plan in Alertmanager's words, for programs that read its configuration: amtool, Grafana, karma."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from alerts.path.plan import Plan, Route
from history.answer import duration

NOBODY = "nobody"
"""Alertmanager has no route without a receiver."""


def configuration(plan: Plan, receivers: Iterable[str]) -> str:
    """Escalations are left out: Alertmanager has none."""
    names = dict.fromkeys([NOBODY, *receivers])
    found: dict[str, Any] = {
        "route": {"receiver": NOBODY, **route(plan.root)},
        "receivers": [{"name": name} for name in names],
        "inhibit_rules": [
            {
                "source_matchers": [str(each) for each in rule.source],
                "target_matchers": [str(each) for each in rule.target],
                "equal": list(rule.equal),
            }
            for rule in plan.inhibitions
        ],
        "time_intervals": [_plain(each.model_dump()) for each in plan.intervals.values()],
    }
    return yaml.safe_dump({key: value for key, value in found.items() if value}, sort_keys=False)


def route(here: Route) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "receiver": here.receiver,
        "matchers": [str(each) for each in here.matchers],
        "group_by": list(here.group_by),
        "group_wait": duration(here.group_wait),
        "group_interval": duration(here.group_interval),
        "repeat_interval": duration(here.repeat_interval),
        "continue": here.goes_on,
        "mute_time_intervals": list(here.mute),
        "active_time_intervals": list(here.active),
        "routes": [route(below) for below in here.routes],
    }
    return {key: value for key, value in found.items() if value}


def _plain(value: Any) -> Any:
    """Without what is empty."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if inner}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value
