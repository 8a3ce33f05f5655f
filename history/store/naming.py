"""What a stored series is called: its labels, its canonical text, its metric's unit."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from collectors.model import Family, Target

UNITS = ("seconds", "bytes", "ratio", "celsius", "meters", "volts", "amperes", "joules", "grams", "percent", "hertz")


def target_labels(target: Target) -> dict[str, str]:
    """The target's labels as its series carry them.

    As in Prometheus a label without a value is none, and one that starts with `__` only tells targets apart.
    """
    return {name: value for name, value in target.labels.items() if value and not name.startswith("__")}


def series_labels(family: Family, values: tuple[str, ...], target: Mapping[str, str]) -> dict[str, str]:
    """The target's label wins; the sample's is kept as `exported_<name>`."""
    labels = {"__name__": family.name}
    for name, value in zip(family.labels, values, strict=True):
        kept = name
        while kept in target or (kept != name and kept in family.labels):
            kept = f"exported_{kept}"
        if value:
            labels[kept] = value
    return {**labels, **target}


def canonical(labels: Mapping[str, str]) -> str:
    return json.dumps(labels, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def fingerprint(*parts: Any) -> str:
    return hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def unit(name: str) -> str:
    """The unit that a metric's name ends in, "" if none."""
    last = name.removesuffix("_total").rpartition("_")[2]
    return last if last in UNITS else ""
