"""Alertmanager's matchers: `severity="critical"`, `host=~"web.*"`. A label that is not there is an empty one.

Source: https://prometheus.io/docs/alerting/latest/configuration/#matcher
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

from alerts.model import Labels
from history.model import QueryError
from history.regex import compile_regex

Op = Literal["=", "!=", "=~", "!~"]

_NAME = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*')
_BARE = re.compile(r'[^"{},]*')
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


@lru_cache(maxsize=1024)
def _regex(text: str) -> Any:
    return compile_regex(text)


@dataclass(frozen=True)
class Matcher:
    """Regular expressions are RE2 and have to fit the whole value."""

    name: str
    op: Op
    value: str

    def __call__(self, labels: Labels) -> bool:
        found = labels.get(self.name, "")
        if self.op in ("=", "!="):
            return (found == self.value) == (self.op == "=")
        return (_regex(self.value).fullmatch(found) is not None) == (self.op == "=~")

    def __str__(self) -> str:
        return f"{self.name}{self.op}{quoted(self.value)}"


Matchers = tuple[Matcher, ...]


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def matches(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(matcher(labels) for matcher in matchers)


def written(matchers: Iterable[Matcher]) -> str:
    """`{a="1",b=~"x.*"}`, in the order of names."""
    return "{" + ",".join(sorted(str(matcher) for matcher in matchers)) + "}"


def matcher(name: str, op: str, value: str) -> Matcher:
    """ValueError for a regular expression that is none."""
    if op in ("=~", "!~"):
        try:
            _regex(value)
        except QueryError as error:
            raise ValueError(str(error)) from error
    return Matcher(name, cast("Op", op), value)


def parse_matchers(text: str) -> Matchers:
    """One or several, `a="b"` or `{a="b",c!~d}`; quotes may be left out. ValueError for anything else."""
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    found: list[Matcher] = []
    while inner.strip():
        name = _NAME.match(inner)
        if name is None:
            raise ValueError(f'expected a matcher such as severity="critical", found {text!r}')
        value, inner = _value(inner[name.end() :], text)
        found.append(matcher(name[1], name[2], value))
        if inner and not inner.startswith(","):
            raise ValueError(f"expected a comma between matchers, found {text!r}")
        inner = inner[1:]
    if not found:
        raise ValueError(f'expected a matcher such as severity="critical", found {text!r}')
    return tuple(found)


def _value(rest: str, text: str) -> tuple[str, str]:
    """The value, and what comes behind it."""
    if rest.startswith('"'):
        found = _QUOTED.match(rest)
        if found is None:
            raise ValueError(f"expected a closing quote, found {text!r}")
        value = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), found[1], flags=re.DOTALL)
        return value, rest[found.end() :]
    bare = _BARE.match(rest)
    assert bare  # it matches nothing too
    return bare[0].strip(), rest[bare.end() :]


def parse_all(texts: Sequence[str]) -> Matchers:
    return tuple(each for text in texts for each in parse_matchers(text))
