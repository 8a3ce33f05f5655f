"""How a change becomes an event: one id for one change, however often it is read again."""

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from collectors.model import Event, Severity, State

MOST_NAMED = 10
MOST_CHARACTERS = 120
NUMBER = "changes"
"""Key of the state: how many changes there were, so that the same change later is another one."""


def digest(value: Any) -> str:
    return blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


class Changes:
    """Gathers the events of one step. Its state is the one after the step."""

    def __init__(self, state: State, site: str, now: float) -> None:
        self.state = dict(state)
        self.events: list[Event] = []
        self._site = site
        self._now = now

    def moved(self, key: str, value: Any) -> tuple[bool, Any]:
        """Remember it; whether it was known and is another now, and what it was."""
        known, before = key in self.state, self.state.get(key)
        self.state[key] = value
        return known and before != value, before

    def tell(
        self, kind: str, title: str, evidence: Iterable[Mapping[str, str]] = (), severity: Severity = "info",
        at: float | None = None,
    ) -> None:  # fmt: skip
        number = self.state[NUMBER] = int(self.state.get(NUMBER, 0)) + 1
        records = tuple({name: plain(value) for name, value in each.items()} for each in evidence)[:MOST_NAMED]
        when = self._now if at is None else at
        said = digest([self._site, kind, title, records, number])
        self.events.append(
            Event(
                f"{kind}:{said}", kind, severity, "", self._site, when, when, 1, title, records,
                dedup_key=f"{kind}:{self._site}"[:255],
                state="closed" if severity == "info" else "open", source="drupal",
            )
        )  # fmt: skip


def plain(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)[:MOST_CHARACTERS]


def listed(names: Iterable[str], most: int = MOST_NAMED) -> str:
    """In order, the first of them, and how many more there are."""
    known = sorted(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(plain(name) for name in known[:most]) + more
