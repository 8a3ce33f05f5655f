"""The embedded source with samples on it that are not stored yet: what the rules of one cycle see of each other."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

from history.embedded import Embedded
from history.model import Labels, Point
from history.promql.frames import NAME, key
from history.samples import STALE_BITS, Group, Matcher, Rolled, Samples, Wanted, matches

END = float(STALE_BITS.view(np.float64))
Laid = tuple[Labels, int, float]
"""Labels, ms, value or END."""


class Layered(Embedded):
    """As the source under it, and what was added since. Long ranges that are read from roll-ups are without it."""

    def __init__(self, under: Embedded) -> None:
        super().__init__(under._store, under._limits, under._promql_2x)
        self._layer = _Layer(under._samples)
        self._samples = self._layer

    def add(self, points: Iterable[Point], ended: Iterable[Labels] = (), at: float = 0.0) -> None:
        """`ended`: series that have no value from `at` (Unix seconds) on."""
        for point in points:
            self._layer.add(point.labels, round(point.t * 1000), point.value)
        for labels in ended:
            self._layer.add(labels, round(at * 1000), END)


class _Layer:
    """history.samples.Samples: one more sample of each series that has one here."""

    def __init__(self, under: Samples) -> None:
        self._under = under
        self._added: dict[str, dict[Hashable, Laid]] = {}

    def add(self, labels: Labels, stamp: int, value: float) -> None:
        self._added.setdefault(labels.get(NAME, ""), {})[frozenset(labels.items())] = (labels, stamp, value)

    def rolled(self, matchers: Sequence[Matcher], wanted: Wanted) -> list[Rolled] | None:
        return self._under.rolled(matchers, wanted)

    def select(self, matchers: Sequence[Matcher], start: int, end: int, most: int) -> list[Group]:
        found = self._under.select(matchers, start, end, most)
        own = {
            series: laid
            for series, laid in self._named(matchers)
            if start <= laid[1] <= end and matches(laid[0], matchers)
        }
        if not own:
            return found
        known = {key(labels) for group in found for labels in group.labels}
        new = [laid for series, laid in own.items() if series not in known]
        return [part for group in found for part in _laid_over(group, own)] + [_alone(*laid) for laid in new]

    def _named(self, matchers: Sequence[Matcher]) -> Iterator[tuple[Hashable, Laid]]:
        names = [matcher.value for matcher in matchers if matcher.label == NAME and matcher.op == "="]
        for name in names[:1] or list(self._added):
            yield from self._added.get(name, {}).items()


def _alone(labels: Labels, stamp: int, value: float) -> Group:
    return Group([labels], np.array([stamp], dtype=np.int64), np.array([[value]]))


def _laid_over(group: Group, own: dict[Hashable, Laid]) -> Iterator[Group]:
    """The series of the group that have a new sample each by itself, then the others."""
    rest = []
    for row, labels in enumerate(group.labels):
        if (laid := own.get(key(labels))) is None:
            rest.append(row)
            continue
        _, stamp, value = laid
        kept = group.stamps < stamp
        stamps = np.append(group.stamps[kept], stamp)
        yield Group([labels], stamps, np.append(group.values[row, kept], value)[None])
    if rest:
        yield Group([group.labels[row] for row in rest], group.stamps, group.values[rest])
