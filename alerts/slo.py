"""Objectives of sites as rules: recorded ratios, the error budget that is left, and alerts on how fast it burns.

Source: https://sre.google/workbook/alerting-on-slos/
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field, field_validator

from alerts.model import Group, Rule
from collectors.config import Config, Seconds
from collectors.weblog.values import BUCKETS

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
ENOUGH = {"1h": 1.0, "6h": 2.5, "1d": 5.0, "3d": 10.0}
"""Window -> times the minimum of an hour that its requests have to be."""
PERIOD = "30d"
"""What the budget is for."""
INTERVAL = 60.0  # seconds
FILE = "slos"
FIRST_STEPS = """\
Which requests fail, or are slow: the page of the site, and /slowest
What changed: raingauge query 'ALERTS{alertstate="firing"}'
How much of the budget is left: raingauge query 'slo_budget_left_ratio'
"""


class Slo(Config):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")]
    """What it is called; the label `slo` of its series."""
    site: Annotated[str, Field(min_length=1, max_length=200)]
    """The site, as its series have it."""
    objective: Annotated[float, Field(gt=50, lt=100)] = 99.5
    """Percent of requests that are good, over 30 days."""
    slower_than: Annotated[Seconds, Field(gt=0)] | None = None
    """A request that takes longer is not good; without it, one that is answered with a status of 500 and above."""
    minimum: Annotated[int, Field(ge=1)] = 200
    """With fewer requests in an hour nobody is woken: one of ten would be a tenth."""

    @field_validator("slower_than")
    @classmethod
    def _is_a_bucket(cls, limit: float | None) -> float | None:
        if limit is not None and limit not in BUCKETS[:-1]:
            known = ", ".join(f"{bucket:g}" for bucket in BUCKETS[:-1])
            raise ValueError(f"expected one of the limits that times are counted by ({known} s), found {limit:g}")
        return limit


def groups(slos: Iterable[Slo]) -> list[Group]:
    """One group for each; their rules see what those before them have recorded."""
    return [Group(slo.name, FILE, INTERVAL, (*_recorded(slo), *_alerts(slo))) for slo in slos]


def _recorded(slo: Slo) -> Sequence[Rule]:
    labels = {"slo": slo.name, "site": slo.site}
    allowed = f"{1 - slo.objective / 100:.6g}"
    rules = [Rule(f"{slo.objective / 100:.6g}", record="slo_objective_ratio", labels=labels)]
    for window in WINDOWS:
        own = {**labels, "window": window}
        rules += [
            Rule(_requests(slo, window), record="slo_requests", labels=own),
            Rule(f"({_bad(slo, window)}) / ({_requests(slo, window)} > 0)", record="slo_error_ratio", labels=own),
            Rule(
                f"{_of('slo_error_ratio', slo, window)} / {allowed}", record="slo_burn_rate", labels=own,
            ),
        ]  # fmt: skip
    left = f"1 - {_of('slo_burn_rate', slo, PERIOD)}"
    burning = f"({_of('slo_burn_rate', slo, '6h')} > 0)"
    rules += [
        Rule(left, record="slo_budget_left_ratio", labels={**labels, "window": PERIOD}),
        Rule(
            f"sum(clamp_min({_of('slo_budget_left_ratio', slo, PERIOD)}, 0)) * 30 / sum({burning})",
            record="slo_days_to_empty", labels=labels,
        ),
    ]  # fmt: skip
    return rules


def _requests(slo: Slo, window: str) -> str:
    return f"sum(increase(web_requests_total{{{_site(slo)}}}[{window}]))"


def _bad(slo: Slo, window: str) -> str:
    if slo.slower_than is None:
        return f'sum(increase(web_requests_total{{{_site(slo)}, status="5xx"}}[{window}])) or vector(0)'
    name = "web_request_duration_seconds"
    fast = f'sum(increase({name}_bucket{{{_site(slo)}, le="{slo.slower_than:g}"}}[{window}]))'
    return f"clamp_min(sum(increase({name}_count{{{_site(slo)}}}[{window}])) - {fast}, 0)"


def _site(slo: Slo) -> str:
    text = slo.site.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'site="{text}"'


def _of(metric: str, slo: Slo, window: str) -> str:
    return f'{metric}{{slo="{slo.name}", window="{window}"}}'


def _alerts(slo: Slo) -> Sequence[Rule]:
    fast = _burning(slo, 14.4, "1h", "5m")
    steady = _burning(slo, 6, "6h", "30m")
    slow = f"{_burning(slo, 3, '1d', '2h')} or {_burning(slo, 1, '3d', '6h')}"
    return (
        _alert(slo, "SloBurnsFast", fast, "critical", 300.0),
        _alert(slo, "SloBurns", steady, "critical", 900.0),
        _alert(slo, "SloBurnsSlowly", slow, "warning", 900.0),
    )


def _burning(slo: Slo, factor: float, long: str, short: str) -> str:
    """In both windows, the short one so that it ends soon; and enough requests in the long one."""
    parts = [f"max without (window) ({_of('slo_burn_rate', slo, window)}) > {factor:g}" for window in (long, short)]
    parts.append(f"max without (window) ({_of('slo_requests', slo, long)}) > {slo.minimum * ENOUGH[long]:g}")
    return f"({' and '.join(parts)})"


def _alert(slo: Slo, name: str, expr: str, severity: str, keep: float) -> Rule:
    what = "fail" if slo.slower_than is None else f"take longer than {slo.slower_than:g} s"
    return Rule(
        expr, alert=name, keep_firing_for=keep,
        labels={"severity": severity, "class": "slow" if slo.slower_than else "outage", "layer": "web"},
        annotations={
            "summary": f"{slo.site}: requests {what}, "
            "{{ $value | humanize }} times as many as the objective " + f"{slo.name} allows",
            "description": f"{slo.objective:g} % of requests have to be good over 30 days.",
            "first_steps": FIRST_STEPS,
            "action": "raingauge query 'slo_budget_left_ratio'",
        },
    )  # fmt: skip
