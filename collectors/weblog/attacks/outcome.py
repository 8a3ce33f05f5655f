"""How an attack went, as far as the line tells: attempt, blocked or success_suspected."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

from collectors.weblog.attacks.decoding import views
from collectors.weblog.attacks.rules import Hit
from collectors.weblog.layout import Request

ATTEMPT, BLOCKED, SUCCESS = "attempt", "blocked", "success_suspected"
OUTCOMES = (ATTEMPT, BLOCKED, SUCCESS)
REFUSED = frozenset(("403", "406", "429", "444"))
BROKEN = frozenset(("500", "502"))
"""503 is maintenance, or a limit."""
FEW = 3
"""Different things that are not there and got an answer of the same size: it is the site's page for those."""
MOST_SIZES = 16
Pages = Sequence[Any]
"""Sizes of answers with status 200 to what is hardly there: [size, hashes of up to FEW paths]."""


class Pace(NamedTuple):
    """How long an answer took, and how long that class of routes takes; in seconds."""

    taken: float
    usual: float


SLEEPS = re.compile(
    r"(?:sleep|receive_message)\s*\((?:[^()]{0,80},)?\s*['\"]?(\d{1,3})|delay\s*\(?['\"]\d+:\d+:(\d{1,2})",
    re.IGNORECASE,
)
LEAST_SLEEP, HEAVY = 2.0, 5.0
"""Seconds that are told from a slow page; of a statement that only works long (`benchmark`) nobody says how long."""


def slept(request: Request, pace: Pace) -> bool:
    """The answer came as late as the statement in the request asks for, and not as this page is used to."""
    text = views(request.query + " " + request.path, plus=True)[-1]
    if found := SLEEPS.search(text):
        wanted = float(found[1] or found[2])
        return wanted >= LEAST_SLEEP and 0.9 * wanted <= pace.taken - pace.usual <= 3 * wanted + 1
    return ("benchmark(" in text or "randomblob(" in text) and pace.taken - pace.usual >= HEAVY


def outcome(hit: Hit, request: Request, pages: Pages, pace: Pace | None = None) -> str:
    if pace and hit.found == "sqli" and slept(request, pace):
        return SUCCESS
    if request.status in REFUSED:
        return BLOCKED
    if hit.success in ("broke", "served_or_broke") and request.status in BROKEN:
        return SUCCESS
    if hit.success in ("served", "served_or_broke") and request.status in ("200", "201", "206"):
        size = size_of(request)
        if size is None or (hit.least <= size <= hit.most and not is_page_of_nothing(size, pages)):
            return SUCCESS
    return ATTEMPT


def size_of(request: Request) -> int | None:
    """None: it is not logged."""
    if request.bytes == "-":
        return 0
    return int(request.bytes) if request.bytes.isdecimal() else None


def is_page_of_nothing(size: int, pages: Pages) -> bool:
    return any(len(paths) >= FEW and _near(size, known) for known, paths in pages)


def with_page(pages: Pages, request: Request) -> Pages:
    """With this answer in it, if it is one of status 200."""
    size = size_of(request)
    if request.status != "200" or not size:
        return pages
    mark = crc32(request.path.encode(errors="replace"))
    for at, (known, paths) in enumerate(pages):
        if _near(size, known):
            if mark in paths or len(paths) >= FEW:
                return pages
            return [*pages[:at], [known, [*paths, mark]], *pages[at + 1 :]]
    return [*pages, [size, [mark]]][-MOST_SIZES:]


def _near(size: int, known: int) -> bool:
    """A page may repeat the path that it does not find."""
    return abs(size - known) <= max(16, known // 50)
