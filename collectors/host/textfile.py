"""Samples that scripts of the host leave as *.prom files in a directory, as for node_exporter.

Source: https://github.com/prometheus/node_exporter#textfile-collector
"""

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from collectors.errors import Absent
from collectors.host.config import Host
from collectors.model import Family, Gauge, Kind, Sample
from collectors.sources.files import read_text

ERROR = Gauge("node_textfile_scrape_error", "1 if a file could not be read or understood.")
CHANGED = Gauge("node_textfile_mtime_seconds", "When the file was last written, in Unix time.", ("file",))
FAMILIES = (ERROR, CHANGED)

MOST_SAMPLES = 2000
LABEL = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
RENAMED = {"job": "exported_job", "instance": "exported_instance", "host": "exported_host"}
"""Labels of the target itself: what a file says of them gets the name that Prometheus gives it."""
KINDS: dict[str, Kind] = {"counter": "counter", "gauge": "gauge"}


class File(TypedDict):
    name: str
    changed: float  # Unix seconds
    text: str


def read(config: Host) -> list[File]:
    folder = Path(config.textfile)
    if not folder.is_dir():
        raise Absent(f"{folder}: no such directory")
    files = []
    for path in sorted(folder.glob("*.prom")):
        try:
            files.append(File(name=path.name, changed=path.stat().st_mtime, text=read_text(path)))
        except FileNotFoundError:  # replaced meanwhile
            continue
    return files


def parse(files: list[File]) -> Iterable[Sample]:
    """A file with a mistake is left out whole, and is told by ERROR."""
    found: list[Sample] = []
    bad = 0
    for file in files:
        try:
            found += list(_samples(file["text"]))[:MOST_SAMPLES]
        except (ValueError, KeyError, IndexError):
            bad = 1
    yield ERROR(bad)
    yield from (CHANGED(file["changed"], file["name"]) for file in files)
    yield from found


def _samples(text: str) -> Iterable[Sample]:
    from prometheus_client.parser import text_string_to_metric_families

    for metric in text_string_to_metric_families(text):
        for sample in metric.samples:
            if not math.isnan(sample.value):
                names = tuple(RENAMED.get(label, label) for label in sample.labels)
                family = _family(sample.name, metric.documentation, names, metric.type)
                yield family(sample.value, *sample.labels.values())


@lru_cache(maxsize=1000)
def _family(name: str, text: str, labels: tuple[str, ...], kind: str) -> Family:
    """Kept: a series is the same as before only if its family is."""
    if not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"expected label names, found {labels}")
    return Family(name, text or "From a file of this host.", labels, KINDS.get(kind, "untyped"))
