"""What drupal.org tells of a project's releases: its release-history XML, and what a site has stored of it.

XML comes from whoever can answer in drupal.org's place, so it is read without entities and within bounds.
Source: https://www.drupal.org/drupalorg/docs/apis/update-status-xml
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from collectors.drupal.php_values import Value
from collectors.errors import ParseError

MOST_BYTES = 8_000_000
MOST_ELEMENTS = 400_000
MOST_RELEASES = 3000
DEEPEST = 12
MOST_CHARACTERS = 200
"""Of a name, a version or the like."""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
TYPES = re.compile(r"(?:project_)?(core|module|theme|profile|distribution|theme_engine)")


@dataclass(frozen=True)
class Release:
    version: str
    published: bool
    date: float | None = None  # Unix seconds
    types: tuple[str, ...] = ()
    """`Security update`, `Insecure`, `Unsupported`, `Bug fixes`, `New features`."""
    major: str = ""
    patch: str = ""
    extra: str = ""
    """These three of Drupal 7's histories only."""

    @property
    def security(self) -> bool:
        return "Security update" in self.types


@dataclass(frozen=True)
class History:
    """A project's releases, the newest first, as drupal.org orders them."""

    project: str
    type: str = ""
    """core, module, theme, profile or distribution."""
    status: str = ""
    """published, insecure, unsupported, revoked, unpublished; not-fetched in what a site stored."""
    branches: tuple[str, ...] = ()
    """Supported: "10.6.", "8.x-1."."""
    majors: tuple[str, ...] = ()
    """Supported ones of Drupal 7."""
    recommended_major: str = ""
    default_major: str = ""
    releases: tuple[Release, ...] = ()
    fetched: float | None = None  # Unix seconds
    pending: bool = False
    """The site is about to ask anew."""

    @property
    def seven(self) -> bool:
        return not self.branches and bool(self.majors or self.recommended_major or self.default_major)


@dataclass
class _Element:
    name: str
    children: "list[_Element]" = field(default_factory=list)
    text: str = ""

    def one(self, name: str) -> str:
        return next((child.text.strip() for child in self.children if child.name == name), "")

    def all(self, name: str) -> "list[_Element]":
        return [child for child in self.children if child.name == name]


def from_xml(text: str | bytes, fetched: float | None = None) -> History:
    """ParseError for what is no release history; one that says there are no releases has none."""
    root = _tree(text)
    if root.name == "error":
        return History(project="", fetched=fetched)
    project = root.one("short_name")
    if root.name != "project" or not NAME.fullmatch(project):
        raise ParseError(f"expected a project's release history, found <{root.name[:40]}>")
    releases = [each for part in root.all("releases") for each in part.all("release")]
    if len(releases) > MOST_RELEASES:
        raise ParseError(f"the release history of {project}: expected at most {MOST_RELEASES} releases")
    return History(
        project=project,
        fetched=fetched,
        releases=tuple(_release(_plain(each)) for each in releases if each.one("version")),
        **_facts({name: root.one(name) for name in FACTS}),
    )


FACTS = ("type", "project_status", "supported_branches", "supported_majors", "recommended_major", "default_major")


def _facts(said: Mapping[str, Any]) -> dict[str, Any]:
    kind = TYPES.fullmatch(_text(said.get("type")))
    return {
        "type": kind[1] if kind else "",
        "status": _text(said.get("project_status")),
        "branches": _list(said.get("supported_branches")),
        "majors": _list(said.get("supported_majors")),
        "recommended_major": _text(said.get("recommended_major")),
        "default_major": _text(said.get("default_major")),
    }


def from_stored(project: str, stored: Value) -> History:
    """A row of update_available_releases, or of Drupal 7's cache_update, unserialized."""
    if not isinstance(stored, dict):
        raise ParseError(f"the stored releases of {project[:40]}: expected an array, found {type(stored).__name__}")
    releases = stored.get("releases")
    found = list(releases.items())[:MOST_RELEASES] if isinstance(releases, dict) else []
    said = {str(key): value for key, value in stored.items()}
    return History(
        project=project,
        fetched=_number(said.get("last_fetch")) or None,
        pending=said.get("fetch_status") == -4,
        releases=tuple(
            _release({"version": str(version), **{str(key): value for key, value in release.items()}})
            for version, release in found
            if isinstance(release, dict)
        ),
        **_facts(said),
    )


def _plain(release: _Element) -> dict[str, Any]:
    """As a site stores it."""
    types = [
        term.one("value") for part in release.all("terms") for term in part.all("term")
        if term.one("name") == "Release type"
    ]  # fmt: skip
    return {**{child.name: child.text.strip() for child in release.children}, "terms": {"Release type": types}}


def _release(said: Mapping[str, Any]) -> Release:
    terms = said.get("terms")
    types = terms.get("Release type") if isinstance(terms, dict) else ()
    listed = types.values() if isinstance(types, dict) else types if isinstance(types, list) else ()
    return Release(
        version=_text(said.get("version")),
        published=said.get("status") == "published",
        date=_number(said.get("date")),
        types=tuple(_text(each) for each in listed if isinstance(each, str))[:10],
        major=_text(said.get("version_major")),
        patch=_text(said.get("version_patch")),
        extra=_text(said.get("version_extra")),
    )


def _text(value: Any) -> str:
    return str(value)[:MOST_CHARACTERS] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _list(value: Any) -> tuple[str, ...]:
    return tuple(each.strip() for each in _text(value).split(",") if each.strip())


def _number(value: Any) -> float | None:
    text = _text(value)
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 13 else None


class _Reader:
    """expat's handlers: a tree of what is inside of the outermost element."""

    def __init__(self) -> None:
        self.open: list[_Element] = []
        self.root: _Element | None = None
        self.elements = 0

    def start(self, name: str, _attributes: Any) -> None:
        self.elements += 1
        if self.elements > MOST_ELEMENTS or len(self.open) >= DEEPEST:
            raise ParseError(f"a release history: expected at most {MOST_ELEMENTS} elements, {DEEPEST} deep")
        element = _Element(name)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, _name: str) -> None:
        self.open.pop()

    def text(self, text: str) -> None:
        element = self.open[-1]
        if len(element.text) < MOST_CHARACTERS:
            element.text += text

    def refuse(self, _name: str, _system: str | None, _public: str | None, _inside: bool) -> None:
        raise ParseError("a release history: expected no document type, and so no entities")


def _tree(text: str | bytes) -> _Element:
    if len(text) > MOST_BYTES:
        raise ParseError(f"a release history of {len(text)} bytes: expected at most {MOST_BYTES}")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8" if isinstance(text, str) else None)
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(text.encode(errors="replace") if isinstance(text, str) else text, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ParseError(f"a release history: expected XML: {str(error)[:80]}") from error
    if reader.root is None:
        raise ParseError("a release history: expected XML")
    return reader.root
