"""Families of the official exporters: their names, types and labels as a text page shows them."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

SERIES = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+")
LABEL = re.compile(r'([a-zA-Z_]\w*)="')


class Official(NamedTuple):
    type: str
    labels: frozenset[str]


def families(page: str) -> Mapping[str, Official]:
    types: dict[str, str] = {}
    labels: dict[str, set[str]] = defaultdict(set)
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            types[name] = kind
        elif found := SERIES.match(line):
            labels[found[1]] |= set(LABEL.findall(found[2] or ""))
    return {name: Official(kind, frozenset(labels[name])) for name, kind in types.items()}
