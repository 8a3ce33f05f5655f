"""From rows of JSON to samples. What is NULL or of an odd type is left out."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from collectors.errors import Denied, ParseError
from collectors.model import Counter, Family, Gauge, Sample
from collectors.postgres.connection import Row, Rows, Session, ask_if_allowed

Columns = Mapping[str, tuple[Family, float]]
"""Column -> its family, with the factor to the family's unit."""
MOST_DATABASES = 1000
"""Of one server; of one with more the rest is left out, so that the answer stays small."""
Payload = dict[str, Rows | None]
"""What was asked -> its rows; None where we were refused."""


def read_all(session: Session, statements: Mapping[str, str]) -> Payload:
    """Denied only when every statement is refused."""
    answers = {name: ask_if_allowed(session, statement) for name, statement in statements.items()}
    if all(rows is None for rows in answers.values()):
        raise Denied(f"{', '.join(statements)}: permission denied for each")
    return answers


def rows_of(payload: Any, name: str) -> Rows:
    rows = payload.get(name) if isinstance(payload, dict) else None
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ParseError(f"{name}: expected rows, found {rows!r:.80}")
    return rows


def number(value: Any) -> float | None:
    """Numbers, truth and times (whole Unix seconds); None for anything else."""
    if isinstance(value, str):
        try:
            return float(math.floor(datetime.fromisoformat(value).timestamp()))
        except (ValueError, OverflowError):
            return None
    if not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def counter(name: str, help_text: str, labels: tuple[str, ...] = (), factor: float = 1) -> tuple[Family, float]:
    return Counter(name, help_text, labels), factor


def gauge(name: str, help_text: str, labels: tuple[str, ...] = (), factor: float = 1) -> tuple[Family, float]:
    return Gauge(name, help_text, labels), factor


def counters(name: str, labels: tuple[str, ...] = (), **help_texts: str) -> Columns:
    """A family for each column, whose name takes the place of `*`."""
    return {column: counter(name.replace("*", column), text, labels) for column, text in help_texts.items()}


def gauges(name: str, labels: tuple[str, ...] = (), **help_texts: str) -> Columns:
    return {column: gauge(name.replace("*", column), text, labels) for column, text in help_texts.items()}


def families(*columns: Columns) -> tuple[Family, ...]:
    return tuple(family for each in columns for family, _ in each.values())


def label(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def labels(row: Row, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(label(row, name) for name in names)


def samples(row: Row, columns: Columns, *labels: str) -> Iterator[Sample]:
    for column, (family, factor) in columns.items():
        value = number(row.get(column))
        if value is not None:
            yield family(value * factor, *labels)


def lsn(value: Any) -> int | None:
    """A place in the write-ahead log in bytes, from the server's `16/B374D848`."""
    found = re.fullmatch(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})", value) if isinstance(value, str) else None
    return (int(found[1], 16) << 32) + int(found[2], 16) if found else None
