"""Which lines are worth a look: the others cannot be anything, as a test proves. Most lines cost a look-up here."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import compress
from urllib.parse import unquote, unquote_plus

from collectors.weblog.agents import AGENTS
from collectors.weblog.attacks.decoding import MOST_CHARACTERS, folded_of
from collectors.weblog.attacks.rules import any_of, words
from collectors.weblog.counting import Lines
from collectors.weblog.known import Known
from collectors.weblog.layout import Request

WATCHED = frozenset(("user", "user/login", "user/password", "user/register", "contact", "webform", "comment"))
"""Classes of routes that are watched over some time."""
NOT_THERE = frozenset(("400", "403", "404", "405", "410"))
"""Answers that are watched over some time too."""
PLAIN_PATH = re.compile(r"[\w/.,~ -]*")
PLAIN_QUERY = re.compile(r"[\w&=./,:~\[\] -]*")
SIMPLE_QUERY = re.compile(r"[\w&=\[\]-]*")
OF_SQL = (
    "and", "or", "xor", "union", "except", "intersect", "waitfor", "order", "group", "having", "case",
    "select", "execute",
)  # fmt: skip
"""One of them is needed where nothing but words and spaces can be."""
SQL_WORDS = re.compile("|".join(OF_SQL))
HEADS = "/."
"""What words of paths begin with."""


@cache
def _in_paths() -> re.Pattern[str]:
    return re.compile(any_of(word for word in words("path", "request") if word[0] in HEADS))


@cache
def _in_queries() -> re.Pattern[str]:
    return re.compile(any_of(words("name", "value", "request")))


@cache
def _in_simple_queries() -> tuple[str, ...]:
    return tuple(word for word in words("name", "value", "request") if SIMPLE_QUERY.fullmatch(word))


def odd_path(path: str) -> bool:
    plain = folded_of(unquote(path) if "%" in path else path)
    if not PLAIN_PATH.fullmatch(plain) or ".." in plain or len(plain) > MOST_CHARACTERS:
        return True
    return bool(_in_paths().search(plain)) or _may_be_sql(plain)


def odd_query(query: str) -> bool:
    if "%26" in query:  # a mark that ends a command, and not the end of a parameter
        return True
    plain = folded_of(unquote_plus(query) if "%" in query or "+" in query else query)
    if SIMPLE_QUERY.fullmatch(plain) and len(plain) <= MOST_CHARACTERS:
        return any(word in plain for word in _in_simple_queries()) or _may_be_path(plain)
    if not PLAIN_QUERY.fullmatch(plain) or ".." in plain or len(plain) > MOST_CHARACTERS:
        return True
    return bool(_in_queries().search(plain)) or _may_be_sql(plain) or _may_be_path(plain)


def _may_be_sql(plain: str) -> bool:
    return (" " in plain and bool(SQL_WORDS.search(plain))) or "information_schema" in plain


def _may_be_path(plain: str) -> bool:
    """Drupal 7 takes its path from `q`."""
    return "q=" in plain and bool(_in_paths().search(plain.replace("=", "/")))


def odd_agent(agent: str) -> bool:
    return AGENTS[agent] == "scanner" or "{" in agent or "<" in agent


PATHS, QUERIES, ODD_AGENTS = Known(odd_path), Known(odd_query), Known(odd_agent)


def forget() -> None:
    """The rules are others."""
    for words_of in (_in_paths, _in_queries, _in_simple_queries):
        words_of.cache_clear()
    for known in (PATHS, QUERIES, ODD_AGENTS):
        known.clear()


def odd(request: Request) -> bool:
    """It may be an attack by itself, whatever came before it."""
    return (
        PATHS[request.path]
        or (request.query != "" and QUERIES[request.query])
        or ODD_AGENTS[request.agent]
        or any(mark in request.referrer for mark in "{<")
    )


def chosen(lines: Lines) -> Sequence[int]:
    """Numbers of lines, in their order."""
    columns = lines.columns
    found = set(compress(range(lines.count), map(PATHS.__getitem__, columns.get("path", ()))))
    found.update(at for at in lines.queried if QUERIES[columns["query"][at]])
    found.update(compress(range(lines.count), map(ODD_AGENTS.__getitem__, columns.get("agent", ()))))
    found.update(compress(range(lines.count), map(WATCHED.__contains__, lines.classes)))
    found.update(compress(range(lines.count), map(NOT_THERE.__contains__, columns.get("status", ()))))
    referrers = columns.get("referrer", ())
    joined = "\n".join(referrers)
    if "{" in joined or "<" in joined:
        found.update(at for at, text in enumerate(referrers) if "{" in text or "<" in text)
    return sorted(found)
