"""The sink of this process: samples to the embedded store, events to the local database."""

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.model import Event, Sample, Target
from history.events import Events
from history.store import Store


@dataclass(frozen=True)
class Local:
    """history.model.Sink."""

    store: Store
    events: Events

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        self.store.append(target, t, samples)

    def record(self, *events: Event) -> None:
        self.events.record(*events)
