"""Drupal's version numbers in their order: 7.x-3.4+5-dev, 8.x-1.0-beta2, 10.3.x-dev, 6.2.9, and composer's dev-1.x.

Source: https://www.drupal.org/docs/develop/git/git-for-drupal-project-maintainers/release-naming-conventions
"""

import re
from dataclasses import dataclass

from collectors.errors import ParseError

MOST_CHARACTERS = 100
ORIGIN = re.compile(r"(?P<core>[1-9]\d?)\.x-(?=[0-9])")
NUMBERS = re.compile(r"v?(?P<numbers>\d{1,9}(?:\.\d{1,9}){0,3}(?:\.[x*])?)(?P<rest>(?:[-+][0-9A-Za-z][\w.+-]*)?)")
EXTRA = re.compile(r"-?(?P<word>[a-z]+)[.-]?(?P<number>\d{0,9})(?P<rest>.*)", re.IGNORECASE)
COMMITS = re.compile(r"\+(\d{1,9})-dev")
STAGES = {"dev": 0, "unstable": 1, "alpha": 2, "a": 2, "beta": 3, "b": 3, "rc": 4}
RELEASED = 5
AFTER = 6
"""A word that we do not know is an addition to the release: 1.6-bugfix."""
HEAD = 10**9
"""In place of an x: a branch's end comes after all its releases."""

Key = tuple[int, tuple[int, ...], int, int, int, str]


@dataclass(frozen=True)
class Version:
    text: str
    key: Key
    """Core's number where it is one before 8, numbers, stage, its number, commits since, the text without `8.x-`."""
    major: int
    dev: bool
    extra: str
    """What follows the numbers, without its dash."""

    def __lt__(self, other: "Version") -> bool:
        return self.key < other.key

    def __le__(self, other: "Version") -> bool:
        return self.key <= other.key

    @property
    def minor(self) -> int | None:
        """Of three numbers the middle one."""
        numbers = self.key[1]
        return numbers[1] if len(numbers) > 2 and numbers[1] != HEAD else None


def version(text: str) -> Version:
    """ParseError for what is none: a branch's name, a commit's hash."""
    plain = text.strip()
    branch = plain.startswith("dev-")
    if len(plain) > MOST_CHARACTERS or not plain.isascii():
        raise ParseError(f"expected a version of Drupal, found {text[:40]!r}")
    named = plain.removeprefix("dev-")
    origin = ORIGIN.match(named)
    core = int(origin["core"]) if origin else 8
    found = NUMBERS.fullmatch(named[origin.end() :] if origin else named)
    if not found or (branch and found["rest"]):
        raise ParseError(f"expected a version of Drupal, found {text[:40]!r}")
    numbers = tuple(HEAD if each in ("x", "*") else int(each) for each in found["numbers"].split("."))
    if branch and numbers[-1] != HEAD:
        numbers = (*numbers, HEAD)
    head = numbers[-1] == HEAD
    if head and found["rest"] not in ("", "-dev"):
        raise ParseError(f"expected a version of Drupal, found {text[:40]!r}")
    rest = "-dev" if head else found["rest"]
    stage, number, commits = _stage(rest, head)
    key = (min(8, core), numbers, stage, number, commits, f"{found['numbers']}{rest}")
    return Version(plain, key, numbers[0], rest.endswith("-dev"), rest.lstrip("-+"))


def _stage(rest: str, head: bool) -> tuple[int, int, int]:
    """Stage, its number, commits since."""
    if head or not rest:
        return RELEASED, 0, 0
    if commits := COMMITS.fullmatch(rest):
        return RELEASED, 0, int(commits[1])
    found = EXTRA.fullmatch(rest)
    if not found:
        return AFTER, 0, 0
    stage = STAGES.get(found["word"].lower(), AFTER)
    commits = COMMITS.fullmatch(found["rest"])
    return stage, int(found["number"] or 0), int(commits[1]) if commits else 0


def same(one: str, other: str) -> bool:
    """Whether both are one release: composer writes 1.5.0 for drupal.org's 8.x-1.5."""
    try:
        first, second = version(one), version(other)
    except ParseError:
        return one == other
    return first.key[0] == second.key[0] and first.key[2:5] == second.key[2:5] and _trimmed(first) == _trimmed(second)


def _trimmed(of: Version) -> tuple[int, ...]:
    numbers = of.key[1]
    while len(numbers) > 2 and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers
