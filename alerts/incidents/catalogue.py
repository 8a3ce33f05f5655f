"""What is looked at when an incident opens, as data: candidates.yml, symptoms.yml, signatures.yml
and offenders.yml."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import TypeAdapter

from alerts.message.units import Unit
from collectors.config import Config

Layer = Literal["change", "outside", "host", "database", "cache", "php", "drupal", "web"]
LAYERS: tuple[Layer, ...] = ("change", "outside", "host", "database", "cache", "php", "drupal", "web")
"""From what may start it all to what users see."""


class Candidate(Config):
    """A series that may have moved."""

    title: str
    unit: Unit
    layer: Layer
    direction: Literal["up", "down", "both"]
    """Which way counts."""
    least: float
    """The difference that counts in a series that otherwise stands still."""
    expr: str


class Symptom(Config):
    """What users notice."""

    words: str
    expr: str
    unit: Unit
    least: float
    times: float
    """How many times its value of before."""


class Condition(Config):
    expr: str
    words: str
    """Its evidence; {value} and labels in braces."""
    unit: Unit = "count"


class Signature(Config):
    """What a known trouble looks like: all conditions hold at one place."""

    name: str
    layer: Layer
    words: str
    when: tuple[Condition, ...]
    command: str
    alert: str = ""
    """The alert that says the same."""
    certain: bool = False
    """It explains an outage by itself."""


class Offender(Config):
    """What a trouble may mostly be about."""

    words: str
    unit: Unit
    least: float
    """Only what is more counts."""
    expr: str


@lru_cache(maxsize=1)
def candidates() -> tuple[Candidate, ...]:
    return TypeAdapter(tuple[Candidate, ...]).validate_python(_read("candidates"))


@lru_cache(maxsize=1)
def symptoms() -> tuple[Symptom, ...]:
    return TypeAdapter(tuple[Symptom, ...]).validate_python(_read("symptoms"))


@lru_cache(maxsize=1)
def signatures() -> tuple[Signature, ...]:
    return TypeAdapter(tuple[Signature, ...]).validate_python(_read("signatures"))


@lru_cache(maxsize=1)
def offenders() -> tuple[Offender, ...]:
    return TypeAdapter(tuple[Offender, ...]).validate_python(_read("offenders"))


def _read(name: str) -> object:
    text = resources.files("alerts.incidents").joinpath(f"{name}.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)[name]


def filled(words: str, labels: Mapping[str, str], **more: str) -> str:
    """`{instance}` and such; nothing for a label that is not there."""
    return " ".join(words.format_map(_Labels({**labels, **more})).split())


class _Labels(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""
