"""A metrics page of any exporter: Prometheus' text format 0.0.4, and OpenMetrics.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from history.openmetrics import OpenMetricsError, series_labels

Labels = Mapping[str, str]
NAME = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]*(?=\{)|(?=[ \t]))")
"""And the blanks before its labels."""
SUFFIXES = ("_total", "_info")
"""What OpenMetrics leaves out where it describes a metric."""


class TextError(ValueError):
    """Names the line, what was found there, and what was expected."""


@dataclass(frozen=True)
class Page:
    samples: list[tuple[Labels, float]]
    """Name as `__name__`. Stamps of the page are not taken: a scrape has one time."""
    types: dict[str, str]
    help: dict[str, str]


@dataclass
class Parser:
    """Keeps what each series' text means, as pages of one target mostly look alike."""

    _known: dict[str, Labels] = field(default_factory=dict)

    def parse(self, text: str) -> Page:
        """TextError for the first line that is wrong."""
        page = Page([], {}, {})
        known: dict[str, Labels] = {}
        for number, line in enumerate(map(str.strip, text.split("\n")), 1):
            if not line:
                continue
            if line[0] == "#":
                _describe(line, page)
                continue
            try:
                series, value = _split(line)
                labels = known.get(series) or self._known.get(series) or series_labels(series)
                known[series] = labels
                page.samples.append((labels, float(value)))
            except (ValueError, IndexError) as error:
                expected = str(error) if isinstance(error, OpenMetricsError) else "expected `name{labels} value`"
                raise TextError(f"line {number}: {expected}, found {line[:80]!r}") from error
        self._known = known
        _name_in_full(page)
        return page


def _name_in_full(page: Page) -> None:
    """OpenMetrics describes `a` where the samples are called `a_total`: types and help under the samples' names."""
    names = {labels["__name__"] for labels, _ in page.samples}
    for name in page.types.keys() - names:
        full = next((name + suffix for suffix in SUFFIXES if name + suffix in names), None)
        for texts in (page.types, page.help) if full else ():
            if name in texts:
                texts[full or name] = texts.pop(name)


def _split(line: str) -> tuple[str, str]:
    """The series and the value; time stamp and exemplar are left out."""
    name = NAME.match(line)
    if name is None:
        raise ValueError
    if line[name.end() : name.end() + 1] != "{":
        series, value = line.split(None, 2)[:2]
        return series, _number(value)
    end = _end(line)
    return f"{name[1]}{line[name.end() : end]}", _number(line[end:].split(None, 1)[0])


def _number(text: str) -> str:
    """Python would take 1_000, which is no number of any exporter."""
    if "_" in text:
        raise ValueError
    return text


def _end(line: str) -> int:
    """After the brace that ends the labels: not one within quotes."""
    quoted = False
    at = line.index("{")
    while True:
        at += 1
        character = line[at]
        if character == "\\" and quoted:
            at += 1
        elif character == '"':
            quoted = not quoted
        elif character == "}" and not quoted:
            return at + 1


def _describe(line: str, page: Page) -> None:
    words = line.split(None, 3)
    if len(words) >= 3 and words[1] == "TYPE":
        page.types[words[2]] = words[3] if len(words) > 3 else "untyped"
    elif len(words) == 4 and words[1] == "HELP":
        page.help[words[2]] = words[3].replace("\\n", "\n").replace("\\\\", "\\")
