"""Error budgets: what the recorded `slo_*` series say of each objective, the one that ends first at the top."""

import math
from dataclasses import dataclass

from dashboard import units
from dashboard.host_facts import points
from dashboard.moments import span
from history.model import Source

SERIES = '{__name__=~"slo_(objective_ratio|requests|error_ratio|burn_rate|budget_left_ratio|days_to_empty)"}'
BURNS = ("1h", "6h", "3d")
FAST, SLOW = 6.0, 1.0
"""Burn rates: above the first a month's budget is gone in five days, above the second before its month is over."""
DAY = 86400.0


@dataclass(frozen=True)
class Budget:
    name: str
    site: str
    goal: str
    """`99.5 %`."""
    left: float | None
    """0 to 1, of what a month allows; below 0 once more was used; None while nothing was asked for."""
    left_text: str
    burns: tuple[tuple[str, str], ...]
    """Window and how many times faster than allowed; `–` without requests."""
    empty: str
    """`in 3 d`, `used up`, `not at this rate`, or `not known`."""
    requests: str
    """In the last 30 days."""
    state: str
    """crit, warn, none or ok."""


def budgets(source: Source, now: float) -> tuple[Budget, ...]:
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for point in points(source, SERIES, now):
        labels = point.labels
        of = found.setdefault((labels.get("slo", ""), labels.get("site", "")), {})
        of[labels["__name__"].removeprefix("slo_"), labels.get("window", "")] = point.value
    shown = [_budget(name, site, of) for (name, site), of in found.items()]
    return tuple(sorted(shown, key=lambda each: (math.inf if each.left is None else each.left, each.name)))


def _budget(name: str, site: str, of: dict[tuple[str, str], float]) -> Budget:
    left = _known(of.get(("budget_left_ratio", "30d")))
    burn = {each: _known(of.get(("burn_rate", each))) for each in BURNS}
    requests = _known(of.get(("requests", "30d")))
    return Budget(
        name=name,
        site=site,
        goal=units.text(of.get(("objective_ratio", "")), "ratio"),
        left=left,
        left_text=units.text(None if left is None else max(0.0, left), "ratio"),
        burns=tuple((each, "–" if rate is None else f"{units.number(rate)}×") for each, rate in burn.items()),
        empty=_empty(left, _known(of.get(("days_to_empty", "")))),
        requests=units.text(requests, "count"),
        state=_state(left, burn),
    )


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _empty(left: float | None, days: float | None) -> str:
    if left is None:
        return "not known"
    if left <= 0:
        return "used up"
    return "not at this rate" if days is None else f"in {span(days * DAY)}"


def _state(left: float | None, burn: dict[str, float | None]) -> str:
    if left is None:
        return "none"
    rates = [rate for rate in (burn["1h"], burn["6h"]) if rate is not None]
    if left <= 0 or (rates and min(rates) > FAST):
        return "crit"
    return "warn" if (burn["6h"] or 0.0) > SLOW or left < 0.1 else "ok"
