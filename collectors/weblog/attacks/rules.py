"""The rules, as they stand in the files beside this one: checked when they are read.

Each names a class, what it looks at, a pattern for folded and decoded text, and examples that it must find or must not.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from collectors.config import Config
from collectors.errors import ParseError

FOLDER = Path(__file__).parent / "rules"
On = Literal["path", "name", "value", "header", "request"]
"""`request`: method, path and query, all of it decoded. `header`: user agent and referrer."""
Success = Literal["never", "served", "broke", "served_or_broke"]


class Hit(NamedTuple):
    rule: str
    found: str
    """Its class."""
    why: str
    cve: str = ""
    success: Success = "never"
    least: int = 1
    """Bytes of an answer that is what was asked for."""
    most: int = 10**12
    statuses: str = ""


class Rule(Config):
    id: str = Field(pattern=r"^[a-z0-9-]{3,40}$")
    found: str = Field(alias="class", pattern=r"^[a-z_]{3,30}$")
    looks_at: tuple[On, ...] = Field(min_length=1)
    pattern: str = Field(min_length=2, max_length=2000)
    words: tuple[str, ...] = Field(min_length=1)
    """One of them is in every text that the pattern finds; `*`: or a mark that no harmless text has. Those of a path
    begin with a slash or a dot: there they are looked for."""
    why: str = Field(min_length=5, max_length=120)
    cve: str = Field("", pattern=r"^(CVE-\d{4}-\d{4,6})?$")
    success: Success = "never"
    """Which answer makes it a suspected success."""
    least: int = 1
    most: int = 10**12
    statuses: str = ""
    """A pattern: what is answered otherwise is none."""
    positive: tuple[str, ...] = Field(min_length=1)
    """Requests: method, target, and after ` | ` a user agent."""
    negative: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def check(self) -> "Rule":
        re.compile(self.pattern)
        if any(word != word.casefold() for word in self.words):
            raise ValueError(f"{self.id}: words are lower case")
        return self

    @property
    def hit(self) -> Hit:
        return Hit(self.id, self.found, self.why, self.cve, self.success, self.least, self.most, self.statuses)


class RuleFile(Config):
    rules: tuple[Rule, ...]


class Compiled(NamedTuple):
    on: frozenset[str]
    search: re.Pattern[str]
    hit: Hit


_own: list[Rule] = []


@cache
def rules() -> tuple[Rule, ...]:
    """Those that come with the product, and the operator's own."""
    found = [rule for file in sorted(FOLDER.glob("*.yml")) for rule in of_text(file.read_text("utf-8"))] + _own
    if len({rule.id for rule in found}) != len(found):
        raise ValueError("two rules have the same id")
    return tuple(found)


def of_text(text: str) -> tuple[Rule, ...]:
    """ParseError: it is no file of rules; with the key, what was found and what was expected."""
    import yaml
    from pydantic import ValidationError

    try:
        return RuleFile.model_validate(yaml.safe_load(text)).rules
    except yaml.YAMLError as error:
        raise ParseError(f"expected YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ParseError(f"{where}: {first['msg']}, found {str(first['input'])[:80]!r}") from error
    except re.error as error:
        raise ParseError(f"pattern: {error}, found {str(error.pattern)[:80]!r}") from error


def take(own: Iterable[Rule]) -> None:
    """Instead of the operator's own rules from before. Whoever keeps results has to forget them."""
    _own[:] = own
    for known in (rules, compiled, words):
        known.cache_clear()


@cache
def compiled(on: str) -> tuple[Compiled, ...]:
    return tuple(
        Compiled(frozenset(rule.looks_at), re.compile(rule.pattern, re.DOTALL), rule.hit)
        for rule in rules()
        if on in rule.looks_at
    )


@cache
def words(*looks_at: str) -> frozenset[str]:
    """Of all rules that look at one of these."""
    found = {word for rule in rules() if {*looks_at} & {*rule.looks_at} for word in rule.words}
    return frozenset(found - {"*"})


def any_of(texts: Iterable[str]) -> str:
    """A pattern for one of them in which each letter is looked at once."""
    ways: dict[str, list[str]] = {}
    for text in sorted({*texts}):
        ways.setdefault(text[:1], []).append(text[1:])
    if "" in ways:
        return ""  # what is longer says no more
    return "(?:" + "|".join(re.escape(letter) + any_of(rests) for letter, rests in ways.items()) + ")"
