"""Families of the official exporters: their names, types and labels, as a text page or our list of them says."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

OFFICIAL = (
    "node_", "nginx_", "apache_", "phpfpm_", "mysql_", "pg_", "redis_", "memcached_", "varnish_", "probe_",
)  # fmt: skip
"""Prefixes of the official exporters' names."""
EXPORTERS = "|".join(prefix.rstrip("_") for prefix in OFFICIAL)
OLD_NAMES = re.compile(
    rf"({EXPORTERS})_\S+ (counter metrics should have|use base unit|metric names should not contain abbreviated units|"
    r"non-histogram( and non-summary)? metrics should not have|"
    r"non-counter metrics should not have|"
    r"metric names? should (be written in 'snake_case'|not include type))"
)
"""What promtool says of the names that the official exporters have given themselves."""
LIST = Path(__file__).parent.parent / "data" / "exporters.tsv"
SERIES = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


class Official(NamedTuple):
    type: str
    labels: frozenset[str]


def listed() -> Mapping[str, Official]:
    """A name that ends in `*` stands for the names that are made from what the server says."""
    rows = [line.split("\t") for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return {
        name: Official(kind, frozenset(",".join(labels).split(",") if labels else ())) for name, kind, *labels in rows
    }


def families(page: str) -> Mapping[str, Official]:
    types: dict[str, str] = {}
    labels: dict[str, set[str]] = defaultdict(set)
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            types[name] = kind
        elif found := SERIES.match(line):
            labels[found[1]] |= {name for name, _ in LABEL.findall(found[2] or "")}
    return {name: Official(kind, frozenset(labels[name])) for name, kind in types.items()}


def series(page: str) -> Mapping[tuple[str, frozenset[tuple[str, str]]], float]:
    """(name, labels) -> value."""
    found = filter(None, map(SERIES.match, page.splitlines()))
    return {(each[1], frozenset(LABEL.findall(each[2] or ""))): float(each[3]) for each in found}
