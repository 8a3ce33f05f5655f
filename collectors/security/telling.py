"""Events of this collector: their ids, and what text may stand in them."""

from collections.abc import Mapping
from hashlib import blake2b

from collectors.model import Event, Severity

MOST_CHARACTERS = 200


def digest(*parts: object) -> str:
    return blake2b("\0".join(map(str, parts)).encode(errors="replace"), digest_size=8).hexdigest()


def plain(text: str) -> str:
    """Without control characters: an attacker may have chosen it."""
    return "".join(each if each.isprintable() else "?" for each in text[:MOST_CHARACTERS])


def event(
    kind: str,
    severity: Severity,
    at: float,
    title: str,
    evidence: Mapping[str, object],
    *,
    origin: object,
    key: str = "",
    site: str = "",
    count: int = 1,
    first: float | None = None,
) -> Event:
    """`origin`: what it derives from; the same origin gives the same id."""
    return Event(
        f"security.{kind}:{digest(kind, origin, title)}", f"security.{kind}", severity, "", site,
        at if first is None else first, at, count, plain(title),
        ({name: plain(str(value)) for name, value in evidence.items()},),
        dedup_key=f"security.{kind}:{digest(site, key)}",
        state="closed" if severity == "info" else "open", source="security",
    )  # fmt: skip
