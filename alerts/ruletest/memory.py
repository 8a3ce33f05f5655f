"""History in memory: series that need not share stamps, where a missing sample is no end."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from collectors.model import Event, Sample, Target
from history.model import Labels, Metadata
from history.promql.frames import key
from history.samples import STALE_BITS, Group, Matcher, Rolled, TooMany, Wanted, matches

STALE = float(STALE_BITS.view(np.float64))


@dataclass
class Memory:
    """history.samples.Samples, and a Sink for what rules make."""

    series_: dict[Hashable, tuple[Labels, dict[int, float]]] = field(default_factory=dict)
    """Labels and, by ms, values."""
    _made: set[Hashable] = field(default_factory=set)
    """What the rules' last tick had."""

    def add(self, labels: Labels, points: dict[int, float]) -> None:
        self.series_.setdefault(key(labels), (labels, {}))[1].update(points)

    def select(self, matchers: Sequence[Matcher], start: int, end: int, most: int) -> list[Group]:
        groups, count = [], 0
        for labels, points in self.series_.values():
            if not matches(labels, matchers):
                continue
            stamps = sorted(t for t in points if start <= t <= end)
            count += len(stamps)
            if count > most:
                raise TooMany(count)
            if stamps:
                values = np.array([[points[t] for t in stamps]])
                groups.append(Group([labels], np.array(stamps, dtype=np.int64), values))
        return groups

    def rolled(self, _matchers: Sequence[Matcher], _wanted: Wanted) -> list[Rolled] | None:
        return None

    def series(self, matchers: Sequence[Matcher], start: int, end: int) -> Iterable[Labels]:
        return [labels for group in self.select(matchers, start, end, 2**62) for labels in group.labels]

    def metadata(self) -> dict[str, Metadata]:
        return {}

    def append(self, _target: Target, t: float, samples: Sequence[Sample]) -> None:
        """One tick of the rules: what was in their last and is not in this one has ended."""
        stamp, made = round(t * 1000), set()
        for sample in samples:
            labels = {"__name__": sample.family.name, **dict(zip(sample.family.labels, sample.labels, strict=True))}
            self.add(labels, {stamp: float(sample.value)})
            made.add(key(labels))
        for gone in self._made - made:
            self.series_[gone][1][stamp] = STALE
        self._made = made

    def record(self, *events: Event) -> None:
        """Nobody asks for events here."""
