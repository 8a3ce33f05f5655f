"""Attacks of one class from one network as one event, and what of a request may be shown in it."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import NamedTuple

from collectors.model import Event, Severity
from collectors.weblog.attacks.decoding import once, parameters
from collectors.weblog.attacks.families import CLASSES, WORDS
from collectors.weblog.attacks.keys import Keys
from collectors.weblog.attacks.outcome import SUCCESS
from collectors.weblog.layout import Request
from collectors.weblog.windows import masked

GRAVE = frozenset(("bruteforce", "drupal_exploit", "flood", "jndi", "php_object", "spam", "user_enum"))
"""One is told, and not only some."""
SOME = 3
MUTE_SECONDS = 300.0
GAP_SECONDS = 3600.0
"""After so long without one it is another attack."""
MOST_TOLD, TOLD_AGAIN = 60.0, 0.1
"""Events of a site and a severity at once, and a second after that: more of them nobody reads."""
SHOWN = 3
NAMES, LONGEST_NAME = 8, 60


class Found(NamedTuple):
    """What a line was found to be."""

    found: str
    """Its class."""
    outcome: str
    rule: str
    why: str
    cve: str = ""
    who: str = ""
    """"": the network of the request."""


class Seen(NamedTuple):
    site: str
    network: str
    found: str
    outcome: str
    severity: Severity
    now: float


def severity_of(found: str, outcome: str) -> Severity:
    return CLASSES[found] if outcome == SUCCESS else "info"


def tell(keys: Keys, seen: Seen, record: Mapping[str, str]) -> Iterator[Event]:
    """Adds it to its group, and gives that group when it is time to tell of it."""
    key = f"{seen.site} {seen.network} {seen.found} {seen.outcome}"
    row = keys.get("groups", key)
    if row is None or seen.now - row[1] > GAP_SECONDS:
        row = [seen.now, seen.now, 0, None, []]
    first, last, count, told, shown = row
    last, count, shown = max(last, seen.now), count + 1, [*shown[-(SHOWN - 1) :], dict(record)]
    enough = count >= (1 if seen.found in GRAVE or seen.outcome == SUCCESS else SOME)
    due = enough and (told is None or seen.now - told >= MUTE_SECONDS)
    if due:
        limit = f"{seen.site} {seen.severity}"
        if keys.level("told", limit, seen.now, TOLD_AGAIN) < MOST_TOLD:
            keys.pour("told", limit, seen.now, TOLD_AGAIN, MOST_TOLD)
            told = last
            yield _event(seen, (first, last, count), shown)
    keys.put("groups", key, [first, last, count, told, shown])


def _event(seen: Seen, times: tuple[float, float, int], shown: list[dict[str, str]]) -> Event:
    first, last, count = times
    key = f"{seen.site} {seen.network} {seen.found}"
    digest = blake2b(f"{key} {seen.outcome}".encode(errors="replace"), digest_size=8).hexdigest()
    said = "may have succeeded" if seen.outcome == SUCCESS else seen.outcome
    what = f"{WORDS[seen.found][:1].upper()}{WORDS[seen.found][1:]}"
    who = seen.network or "an unknown address"
    title = f"{what} on {seen.site} from {who}: {said}, {count} request{'s' if count > 1 else ''}"
    return Event(
        f"security.{seen.found}:{digest}:{first:.3f}:{count}", f"security.{seen.found}", seen.severity, "", seen.site,
        first, last, count, title, tuple(shown), dedup_key=f"{key} {seen.outcome}"[:255],
        state="closed" if seen.severity == "info" else "open", source="web",
    )  # fmt: skip


def shown(request: Request, one: Found) -> dict[str, str]:
    """No value of a parameter, no address; nothing that a terminal or a page would take for its own."""
    names = [printable(masked(once(name)))[:LONGEST_NAME] for name, _ in parameters(request.query[:2000]) if name]
    record = {
        "request": printable(f"{request.method} {masked(request.path[:2000])}"),
        "parameters": ", ".join(dict.fromkeys(names[:NAMES])),
        "status": request.status,
        "bytes": request.bytes,
        "rule": one.rule,
        "why": one.why,
        "cve": one.cve,
    }
    return {name: text for name, text in record.items() if text}


def printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
