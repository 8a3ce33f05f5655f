"""Series of any labels as ticks of targets: a target is a job and an instance."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from collectors.model import Family, Sample, Target

Labels = Mapping[str, str]
KINDS = {"counter": "counter", "gauge": "gauge"}
ALERTS = frozenset({"ALERTS", "ALERTS_FOR_STATE"})


@lru_cache(maxsize=20_000)
def _family(name: str, help_text: str, kind: str, labels: tuple[str, ...]) -> Family:
    return Family(name, help_text, labels, kind)  # type: ignore[arg-type] # one of Prometheus' words


def by_target(
    samples: Iterable[tuple[Labels, float]],
    origin: str,
    types: Mapping[str, str] | None = None,
    help_texts: Mapping[str, str] | None = None,
) -> dict[Target, list[Sample]]:
    """`origin` tells apart who brings series of the same job and instance: it is in no label.

    What has no instance is of no scrape, and what a rule has recorded has the rule's time: each such metric has ticks
    of its own, or each of them would end the scrape's series, and the scrape its.
    """
    found: dict[Target, list[Sample]] = {}
    for labels, value in samples:
        name, job, instance = labels.get("__name__", ""), labels.get("job", ""), labels.get("instance", "")
        own = tuple(sorted(label for label in labels if label not in ("__name__", "job", "instance")))
        kind = KINDS.get((types or {}).get(name, ""), "untyped")
        family = _family(name, (help_texts or {}).get(name, ""), kind, own)
        apart = ("__origin__", origin), ("__metric__", "" if instance and not _recorded(name) else name)
        target = Target(job, instance, "", apart)
        found.setdefault(target, []).append(Sample(family, tuple(labels[label] for label in own), value))
    return found


def _recorded(name: str) -> bool:
    """By convention: a colon is for the names of rules only."""
    return ":" in name or name in ALERTS
