"""Runs PromQL cases in the format of Prometheus' own: load, clear, eval instant, eval range, expect.

Format: https://github.com/prometheus/prometheus/blob/main/promql/promqltest/README.md
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alerts.ruletest import notation
from history.model import Labels, QueryError
from history.numbers import duration
from history.promql.evaluate import evaluate
from history.promql.frames import Frame, Ranges, key
from history.promql.parse import parse
from history.promql.query import Query
from history.samples import STALE_BITS, Group, Matcher, Rolled, Wanted, matches

STALE = float(STALE_BITS.view(np.float64))
COMMAND = re.compile(
    r"eval(?:_(\w+))?\s+(instant|range)\s+(?:at\s+(\S+)|from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))\s+(.*)"
)


class Unsupported(Exception):
    """The case uses what this runner or the engine leaves out on purpose."""


@dataclass
class Memory:
    """Samples that need not share stamps: a missing one is not an end."""

    series: dict[object, tuple[Labels, dict[int, float]]] = field(default_factory=dict)
    beyond: set[str] = field(default_factory=set)
    """Names of metrics whose samples cannot be held: native histograms, start times."""

    def add(self, labels: Labels, points: dict[int, float]) -> None:
        self.series.setdefault(key(labels), (labels, {}))[1].update(points)

    def select(self, matchers: Sequence[Matcher], start: int, end: int, _most: int) -> list[Group]:
        groups = []
        for labels, points in self.series.values():
            stamps = [t for t in sorted(points) if start <= t <= end]
            if stamps and matches(labels, matchers):
                groups.append(Group([labels], np.array(stamps), np.array([[points[t] for t in stamps]])))
        return groups

    def rolled(self, _matchers: Sequence[Matcher], _wanted: Wanted) -> list[Rolled] | None:
        return None


@dataclass
class Case:
    line: int
    query: str
    start: int  # ms
    end: int  # ms
    step: int  # ms
    instant: bool
    fails: bool = False
    ordered: bool = False
    text: str | None = None
    """What a string must be, in quotes of any kind."""
    expected: list[str] = field(default_factory=list)
    skip: str = ""


def milliseconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * round(duration(text.removeprefix("-")) * 1000)


def expand(text: str) -> list[float | None]:
    """`1+2x3 _ stale` -> each value; None where there is none."""
    try:
        return [STALE if isinstance(value, notation.End) else value for value in notation.values(text)]
    except notation.NotSeries as error:
        raise Unsupported(str(error)) from error


def series(text: str) -> tuple[Labels, str]:
    try:
        return notation.series(text)
    except notation.NotSeries as error:
        raise Unsupported(str(error)) from error


def run(path: Path) -> Iterator[tuple[Case, str]]:
    """Each case and what is wrong with it, "" if nothing. A skipped case has `skip` set."""
    memory = Memory()
    lines = [line.split("#", 1)[0] if line.lstrip().startswith("#") else line for line in path.read_text().split("\n")]
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line:
            continue
        block = []
        while at < len(lines) and lines[at].strip() and lines[at][:1] in " \t":
            block.append(lines[at].strip())
            at += 1
        if line == "clear":
            memory = Memory()
        elif line.startswith("load"):
            load(memory, line, block)
        elif line.startswith("eval"):
            case = read_case(line, block, at)
            yield case, "" if case.skip else check(memory, case)


def load(memory: Memory, line: str, block: Sequence[str]) -> None:
    step = milliseconds(line.split()[1])
    for text in block:
        if "{{" in text or "@" in text:
            memory.beyond.add(re.split(r"[{\s@]", text.strip())[0])
            continue
        labels, values = series(text)
        if "with_nhcb" in line:
            memory.beyond.add(re.sub("_(bucket|count|sum)$", "", labels["__name__"]))
        points = {at * step: value for at, value in enumerate(expand(values)) if value is not None}
        memory.add(labels, points)


def read_case(line: str, block: Sequence[str], number: int) -> Case:
    found = COMMAND.fullmatch(line)
    if not found:
        return Case(number, line, 0, 0, 1, instant=True, skip="command")
    kind, shape, at, start, end, step, query = found.groups()
    first, last, width = map(milliseconds, (at, at, "1ms") if at else (start, end, step))
    case = Case(number - len(block), query, first, last, width, instant=shape == "instant")
    case.fails, case.ordered = kind == "fail", kind == "ordered"
    for text in block:
        if text.startswith("expect"):
            word = text.split()[1]
            case.fails |= word == "fail"
            case.ordered |= word == "ordered"
            case.text = text.split(None, 2)[2] if word == "string" else case.text
        elif "{{" in text:
            case.skip = "native histogram"
        elif not text.startswith("expected_fail"):
            case.expected.append(text)
    return case


def check(memory: Memory, case: Case) -> str:
    if any(re.search(rf"\b{name}\b", case.query) for name in memory.beyond):
        case.skip = "native histogram"
        return ""
    try:
        found = evaluate(Query(memory, case.start, case.end, case.step), parse(case.query)).value
    except QueryError as error:
        if case.fails:
            return ""
        if "parse error" in str(error):
            case.skip = str(error)
        return f"refused: {error}"
    if case.fails:
        return "expected to fail"
    if isinstance(found, str):
        wanted = case.text or ""
        return (
            ""
            if found == (wanted[1:-1] if wanted[:1] == "`" else notation.unescape(wanted[1:-1]))
            else f"string {found!r}"
        )
    if isinstance(found, Ranges):
        case.skip = "range vector"
        return ""
    try:
        return compare(case, found)
    except Unsupported as reason:
        case.skip = str(reason)
        return ""


def compare(case: Case, found: Frame | np.ndarray) -> str:
    if isinstance(found, np.ndarray):
        found = Frame([{}], found[None], np.full((1, len(found)), True))
    got = [(dict(labels), values, present) for labels, values, present in
           zip(found.labels, found.values, found.present, strict=True) if present.any()]  # fmt: skip
    wanted: list[tuple[Labels, list[float | None]]]
    if case.expected and case.instant and re.fullmatch(notation.NUMBER, case.expected[0]):
        wanted = [({}, expand(case.expected[0]))]
    else:
        wanted = [(labels, expand(values)) for labels, values in map(series, case.expected)]
    if case.ordered and [labels for labels, _ in wanted] != [labels for labels, _, _ in got]:
        return f"order: {[labels for labels, _, _ in got]}"
    rows = {key(labels): (values, present) for labels, values, present in got}
    if {key(labels) for labels, _ in wanted} != set(rows):
        return f"series: expected {[labels for labels, _ in wanted]}, found {[labels for labels, _, _ in got]}"
    for labels, values in wanted:
        seen = [float(v) if there else None for v, there in zip(*rows[key(labels)], strict=True)]
        padded = values + [None] * (len(seen) - len(values))
        if len(padded) != len(seen) or not all(map(alike, padded, seen)):
            return f"{labels}: expected {padded}, found {seen}"
    return ""


def alike(wanted: float | None, found: float | None) -> bool:
    if wanted is None or found is None:
        return wanted is found
    if math.isnan(wanted) or math.isnan(found):
        return math.isnan(wanted) and math.isnan(found)
    return wanted == found or math.isclose(wanted, found, rel_tol=1e-6, abs_tol=1e-300)
