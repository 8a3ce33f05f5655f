"""What the evaluator asks its source, and under which keys it keeps the answers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from alerts.engine import Reading
from alerts.model import Group, Labels, Rule
from alerts.readings import LAST_SUCCESS, PART_UP, PartOf, Readings
from history.model import Point, QueryError, Scalar, Source, Vector


class Once:
    """Our own health at one time, asked for when the first alert needs it."""

    def __init__(self, source: Source, now: float, running: float) -> None:
        self._source = source
        self._now = now
        self._running = running
        self._readings: Readings | None = None

    def of(self, labels: Labels, behind: Iterable[PartOf]) -> Reading:
        """What is known; "missing" when our own health cannot be asked, so that nothing ends."""
        try:
            return self._known().of(labels, behind)
        except QueryError:
            return Reading(missing=True)

    def missing(self, behind: Iterable[PartOf]) -> Sequence[Labels]:
        """The targets behind an expression that do not answer. QueryError when that cannot be asked."""
        return self._known().missing(behind)

    def _known(self) -> Readings:
        if self._readings is None:
            self._readings = Readings(self._ask(PART_UP), self._ask(LAST_SUCCESS), self._running)
        return self._readings

    def _ask(self, metric: str) -> Sequence[Point]:
        return points(self._source.query(metric, self._now))


def rule_keys(group: Group) -> list[tuple[str, Rule]]:
    """Under what its state is kept: base name of the file, group, name, and which of that name in the group."""
    counts: Mapping[str, int] = {}
    keys: list[tuple[str, Rule]] = []
    for rule in group.rules:
        name = rule.alert or rule.record
        counts = {**counts, name: counts.get(name, -1) + 1}
        keys.append((f"{Path(group.file).name}/{group.name}/{name}/{counts[name]}", rule))
    return keys


def points(result: object) -> Sequence[Point]:
    if isinstance(result, Vector):
        return result.points
    if isinstance(result, Scalar):
        return (Point({}, result.t, result.value),)
    raise ValueError(f"expected a vector or a scalar from the rule, found {type(result).__name__.lower()}")
