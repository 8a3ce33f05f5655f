"""A line's values by name, and patterns that find them in many lines at once.

Every pattern is linear in the length of a line: what repeats gives nothing back, or ends at the next mark.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple, Protocol


class Request(NamedTuple):
    """One line. A value that is not logged is ""; one that was empty may be `-`."""

    remote: str
    time: str
    host: str
    method: str
    path: str
    """As it was asked for, percent signs and all."""
    query: str
    status: str
    bytes: str
    duration: str
    upstream: str
    """Seconds; of several upstreams as nginx lists them: `0.1, 0.2 : 0.3`."""
    cache: str
    drupal_cache: str
    dynamic_cache: str
    referrer: str
    agent: str


FIELDS = Request._fields
Columns = Mapping[str, Sequence[str]]


class Layout(Protocol):
    @property
    def seconds(self) -> float:
        """What one unit of `duration` is."""

    def columns(self, text: str) -> tuple[int, Columns]:
        """How many lines were understood, and the values of those that are logged, each as long."""


@dataclass(frozen=True)
class Literal:
    text: str


@dataclass(frozen=True)
class Value:
    field: str = ""
    """"": nothing that we want."""
    pattern: str = ""
    """"": up to the mark that follows."""
    before: str = ""
    """A pattern of what stands before it and does not belong to it."""


Token = Literal | Value

NUMBER = r"\d{1,9}(?:\.\d{1,9})?|-?"
COUNT = r"\d{1,15}|-?"
STATUS = r"\d{3}|-?"
TIMES = r"(?:[\d.-]++(?:(?:, | : )[\d.-]++)*+)?"
LISTED = r"[^\s\",]*+(?:(?:, | : )[^\s\",]++)*+"
"""What nginx says of each upstream that it asked."""
SPACED = r"[^\n]*?"
"""May hold the mark that ends it: the name that somebody gave to log in. A short value has to follow."""
MOMENT = r"[^\]\"\n]{0,40}?"
WITH_REASON = r"[^\s\"(]*+(?: \([^)\n]*+\))?+"
"""Drupal's cache headers: `UNCACHEABLE (request policy)`."""
PATH = r"[^\s?\"]*+"
QUOTED = r"[^\"\\\n]*+(?:\\[^\n][^\"\\\n]*+)*+"


@dataclass(frozen=True)
class Pattern:
    """Lines of one kind, by a regular expression."""

    regex: re.Pattern[str]
    fields: tuple[str, ...]
    """Of its groups."""
    seconds: float = 1.0

    def columns(self, text: str) -> tuple[int, Columns]:
        rows = self.regex.findall(text)
        return len(rows), {name: list(map(itemgetter(at), rows)) for at, name in enumerate(self.fields)}


def request(at: int, columns: Columns) -> Request:
    """One of the lines again."""
    return Request(*[columns[name][at] if columns.get(name) else "" for name in FIELDS])


def pattern(tokens: Sequence[Token], seconds: float = 1.0, *, whole: bool = True) -> Pattern | None:
    """None when it would tell neither what was asked for nor the answer. `whole`: nothing follows in the line."""
    fields: list[str] = []
    parts = []
    for at, token in enumerate(tokens):
        if isinstance(token, Literal):
            parts.append(re.escape(token.text))
            continue
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        parts.append(_value(token, following, fields))
    if not {"path", "status"} & set(fields):
        return None
    regex = "^(?=.)" + "".join(parts) + (r"\r?$" if whole else "") + "()"  # with a second group findall gives tuples
    return Pattern(re.compile(regex, re.MULTILINE), tuple(fields), seconds)


def _value(token: Value, following: Token | None, fields: list[str]) -> str:
    mark = following.text[0] if isinstance(following, Literal) else ""
    if token.field == "request":
        return _request(mark or " ", fields)
    if token.field == "target":
        return _target(mark or " ", fields)
    found = token.pattern or _up_to(mark, following)
    if token.field and token.field not in fields:
        fields.append(token.field)
        return f"{token.before}({found})"
    return f"{token.before}(?:{found})"


def _up_to(mark: str, following: Token | None) -> str:
    if mark == '"':
        return QUOTED
    if mark == ":":  # a host has no space: a visitor's name behind the address may have both
        return r"[^\s:]*+"
    if mark:
        return rf"[^{re.escape(mark)}\n]*+"
    if following is None:
        return r"[^\n\r]*+"
    of_path = isinstance(following, Value) and following.field in ("target", "path")
    return r"[^\s\"/]*+" if of_path else r"[^\s\"]{0,200}?"


def _request(mark: str, fields: list[str]) -> str:
    """`GET /path?query HTTP/1.1`; what is no request gives empty values."""
    end = re.escape(mark)
    method = _group("method", r"[A-Za-z_-]{1,30}", fields)
    return f"(?:{method} {_target(mark, fields)}(?: {_word(end)})?(?={end})|{_word(end)})"


def _target(mark: str, fields: list[str]) -> str:
    end = re.escape(mark)
    path, query = _group("path", _word(f' ?"{end}'), fields), _group("query", _word(f' "{end}'), fields)
    return f"{path}(?:\\?{query})?"


def _word(marks: str) -> str:
    r"""Up to one of the marks; one behind a backslash (Apache's `\"`) is none."""
    return rf"[^{marks}\\\n]*+(?:\\[^\n][^{marks}\\\n]*+)*+"


def _group(field: str, found: str, fields: list[str]) -> str:
    if field in fields:
        return f"(?:{found})"
    fields.append(field)
    return f"({found})"
