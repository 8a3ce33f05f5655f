"""Prometheus' relabel_configs.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from collectors.config import Config
from history.model import QueryError
from history.regex import compile_regex

REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")
Labels = dict[str, str]


class Relabel(Config):
    source_labels: tuple[str, ...] = ()
    """Labels whose values are looked at, joined by the separator."""
    separator: str = ";"
    """Between the values of several labels."""
    target_label: str = ""
    """The label that is written."""
    regex: str = "(.*)"
    """RE2, of the whole value."""
    modulus: int = Field(0, ge=0)
    """Of hashmod: into how many."""
    replacement: str = "$1"
    """What is written; $1 is the first group."""
    action: Literal[
        "replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep",
        "lowercase", "uppercase",
    ] = "replace"  # fmt: skip
    """As in Prometheus."""

    @cached_property
    def matcher(self) -> Any:
        """Compiled once: it is asked for each sample of each scrape."""
        return compile_regex(self.regex)

    @field_validator("regex")
    @classmethod
    def _is_re2(cls, regex: str) -> str:
        try:
            compile_regex(regex)
        except QueryError as error:
            raise ValueError(str(error)) from error
        return regex

    @model_validator(mode="after")
    def _has_a_target(self) -> "Relabel":
        if self.action in ("hashmod", "lowercase", "uppercase", "keepequal", "dropequal") and not self.target_label:
            raise ValueError(f"target_label: expected a label for {self.action}")
        if self.action == "hashmod" and not self.modulus:
            raise ValueError("modulus: expected a number above 0 for hashmod")
        return self


def relabelled(labels: Mapping[str, str], steps: Sequence[Relabel]) -> Labels | None:
    """The labels afterwards, without empty ones; None: dropped."""
    found = dict(labels)
    for step in steps:
        changed = ACTIONS[step.action](found, step)
        if changed is None:
            return None
        found = changed
    return {name: value for name, value in found.items() if value}


def _source(labels: Labels, step: Relabel) -> str:
    return step.separator.join(labels.get(name, "") for name in step.source_labels)


def _match(labels: Labels, step: Relabel) -> Any:
    return step.matcher.fullmatch(_source(labels, step))


def _replace(labels: Labels, step: Relabel) -> Labels:
    found = _match(labels, step)
    if found is None:
        return labels
    target = _expand(step.target_label, found)
    return {**labels, target: _expand(step.replacement, found)} if target else labels


def _expand(template: str, found: Any) -> str:
    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        if name.isdecimal():
            return (found[int(name)] or "") if int(name) <= len(found.groups()) else ""
        return found.groupdict().get(name) or ""

    return REFERENCE.sub(value, template)


def _hashmod(labels: Labels, step: Relabel) -> Labels:
    digest = hashlib.md5(_source(labels, step).encode(), usedforsecurity=False).digest()
    return {**labels, step.target_label: str(int.from_bytes(digest[8:], "big") % step.modulus)}


def _labelmap(labels: Labels, step: Relabel) -> Labels:
    regex = step.matcher
    found = {name: regex.fullmatch(name) for name in labels}
    return {**labels, **{_expand(step.replacement, hit): labels[name] for name, hit in found.items() if hit}}


def _of_names(labels: Labels, step: Relabel, *, keep: bool) -> Labels:
    regex = step.matcher
    return {name: value for name, value in labels.items() if (regex.fullmatch(name) is not None) == keep}


ACTIONS: Mapping[str, Callable[[Labels, Relabel], Labels | None]] = {
    "replace": _replace,
    "keep": lambda labels, step: labels if _match(labels, step) is not None else None,
    "drop": lambda labels, step: None if _match(labels, step) is not None else labels,
    "keepequal": lambda labels, step: labels if _source(labels, step) == labels.get(step.target_label, "") else None,
    "dropequal": lambda labels, step: None if _source(labels, step) == labels.get(step.target_label, "") else labels,
    "hashmod": _hashmod,
    "labelmap": _labelmap,
    "labeldrop": lambda labels, step: _of_names(labels, step, keep=False),
    "labelkeep": lambda labels, step: _of_names(labels, step, keep=True),
    "lowercase": lambda labels, step: {**labels, step.target_label: _source(labels, step).lower()},
    "uppercase": lambda labels, step: {**labels, step.target_label: _source(labels, step).upper()},
}
