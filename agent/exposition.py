"""Samples as Prometheus' text format 0.0.4.

Our own small writer: prometheus_client's is ten times dearer and renames the old exporters' counters.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

from collectors.model import Family, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def number(value: float) -> str:
    """As Go prints it: integers without `.0`, else the shortest text that reads back as the same number."""
    if abs(value) < 1e16 and value == int(value):  # NaN and infinities fail the first test
        return str(int(value))
    text = repr(float(value))
    return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(text, text)


def escaped(text: str) -> str:
    """A label's value between its quotes."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@lru_cache(maxsize=20_000)
def head(family: Family) -> bytes:
    """The HELP and TYPE lines."""
    help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {family.name} {help_text}\n# TYPE {family.name} {family.kind}\n".encode()


class Writer:
    """Keeps each series' line, so that a tick costs little more than what changed. `labels` go on every line."""

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self._extra = [f'{name}="{escaped(value)}"' for name, value in (labels or {}).items()]
        self._samples: Sequence[Sample] = ()
        self._beginnings: list[str] = []
        """Of each sample's line, up to its value."""
        self._lines: list[str] = []
        self._places: dict[Family, list[int]] = {}
        """Where in `_lines` a family's are."""
        self._blocks: dict[Family, bytes] = {}

    def blocks(self, samples: Sequence[Sample]) -> Mapping[Family, bytes]:
        """Lines by family, in order of first appearance; what is no longer seen is forgotten."""
        if len(samples) != len(self._samples):
            return self._anew(samples)
        changed = set()
        for at, (sample, before) in enumerate(zip(samples, self._samples, strict=True)):
            if sample is before:  # of a part that was not read meanwhile
                continue
            family, labels, value = sample
            if family is not before[0] or labels != before[1]:
                return self._anew(samples)
            if value != before[2]:
                self._lines[at] = f"{self._beginnings[at]}{number(value)}\n"
                changed.add(family)
        self._samples = samples
        self._blocks = self._blocks | {family: self._block(family) for family in changed}
        return self._blocks

    def _anew(self, samples: Sequence[Sample]) -> Mapping[Family, bytes]:
        """Other series than the last time, or in another order."""
        pairs = zip(self._samples, self._beginnings, strict=True)
        known = {(family, labels): beginning for (family, labels, _), beginning in pairs}
        self._samples, self._places = samples, {}
        self._beginnings = [
            known.get((family, labels)) or self._beginning(family, labels) for family, labels, _ in samples
        ]
        self._lines = [f"{self._beginnings[at]}{number(sample[2])}\n" for at, sample in enumerate(samples)]
        for at, sample in enumerate(samples):
            self._places.setdefault(sample[0], []).append(at)
        self._blocks = {family: self._block(family) for family in self._places}
        return self._blocks

    def _block(self, family: Family) -> bytes:
        return "".join([self._lines[at] for at in self._places[family]]).encode()

    def _beginning(self, family: Family, labels: tuple[str, ...]) -> str:
        own = [f'{name}="{escaped(value)}"' for name, value in zip(family.labels, labels, strict=True)]
        pairs = ",".join(own + self._extra)
        return f"{family.name}{{{pairs}}} " if pairs else f"{family.name} "


def page(blocks: Iterable[Mapping[Family, bytes]]) -> bytes:
    """One page from the blocks of several writers: families merged by name, with one HELP and TYPE each."""
    merged: dict[str, list[bytes]] = {}
    for block in blocks:
        for family, lines in block.items():
            whole = family.part_of or family
            if whole.name in merged:
                merged[whole.name].append(lines)
            else:
                merged[whole.name] = [head(whole), lines]
    return b"".join(chain.from_iterable(merged.values()))


def render(samples: Iterable[Sample], labels: Mapping[str, str] | None = None) -> bytes:
    return page([Writer(labels).blocks(tuple(samples))])
