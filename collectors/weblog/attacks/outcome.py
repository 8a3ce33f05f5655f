"""How an attack went, as far as the line tells: attempt, blocked or success_suspected."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

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


def outcome(hit: Hit, request: Request, pages: Pages) -> str:
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
