"""The operator's own rules, from files that may change while the agent runs: a new advisory needs no release.

A file with a mistake counts for nothing, and the rules of the others stay; the mistake is logged once.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from collectors.errors import ParseError
from collectors.weblog.attacks import classify, prefilter
from collectors.weblog.attacks.families import CLASSES
from collectors.weblog.attacks.rules import FOLDER, Rule, of_text, take
from collectors.weblog.layout import Request

MOST_BYTES = 2**20
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_taken: list[tuple[str, int, int]] = []


def refresh(folder: str) -> None:
    """Looks whether a file came, changed or went."""
    found = sorted(path for path in Path(folder).glob("*.yml") if path.is_file()) if folder else []
    now = list(map(_signature, found))
    if now == _taken:
        return
    _taken[:] = now
    rules: dict[str, Rule] = {}
    for path in found:
        try:
            rules |= {rule.id: rule for rule in read(path)}
        except (ParseError, OSError) as error:
            logging.getLogger(__name__).warning("attack rules: %s: %s", path, error)
    use(list(rules.values()))


def _signature(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:  # it went meanwhile
        return str(path), 0, 0
    return str(path), status.st_mtime_ns, status.st_size


def use(rules: Sequence[Rule]) -> None:
    take(rules)
    prefilter.forget()
    classify.forget()


def read(path: Path) -> tuple[Rule, ...]:
    """ParseError: not all of it is right."""
    if path.stat().st_size > MOST_BYTES:
        raise ParseError(f"expected at most {MOST_BYTES} bytes, found {path.stat().st_size}")
    found = of_text(path.read_text("utf-8"))
    known = {rule.id for file in FOLDER.glob("*.yml") for rule in of_text(file.read_text("utf-8"))}
    for rule in found:
        if rule.id in known:
            raise ParseError(f"{rule.id}: expected an id of its own, found one that comes with the product")
        if rule.found not in CLASSES:
            raise ParseError(f"{rule.id}: class: expected one of {', '.join(CLASSES)}, found {rule.found!r}")
    return found


def problems(rules: Sequence[Rule]) -> Iterator[str]:
    """What the rules' own examples say against them. The rules are in use after it."""
    use(rules)
    for rule in rules:
        for text in rule.positive:
            asked = request(text, rule)
            if rule.id not in {hit.rule for hit in classify.all_hits(asked)}:
                yield f"{rule.id}: positive: expected to find it, found nothing: {text}"
            elif not prefilter.odd(asked):
                yield f"{rule.id}: words: expected one that is in {text}, found {', '.join(rule.words)}"
        for text in rule.negative:
            if rule.id in {hit.rule for hit in classify.all_hits(request(text, rule))}:
                yield f"{rule.id}: negative: expected to find nothing in {text}"


def request(text: str, rule: Rule) -> Request:
    """`GET /path?query | user agent`, answered as the rule wants it."""
    asked, _, agent = text.partition(" | ")
    method, _, target = asked.partition(" ")
    path, _, query = target.partition("?")
    codes = (str(code) for code in range(200, 600))
    status = next((code for code in codes if not rule.statuses or re.fullmatch(rule.statuses, code)), "200")
    fields = dict.fromkeys(Request._fields, "") | {"method": method, "path": path, "query": query, "status": status}
    return Request(**fields | {"agent": agent or AGENT})
