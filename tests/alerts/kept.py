"""A sink that keeps events for the test to look at."""

from collections.abc import Sequence

from collectors.model import Event, Sample, Target
from history.store.store import Store


class Kept:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.events: list[Event] = []

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        self._store.append(target, t, samples)

    def record(self, *events: Event) -> None:
        self.events += events
