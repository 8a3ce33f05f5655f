"""What a chart is: what it asks, in which unit, for which targets. Data only.

`$__rate_interval` is the range that rates are taken over, as Grafana calls it: four ticks, or more where points are
further apart than that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dashboard.units import Unit

RATE_INTERVAL = "$__rate_interval"
MOST_LINES = 5


@dataclass(frozen=True)
class Curve:
    """One or more lines: each series of the result is one."""

    name: str
    """At the line's end; `{mountpoint}` stands for the series' label of that name."""
    expr: str
    dotted: bool = False
    tone: int = 0
    """1 to 5: colour of the series; 0: the next that is free."""
    called: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Name as the labels make it -> what people call it."""


@dataclass(frozen=True)
class Limit:
    name: str
    expr: str


@dataclass(frozen=True)
class Chart:
    id: str
    title: str
    subtitle: str
    unit: Unit
    job: str
    """The job whose targets have it: without such a target the chart is not shown."""
    part: str
    """The part that reads it: where the part is absent (a kernel without pressure), so is the chart."""
    curves: tuple[Curve, ...]
    kind: Literal["lines", "area", "stack"] = "lines"
    """`area` fills below the first line; `stack` puts lines on each other."""
    limits: tuple[Limit, ...] = ()
    idle: str = ""
    """What is said when the part answers and there is still no value; "" shows no chart then."""
    each: tuple[str, ...] = ()
    """One chart for each set of values of these labels; () puts everything into one."""

    @property
    def expressions(self) -> Iterator[str]:
        yield from (curve.expr for curve in self.curves)
        yield from (limit.expr for limit in self.limits)
