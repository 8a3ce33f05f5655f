"""Prometheus' humanize functions: numbers as people read them."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from alerts.templates.values import Span, TemplateError, Value, four, kind, moment

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(?i:inf|infinity)|(?i:nan)", re.ASCII)


def number(value: Value) -> float:
    """TemplateError for what is no number and no text of one."""
    if isinstance(value, Span):
        return value.seconds
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TemplateError(f"can't convert {kind(value)} to float")
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise TemplateError(f"{value!r} is no number")
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise TemplateError(f"{value!r} is no number") from error


def _scaled(value: float, prefixes: Sequence[str], base: float) -> str:
    prefix = ""
    for candidate in prefixes:
        if abs(value) < base:
            break
        prefix, value = candidate, value / base
    return four(value) + prefix


def _small(value: float) -> str:
    prefix = ""
    for candidate in "munpfazy":
        if abs(value) >= 1:
            break
        prefix, value = candidate, value * 1000
    return four(value) + prefix


def humanize(value: Value) -> str:
    value = number(value)
    if value == 0 or not math.isfinite(value):
        return four(value)
    return _scaled(value, "kMGTPEZY", 1000) if abs(value) >= 1 else _small(value)


def humanize1024(value: Value) -> str:
    value = number(value)
    if abs(value) <= 1 or not math.isfinite(value):
        return four(value)
    return _scaled(value, [f"{prefix}i" for prefix in "kMGTPEZY"], 1024)


def humanize_duration(value: Value) -> str:
    value = number(value)
    if not math.isfinite(value):
        return four(value)
    if value == 0:
        return "0s"
    if abs(value) < 1:
        return _small(value) + "s"
    minutes, seconds = divmod(int(abs(value)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    sign = "-" if value < 0 else ""
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{abs(value):.4g}s"


def humanize_percentage(value: Value) -> str:
    return four(number(value) * 100) + "%"


def humanize_timestamp(value: Value) -> str:
    value = number(value)
    return moment(to_time(value)) if math.isfinite(value) else four(value)


def to_time(value: Value) -> datetime:
    value = number(value)
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=math.floor(value * 1000))
    except (OverflowError, ValueError) as error:
        raise TemplateError(f"{four(value)} is no point in time") from error
