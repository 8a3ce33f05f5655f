"""Samples as Prometheus' text format 0.0.4.

Our own small writer: prometheus_client's is ten times dearer and renames the old exporters' counters.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Mapping

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


def head(family: Family) -> str:
    """The HELP and TYPE lines."""
    help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {family.name} {help_text}\n# TYPE {family.name} {family.kind}\n"


class Writer:
    """Keeps each series' rendered beginning, so that a tick costs one join. `labels` go on every line."""

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self._extra = [f'{name}="{escaped(value)}"' for name, value in (labels or {}).items()]
        self._prefixes: dict[tuple[Family, tuple[str, ...]], str] = {}

    def blocks(self, samples: Iterable[Sample]) -> dict[Family, list[str]]:
        """Lines by family, in order of first appearance; what is no longer seen is forgotten."""
        kept, prefixes = self._prefixes, {}
        blocks: dict[Family, list[str]] = {}
        for family, labels, value in samples:
            key = (family, labels)
            prefix = kept.get(key) or self._prefix(family, labels)
            prefixes[key] = prefix
            line = f"{prefix}{number(value)}\n"
            if family in blocks:
                blocks[family].append(line)
            else:
                blocks[family] = [line]
        self._prefixes = prefixes
        return blocks

    def _prefix(self, family: Family, labels: tuple[str, ...]) -> str:
        own = [f'{name}="{escaped(value)}"' for name, value in zip(family.labels, labels, strict=True)]
        pairs = ",".join(own + self._extra)
        return f"{family.name}{{{pairs}}} " if pairs else f"{family.name} "


def page(blocks: Iterable[Mapping[Family, list[str]]]) -> bytes:
    """One page from the blocks of several writers: families merged by name, with one HELP and TYPE each."""
    merged: dict[str, tuple[Family, list[str]]] = {}
    for block in blocks:
        for family, lines in block.items():
            whole = family.part_of or family
            merged.setdefault(whole.name, (whole, []))[1].extend(lines)
    return "".join(part for family, lines in merged.values() for part in (head(family), *lines)).encode()


def render(samples: Iterable[Sample], labels: Mapping[str, str] | None = None) -> bytes:
    return page([Writer(labels).blocks(samples)])
