"""What a template computes with, and how Go shows, orders and judges it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class TemplateError(Exception):
    pass


class Data(dict[str, Any]):
    """Go's struct: another field than its own is an error, not empty."""


class Args(dict[str, Any]):
    """What `args` makes: a name that is not in it is nil, not empty text."""

    def __init__(self, *given: Any) -> None:
        super().__init__({f"arg{at}": each for at, each in enumerate(given)})
        inner = [each for each in given if isinstance(each, Args)]
        self.depth: int = 1 + max((each.depth for each in inner), default=0)
        self.size: int = 1 + sum(each.size for each in inner) + sum(_size(each) for each in given)
        if self.depth > 20 or self.size > 10_000:  # of such in such: each shows what it holds as often as it holds it
            raise TemplateError("args of args nest too deep or hold too much")


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list | Mapping) else 1


@dataclass(frozen=True)
class Sample:
    """One element of a query's result."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Span:
    """Go's time.Duration."""

    seconds: float


Value = Any
"""None, bool, int, float, str, Mapping, list, Sample, Span, datetime, Data."""


KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"), (int, "int"), (float, "float64"), (str, "string"), (Data, "struct"), (Mapping, "map"),
    (Sample, "*template.sample"), (Span, "time.Duration"), (datetime, "*time.Time"), (list, "slice"),
)  # fmt: skip


def kind(value: Value) -> str:
    """Go's name of its type."""
    return next((name for of, name in KINDS if isinstance(value, of)), "<nil>")


def true(value: Value) -> bool:
    """What `if` takes for true: neither zero nor empty."""
    if value is None or isinstance(value, bool | int | float):
        return bool(value)
    return len(value) > 0 if isinstance(value, str | Mapping | Sequence) else True


def show(value: Value) -> str:
    """As Go prints the value: 1e+06, not 1000000.0."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return "<nil>" if value is None else str(value).lower()
    if isinstance(value, float):
        return go_float(value)
    return _held(value)


def _held(value: Value) -> str:
    match value:
        case Mapping():
            return _mapping(value)
        case list():
            return "[" + " ".join(show(each) for each in value) + "]"
        case Sample():
            return f"&{{{show(value.labels)} {show(value.value)}}}"
        case Span():
            return span(value.seconds)
        case datetime():
            return moment(value)
    return str(value)


def _mapping(value: Mapping[str, Value]) -> str:
    if isinstance(value, Data):
        return "{" + " ".join(show(each) for each in value.values()) + "}"
    return "map[" + " ".join(f"{name}:{show(value[name])}" for name in sorted(value)) + "]"


def go_float(value: float) -> str:
    """The shortest text that reads back the same, with an exponent below 1e-4 and from 1e+06."""
    if not math.isfinite(value):
        return four(value)
    sign, digits, point = digits_of(value)
    exponent = point - 1
    if -4 <= exponent < 6:
        return f"{value:.{max(0, len(digits) - point)}f}"
    return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{exponent:+03d}"


def digits_of(value: float) -> tuple[str, str, int]:
    """Sign, digits without zeros at either end, and where the point is among them."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    point = len(whole) - leading + int(exponent or 0)
    sign = "-" if math.copysign(1, value) < 0 else ""
    return (sign, digits.strip("0"), point) if digits.strip("0") else (sign, "0", 1)


def four(value: float) -> str:
    """Four digits, as `humanize` has them."""
    if math.isnan(value):
        return "NaN"
    return f"{value:.4g}" if math.isfinite(value) else f"{value:+}".title()


def moment(at: datetime) -> str:
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at.year:04d}-{at:%m-%d %H:%M:%S}{fraction} +0000 UTC"


def span(seconds: float) -> str:
    """1h0m1.5s, as Go writes a duration."""
    nanoseconds = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and nanoseconds else ""
    if nanoseconds < 1_000_000_000:
        unit, width = next(
            ((u, w) for u, w in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)) if nanoseconds >= w), ("s", 1)
        )
        return sign + _decimal(nanoseconds, width) + unit
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = _decimal(rest, 1_000_000_000) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _decimal(count: int, of: int) -> str:
    whole, rest = divmod(count, of)
    return f"{whole}.{str(rest).zfill(len(str(of)) - 1).rstrip('0')}" if rest else str(whole)


def equal(one: Value, *others: Value) -> bool:
    """Go's `eq`: whether the first is any of the others."""
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_same(one, other) for other in others)


def _same(one: Value, other: Value) -> bool:
    if one is None or other is None:
        return one is other
    _comparable(one, other)
    return bool(one == other)


def less(one: Value, other: Value) -> bool:
    _comparable(one, other)
    if isinstance(one, bool):
        raise TemplateError("invalid type for comparison")
    return bool(one < other)


def _comparable(one: Value, other: Value) -> None:
    """Go compares nothing of two kinds: `gt $value 1` is an error, `gt $value 1.0` is none."""
    for value in (one, other):
        if not isinstance(value, bool | int | float | str):
            raise TemplateError(f"invalid type for comparison: {kind(value)}")
    if kind(one) != kind(other):
        raise TemplateError(f"incompatible types for comparison: {kind(one)} and {kind(other)}")
