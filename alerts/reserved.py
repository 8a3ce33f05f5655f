"""Annotations whose names begin with raingauge_: what a rule may say beyond Prometheus' format.

They are annotations so that Prometheus loads the same file; there they have no effect. Here nobody is told them.
"""

import re
from collections.abc import Callable
from typing import Any

from alerts.expression import check_expression

PREFIX = "raingauge_"
EXPRESSION = "a PromQL expression"


class Refused(Exception):
    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected


def resolve_expr(text: str) -> str:
    if problem := check_expression(text):
        raise Refused(f"{text.strip()!r}: {problem}", EXPRESSION)
    return text


def no_data(text: str) -> str:
    if text not in ("keep", "fire", "ok"):
        raise Refused(repr(text), "keep, fire or ok")
    return text


def min_valid(text: str) -> float:
    if not re.fullmatch(r"0?\.\d+|1(\.0*)?", text) or float(text) == 0:
        raise Refused(repr(text), "a fraction above 0, at most 1, such as 0.5")
    return float(text)


def depends_on(text: str) -> tuple[str, ...]:
    names = re.split(r"\s*,\s*|\s+", text.strip())
    if names == [""]:
        raise Refused("nothing", "names of alerts, with commas between them")
    if "" in names or len(set(names)) < len(names):
        raise Refused(repr(text), "names of alerts, each once, with commas between them")
    return tuple(names)


RESERVED: dict[str, Callable[[str], Any]] = {
    "raingauge_resolve_expr": resolve_expr,
    "raingauge_no_data": no_data,
    "raingauge_min_valid": min_valid,
    "raingauge_depends_on": depends_on,
}


def read(name: str, text: str) -> tuple[str, Any]:
    """The rule's field and its value; Refused for a name or value that is none."""
    if name not in RESERVED:
        raise Refused("an unknown annotation", f"one of {', '.join(RESERVED)}")
    return name.removeprefix(PREFIX), RESERVED[name](text)
