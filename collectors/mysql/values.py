"""How a server's words become numbers, the way mysqld_exporter reads them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

Rows = list[list[str]]
Row = Mapping[str, str | None]
"""Column, in lower case -> text; None is NULL."""
Table = Sequence[Row]

PICOSECONDS = 1e-12  # seconds
WORDS = dict.fromkeys(("yes", "on", "primary"), 1) | dict.fromkeys(
    ("no", "off", "disabled", "connecting", "non-primary", "disconnected"), 0
)
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
DATE = re.compile(r"[A-Z][a-z]{2} .*|\d{4}-\d.*")


def number(text: str | None) -> float | None:
    """Words, numbers and dates; None for other text."""
    if text is None:
        return None
    text = text.strip()
    if (text.isdecimal() and text.isascii()) or NUMBER.fullmatch(text):  # most are whole
        return float(text)
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    return _date(text) if DATE.fullmatch(text) else None


def _date(text: str) -> float | None:
    for form in ("%b %d %H:%M:%S %Y %Z", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def plain(name: str) -> str:
    """What a metric's name may hold of a server's word."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def word(row: Row, column: str) -> str:
    """Empty for NULL and for a column that this server does not have."""
    return row.get(column) or ""
