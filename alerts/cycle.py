"""One cycle's view of history: what a rule made is seen by the rules after it, before it is stored.

Only where history is embedded; another server's answers have it when it was written there.
"""

from collections.abc import Iterable, Sequence

from alerts.asked import Once
from collectors.model import Sample
from history.embedded import Embedded
from history.layered import Layered
from history.model import Labels, Matrix, Point, Scalar, Source, Text, Vector


class Cycle:
    def __init__(self, source: Source, reading: Once, now: float) -> None:
        self.reading = reading
        self.now = now
        self._source = source
        self._layered = Layered(source) if isinstance(source, Embedded) else None
        self._empty = True

    def query(self, expr: str, at: float) -> Vector | Matrix | Scalar | Text:
        source = self._source if self._empty or self._layered is None else self._layered
        return source.query(expr, at)

    def made(self, before: Iterable[Sample], after: Sequence[Sample], at: float) -> None:
        """Of one rule: in the last cycle, and in this one, which looks at `at` (Unix seconds)."""
        new = {_key(sample) for sample in after}
        gone = [_labels(sample) for sample in before if _key(sample) not in new]
        if self._layered is not None and (after or gone):
            self._layered.add((Point(_labels(sample), at, float(sample.value)) for sample in after), gone, at)
            self._empty = False


def _key(sample: Sample) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return sample.family.name, tuple(sample.family.labels), tuple(sample.labels)


def _labels(sample: Sample) -> Labels:
    return {"__name__": sample.family.name, **dict(zip(sample.family.labels, sample.labels, strict=True))}
