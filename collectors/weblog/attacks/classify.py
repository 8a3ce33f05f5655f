"""One request -> what it looks like, by the rules and by the tokens of what it says. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache

from collectors.weblog.agents import AGENTS
from collectors.weblog.attacks.climbing import climbs
from collectors.weblog.attacks.decoding import MOST_CHARACTERS, parameters, views
from collectors.weblog.attacks.rules import Hit, compiled
from collectors.weblog.attacks.sql import injects
from collectors.weblog.layout import Request

SQL = Hit("sql-tokens", "sqli", "changes the statement that it is put into", success="broke")
CLIMB = Hit("climbs", "traversal", "leaves the folder that it begins in", success="broke")
SCANNER = Hit("scanner-agent", "scanner", "says itself that it is a scanner")
MARKED = re.compile(r"[^\w.,-]")
IN_PATH = frozenset(("traversal", "inclusion"))
"""In a path these ask the web server itself."""
LEAST_CLIMB = 2
"""`../x` alone is an address of a page beside this one."""
LEAST_BARE_CLIMB = 3
"""Of dots and slashes alone: what is asked for is not said."""
MARKED_PATH = re.compile(r"[^./\\\s]")

LONGEST_KEPT = 600
"""Characters of what is looked up when it comes again."""


def hits(request: Request) -> list[Hit]:
    """At most one of each class."""
    return _one_of_each(all_hits(request))


def all_hits(request: Request) -> Iterator[Hit]:
    path, query = request.path[:MOST_CHARACTERS], request.query[: 2 * MOST_CHARACTERS]
    of_target = _of_target if len(path) + len(query) <= LONGEST_KEPT else _of_target.__wrapped__
    found = [*of_target(request.method[:30], path, query)]
    for text in (request.agent, request.referrer):
        if "{" in text or "<" in text:
            found += (_of_header if len(text) <= LONGEST_KEPT else _of_header.__wrapped__)(text[:MOST_CHARACTERS])
    if AGENTS[request.agent] == "scanner":
        found.append(SCANNER)
    return (hit for hit in found if not hit.statuses or re.fullmatch(hit.statuses, request.status))


def forget() -> None:
    """The rules are others."""
    _of_header.cache_clear()
    _of_target.cache_clear()


def _one_of_each(found: Iterator[Hit]) -> list[Hit]:
    """The one that can tell a success goes first."""
    kept: dict[str, Hit] = {}
    for hit in found:
        known = kept.get(hit.found)
        if known is None or (known.success == "never" and hit.success != "never"):
            kept[hit.found] = hit
    return list(kept.values())


@lru_cache(4096)
def _of_header(text: str) -> tuple[Hit, ...]:
    return tuple(_by_rules("header", text.casefold()))


@lru_cache(4096)
def _of_target(method: str, path: str, query: str) -> tuple[Hit, ...]:
    found = [*_of_path(path)]
    whole = f"{method} {path}?{query}" if query else f"{method} {path}"
    for view in views(whole, plus=True):
        found += _by_rules("request", view)
    for name, value in parameters(query):
        found += _of_texts("name", name)
        found += _of_texts("value", value)
        if name == "q":  # Drupal 7 without clean addresses
            found += _of_path("/" + value.replace("+", " "))
    return tuple(dict.fromkeys(found))


def _of_path(path: str) -> Iterator[Hit]:
    for view in views(path, plus=False):
        for hit in _by_rules("path", view):
            yield hit._replace(success="served") if hit.found in IN_PATH else hit
        if climbs(view.lstrip("/")):
            yield CLIMB._replace(success="served")
        if any(injects(part) for part in view.split("/") if MARKED.search(part)):
            yield SQL


def _of_texts(on: str, text: str) -> Iterator[Hit]:
    for view in views(text, plus=True):
        yield from _by_rules(on, view)
        if injects(view):
            yield SQL
        if climbs(view) >= (LEAST_CLIMB if MARKED_PATH.search(view) else LEAST_BARE_CLIMB):
            yield CLIMB


def _by_rules(on: str, text: str) -> Iterator[Hit]:
    return (rule.hit for rule in compiled(on) if rule.search.search(text))
