"""The form of a panel: what it shows, and what was sent in it."""

from dataclasses import dataclass
from typing import Any, cast

from flask import request

from dashboard.boards import Panel


@dataclass(frozen=True)
class Fields:
    """What the form of a panel shows."""

    at: int
    """Of the panel that is changed; -1: a new one."""
    title: str = ""
    expr: str = ""
    unit: str = "count"
    kind: str = "lines"
    thresholds: str = ""


def fields(panel: Panel, at: int) -> Fields:
    levels = ", ".join(f"{level:g}" for level in panel.thresholds)
    return Fields(at, panel.title, panel.expr, panel.unit, panel.kind, levels)


def sent(at: int) -> Fields:
    given = {name: request.form.get(name, "") for name in ("title", "expr", "thresholds")}
    return Fields(at, unit=request.form.get("unit", "count"), kind=request.form.get("kind", "lines"), **given)


def panel(fields: Fields) -> Panel:
    try:
        levels = tuple(float(each) for each in fields.thresholds.replace(",", " ").split())
    except ValueError:
        raise ValueError(f"expected thresholds such as 0.8, 0.95, found {fields.thresholds!r}") from None
    return Panel(fields.title, fields.expr, cast("Any", fields.unit), cast("Any", fields.kind), levels)
