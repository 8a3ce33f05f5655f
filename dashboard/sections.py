"""The parts of Settings that who asks may open, and what a form of theirs answers."""

from dataclasses import dataclass

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from dashboard.rights import Caller, may

SECTIONS = (
    ("Appearance", "/settings", "appearance.page"),
    ("Configuration", "/settings/configuration", "settings.configuration"),
    ("Users", "/settings/users", "people.people"),
    ("Tokens", "/settings/tokens", "keys.keys"),
    ("Audit", "/settings/audit", "trail.trail"),
)


@dataclass(frozen=True)
class Section:
    name: str
    path: str
    current: bool


def sections(caller: Caller, current: str) -> tuple[Section, ...]:
    return tuple(
        Section(name, path, name == current) for name, path, endpoint in SECTIONS if may(caller, endpoint, "GET")
    )


def told(text: str, endpoint: str, *, wrong: bool = False) -> ResponseReturnValue:
    """Back to the page, which says it once."""
    flash(text, "wrong" if wrong else "done")
    return redirect(url_for(endpoint), 303)
