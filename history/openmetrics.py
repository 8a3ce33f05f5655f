"""Samples as text: what `raingauge history export` writes and `import` reads.

Source: https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

import math
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from history import numbers
from history.model import Labels, Metadata
from history.samples import Group, absent
from history.store import Store

SUFFIXES = ("_bucket", "_sum", "_count", "_total", "_info")
TYPES = ("counter", "gauge", "histogram", "summary", "info", "stateset", "unknown")
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME}(?:\{{(?:[^"}}]|"(?:[^"\\]|\\.)*")*\}})?)\s+(\S+)(?:\s+(\S+))?(?:\s+#\s.*)?\s*')
LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"\s*(,|$)')
DESCRIPTION = re.compile(rf"# (TYPE|HELP|UNIT) ({NAME}) ?(.*)")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
UNESCAPE = re.compile(r"\\(.)")


class OpenMetricsError(ValueError):
    """Names the line, what was found there, and what was expected."""


@dataclass
class Series:
    labels: Labels
    stamps: "array[int]" = field(default_factory=lambda: array("q"))  # ms
    values: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass(frozen=True)
class Extent:
    """What a file holds."""

    samples: int
    first: int  # ms
    last: int  # ms
    described: Mapping[str, Metadata]


def export(store: Store, start: int, end: int) -> Iterator[tuple[str, str]]:
    """Metric name and text of all samples of start <= t <= end (ms), a part at a time; roll-ups are not in it."""
    described = store.metadata()
    names = {labels["__name__"] for labels in store.series([], start, end)}
    families: dict[str, list[str]] = {}
    for name in sorted(names):
        families.setdefault(_family(name, described), []).append(name)
    for family, members in sorted(families.items()):
        yield family, _header(family, members, described.get(family))
        for name in members:
            for group in store.walk(name, start, end):
                yield name, "".join(_lines(group))
    yield "", "# EOF\n"


def _family(name: str, described: Mapping[str, Metadata]) -> str:
    """The name that describes it: a histogram's for its buckets."""
    if name in described:
        return name
    stems = (name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix))
    return next((stem for stem in stems if stem in described), name)


def _header(family: str, members: Iterable[str], found: Metadata | None) -> str:
    kind = found.type if found and found.type in TYPES else "unknown"
    name = family
    if kind == "counter":  # one that is not called so is none in OpenMetrics
        name = family.removesuffix("_total")
        kind = "counter" if family.endswith("_total") else "unknown"
    elif kind == "info":
        name = family.removesuffix("_info")
    elif kind in ("histogram", "summary") and family in members:
        kind = "unknown"
    lines = [f"# TYPE {name} {kind}\n"]
    if found and found.unit and name.endswith(f"_{found.unit}"):
        lines.append(f"# UNIT {name} {found.unit}\n")
    if found and found.help:
        lines.append(f"# HELP {name} {_escaped(found.help)}\n")
    return "".join(lines)


def _lines(group: Group) -> Iterator[str]:
    seconds = [f"{stamp // 1000}.{stamp % 1000:03}" for stamp in group.stamps.tolist()]
    for labels, values, gaps in zip(group.labels, group.values, absent(group.values), strict=True):
        pairs = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items() if name != "__name__")
        series = f"{labels['__name__']}{{{pairs}}}" if pairs else labels["__name__"]
        for at in np.flatnonzero(~gaps).tolist():
            yield f"{series} {numbers.plain(float(values[at]))} {seconds[at]}\n"


def _escaped(text: str) -> str:
    return "".join(ESCAPES.get(character, character) for character in text)


def scan(lines: Iterable[str]) -> Extent:
    """Reads to the end, so that a file that is wrong or was cut off is known before anything of it is taken."""
    described: dict[str, Metadata] = {}
    count, first, last = 0, math.inf, -math.inf
    for _, _, stamp in _samples(lines, described):
        count += 1
        first, last = min(first, stamp), max(last, stamp)
    return Extent(count, int(first) if count else 0, int(last) if count else -1, described)


def read(lines: Iterable[str], start: int, end: int) -> list[Series]:
    """Every series with its samples of start <= t <= end (ms), in the order of the file."""
    found: dict[str, Series] = {}
    for text, value, stamp in _samples(lines, {}):
        if start <= stamp <= end:
            series = found.get(text)
            if series is None:
                series = found[text] = Series(series_labels(text))
            series.stamps.append(stamp)
            series.values.append(value)
    return list(found.values())


def _samples(lines: Iterable[str], described: dict[str, Metadata]) -> Iterator[tuple[str, float, int]]:
    """Text of the series, value, ms. OpenMetricsError for the first line that is wrong."""
    known: set[str] = set()
    number, ended = 0, False
    for number, line in enumerate(lines, 1):
        if ended:
            raise OpenMetricsError(f"line {number}: expected nothing after # EOF, found {line.strip()[:80]!r}")
        if line.startswith("#"):
            ended = line.rstrip() == "# EOF"
            _describe(line, described)
            continue
        found = SAMPLE.fullmatch(line)
        if found is None:
            raise OpenMetricsError(
                f"line {number}: expected `name{{labels}} value seconds`, found {line.strip()[:80]!r}"
            )
        text, value, stamp = found.groups()
        try:
            if text not in known:
                series_labels(text)
                known.add(text)
            yield text, float(value), round(float(stamp) * 1000)
        except (TypeError, ValueError, OverflowError) as error:
            what = "a time stamp in seconds" if stamp is None else "a number and a time stamp in seconds"
            problem = str(error) if isinstance(error, OpenMetricsError) else f"expected {what}"
            raise OpenMetricsError(f"line {number}: {problem}, found {line.strip()[:80]!r}") from error
    if not ended:
        raise OpenMetricsError(f"line {number}: expected # EOF at the end: the file was cut off")


def series_labels(text: str) -> dict[str, str]:
    """Of `name{a="b"}`, the name as `__name__`. OpenMetricsError for what is none."""
    name, brace, rest = text.partition("{")
    labels = {"__name__": name}
    at = 0
    rest = rest[:-1] if brace else ""
    while at < len(rest):
        found = LABEL.match(rest, at)
        if found is None:
            raise OpenMetricsError('expected labels as name="text"')
        if found[1] in labels:
            raise OpenMetricsError(f"the label {found[1]} is there twice")
        if found[2]:  # a label without a value is none
            labels[found[1]] = UNESCAPE.sub(lambda part: "\n" if part[1] == "n" else part[1], found[2])
        at = found.end()
    return labels


def _describe(line: str, described: dict[str, Metadata]) -> None:
    """TYPE, HELP and UNIT by the name that the series have."""
    found = DESCRIPTION.fullmatch(line.rstrip("\n"))
    if found is None:
        return
    what, name, text = found.groups()
    before = described.get(name, Metadata("unknown", ""))
    if what == "TYPE" and text == "counter":
        described.pop(name, None)
        described[f"{name}_total"] = Metadata("counter", before.help, before.unit)
        return
    name = f"{name}_total" if f"{name}_total" in described and name not in described else name
    before = described.get(name, before)
    described[name] = Metadata(
        text if what == "TYPE" else before.type,
        UNESCAPE.sub(lambda part: "\n" if part[1] == "n" else part[1], text) if what == "HELP" else before.help,
        text if what == "UNIT" else before.unit,
    )
