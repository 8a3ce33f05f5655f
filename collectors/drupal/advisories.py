"""Security advisories: whether one is about the installed version, and about this site's database.

The feed does not say which databases an advisory concerns. advisories.json, beside this file, does for those that are
about one kind only; an entry of a feed may too, as `drivers`.

Source: https://www.drupal.org/drupalorg/docs/apis/public-service-announcements
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files
from typing import Any

from collectors.drupal.versions import version
from collectors.errors import ParseError

MOST = 500
MOST_INSECURE = 2000
MOST_BYTES = 4_000_000
ID = re.compile(r"\bsa-(?:core|contrib)-[a-z0-9]{1,12}-\d{1,6}\b", re.IGNORECASE)
DRIVERS = ("mysql", "pgsql", "sqlite")


@dataclass(frozen=True)
class Advisory:
    id: str
    """SA-CORE-2026-004; empty where neither title nor link has one."""
    project: str
    announcement: bool
    """About something to come: it concerns every site, and no version."""
    insecure: tuple[str, ...]
    published: float | None  # Unix seconds
    drivers: tuple[str, ...] = ()
    """Databases that it is about; none: all."""

    def names(self, installed: str) -> bool:
        """Whether that version is insecure by it; a development version is what its branch was."""
        if self.announcement:
            return False
        if installed in self.insecure:
            return True
        try:
            ours = version(installed)
        except ParseError:
            return False
        return ours.dev and any(_same_branch(installed, each) for each in self.insecure)

    def spares(self, driver: str) -> bool:
        """Whether it is about other databases than this; not when the driver is not known."""
        return bool(self.drivers) and driver in DRIVERS and driver not in self.drivers


def _same_branch(installed: str, insecure: str) -> bool:
    try:
        ours, theirs = version(installed), version(insecure)
    except ParseError:
        return False
    alike = ours.key[0] == theirs.key[0] and ours.major == theirs.major
    return alike and (ours.minor is None or theirs.minor is None or ours.minor == theirs.minor)


def from_json(text: str) -> tuple[Advisory, ...]:
    """The feed, psa.json."""
    if len(text) > MOST_BYTES:
        raise ParseError(f"advisories of {len(text)} characters: expected at most {MOST_BYTES}")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"advisories: expected JSON: {str(error)[:80]}") from error
    if not isinstance(said, list):
        raise ParseError(f"advisories: expected a list, found {type(said).__name__}")
    return _advisories(said)


def from_stored(said: Any) -> tuple[Advisory, ...]:
    """What a site keeps of the feed, unserialized."""
    return _advisories(list(said.values())) if isinstance(said, dict) else ()


def _advisories(said: Sequence[Any]) -> tuple[Advisory, ...]:
    found = [_advisory(each) for each in said[:MOST] if isinstance(each, dict)]
    return tuple(each for each in found if each.project or each.announcement)


def _advisory(said: dict[Any, Any]) -> Advisory:
    word = next((found[0].upper() for key in ("title", "link") if (found := ID.search(_text(said.get(key))))), "")
    return Advisory(
        id=word,
        project=_text(said.get("project")),
        announcement=said.get("is_psa") in ("1", 1, True),
        insecure=tuple(_texts(said.get("insecure")))[:MOST_INSECURE],
        published=_published(_text(said.get("pubDate"))),
        drivers=tuple(_texts(said.get("drivers"))) or known_drivers().get(word, ()),
    )


@cache
def known_drivers() -> dict[str, tuple[str, ...]]:
    """Advisory -> the databases it is about."""
    text = files("collectors.drupal").joinpath("advisories.json").read_text()
    return {each["id"]: tuple(each["drivers"]) for each in json.loads(text)}


def _published(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, IndexError, OverflowError, TypeError):
        return None


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""


def _texts(value: Any) -> Iterable[str]:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (each[:100] for each in values if isinstance(each, str))
