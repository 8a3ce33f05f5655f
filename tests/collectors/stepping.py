"""A follower's `step` over one payload after the other."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from collectors.model import Event, State


def stepped(
    step: Callable[[State, Any], tuple[State, Sequence[Event]]], payloads: Iterable[Any]
) -> tuple[State, list[Event]]:
    """The last state and all events. A state is left as it was, and can be kept as JSON."""
    state: State = {}
    told: list[Event] = []
    for payload in payloads:
        before = json.dumps(state)
        after, events = step(state, payload)
        assert json.dumps(state) == before
        state = json.loads(json.dumps(after))
        told += events
    return state, told
