"""Which reads are behind a rule's expression, and whether they still answer: so that missing is not taken for false.

From the families that collectors declare and the series of our own health. Pure.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from alerts.engine import Reading
from alerts.expression import metrics
from alerts.model import Group, Labels
from collectors.model import Collector
from history.model import Point

PART_UP = "raingauge_part_up"
LAST_SUCCESS = "raingauge_part_last_success_timestamp_seconds"
FIRST_READS_SECONDS = 60.0
"""After a start, how long a part may go without any series of its own before it counts as gone for good."""

PartOf = tuple[str, str]
"""(job, part); part "" is the target as a whole."""


class Catalogue:
    """Metric name -> the (job, part) that publishes it."""

    def __init__(self, collectors: Iterable[Collector]) -> None:
        self._names: dict[str, set[PartOf]] = {}
        self._prefixes: dict[str, set[PartOf]] = {}
        for collector in collectors:
            if collector.up:  # every collector's own `up` is called after it
                self._names[f"{collector.name}_up"] = {(collector.job, "")}
            for part in collector.parts:
                for family in part.families:
                    known = self._prefixes if family.name.endswith("*") else self._names
                    known.setdefault(family.name.removesuffix("*"), set()).add((collector.job, part.name))

    def behind(self, metric: str) -> frozenset[PartOf]:
        """Empty for a metric that no collector of ours publishes."""
        if metric in self._names:
            return frozenset(self._names[metric])
        matching = [prefix for prefix in self._prefixes if metric.startswith(prefix)]
        return frozenset(self._prefixes[max(matching, key=len)]) if matching else frozenset()


def behind_expressions(groups: Sequence[Group], catalogue: Catalogue) -> dict[str, frozenset[PartOf]]:
    """Expression -> what is behind it, through the series that other rules record."""
    rules = [rule for group in groups for rule in group.rules]
    reads = {rule.expr: metrics(rule.expr) for rule in rules}
    recorded: dict[str, frozenset[PartOf]] = {}

    def behind(expr: str) -> frozenset[PartOf]:
        return frozenset().union(*(recorded.get(name) or catalogue.behind(name) for name in reads[expr]))

    for _ in rules:
        before = dict(recorded)
        for rule in rules:
            if rule.record:
                recorded[rule.record] = recorded.get(rule.record, frozenset()) | behind(rule.expr)
        if recorded == before:
            break
    return {expr: behind(expr) for expr in reads}


class Readings:
    """What the series of our own health say at one time. `running` is how long this process has run, seconds."""

    def __init__(self, part_up: Sequence[Point], last_success: Sequence[Point], running: float) -> None:
        self._part_up = part_up
        self._last_success = last_success
        self._starting = running < FIRST_READS_SECONDS

    def of(self, labels: Labels, behind: Iterable[PartOf]) -> Reading:
        readings = [self._of_part(labels, job, part) for job, part in behind]
        return Reading(
            missing=any(reading.missing for reading in readings),
            read_at=min((reading.read_at for reading in readings), default=math.inf),
            gone=bool(readings) and all(reading.gone for reading in readings),
        )

    def missing(self, behind: Iterable[PartOf]) -> list[Labels]:
        """The labels of each target with a part behind the expression that does not answer."""
        found: dict[tuple[str, str, str], Labels] = {}
        for job, part in sorted(behind):
            for (host, instance), values in _by_target(self._part_up, {}, job, part).items():
                if max(values) == 0:
                    found[job, instance, host] = {"job": job, "instance": instance, "host": host}
        return list(found.values())

    def _of_part(self, labels: Labels, job: str, part: str) -> Reading:
        up = _by_target(self._part_up, labels, job, part)
        read = _by_target(self._last_success, labels, job, part)
        if not up and not read:
            return Reading(read_at=-math.inf if self._starting else math.inf, gone=not self._starting)
        # As a whole, a target is missing when none of its parts answers, and as fresh as its freshest part.
        return Reading(
            missing=any(max(values) == 0 for values in up.values()),
            read_at=min((max(values) for values in read.values()), default=-math.inf),
        )


def _by_target(points: Sequence[Point], labels: Labels, job: str, part: str) -> Mapping[tuple[str, str], list[float]]:
    """The values of the part (of all parts for "") by target, of those targets that the alert's labels speak of."""
    of_job = [point for point in points if point.labels.get("target_job") == job]
    same_host = [
        point
        for point in of_job
        if not labels.get("host") or point.labels.get("host", labels["host"]) == labels["host"]
    ]
    if labels.get("job", job) == job:
        same_instance = [p for p in same_host if p.labels.get("target_instance") == labels.get("instance")]
        same_host = same_instance or (same_host if "job" not in labels or "instance" not in labels else [])
    targets: dict[tuple[str, str], list[float]] = {}
    for point in same_host:
        if part in ("", point.labels.get("part")):
            key = (point.labels.get("host", ""), point.labels.get("target_instance", ""))
            targets.setdefault(key, []).append(point.value)
    return targets
