"""Stored samples as the query language sees them: matchers, and groups of series that share their time stamps."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from history.model import Labels
from history.regex import compile_regex

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

STALE_BITS = np.uint64(0x7FF0000000000002)
"""Prometheus' staleness marker: "this series has no value at this stamp"; every other NaN is a value."""


class Series(dict[str, str]):
    """Labels of a stored series, never changed; their key is made once."""

    __slots__ = ("_key",)

    @property
    def key(self) -> Hashable:
        try:
            return self._key
        except AttributeError:
            self._key: Hashable = frozenset(self.items())
            return self._key


def blank(rows: int, columns: int) -> Floats:
    """A matrix without any sample."""
    return np.full((rows, columns), STALE_BITS, dtype=np.uint64).view(np.float64)


def absent(values: Floats) -> Mask:
    gaps: Mask = values.view(np.uint64) == STALE_BITS
    return gaps


def any_series(present: Mask) -> Mask:
    """[series x steps] -> [steps]: at least one."""
    found: Mask = np.logical_or.reduce(present, axis=0)
    return found


@dataclass(frozen=True)
class Matcher:
    label: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    def __call__(self, found: str) -> bool:
        """`found` is "" for a label that is not there."""
        if self.op in ("=", "!="):
            return (found == self.value) == (self.op == "=")
        return (self.regex.fullmatch(found) is not None) == (self.op == "=~")

    @cached_property
    def regex(self) -> Any:
        return compile_regex(self.value)


@dataclass(frozen=True)
class Group:
    """Series with common stamps. A cell that is `absent` means: the series has ended or not begun at that stamp."""

    labels: Sequence[Labels]
    stamps: Ints  # ms, ascending
    values: Floats  # [series x stamps]


@dataclass(frozen=True)
class Rolled:
    """Series with common stamps as roll-ups: what is kept of each bucket of time is in columns of several kinds.

    Source of the kinds: history/store/tiers.py.
    """

    labels: Sequence[Labels]
    stamps: Ints  # ms, ascending: of each bucket's last scrape
    widths: Ints  # ms, of each bucket; 0: a sample as it came
    columns: Mapping[int, Floats]  # kind -> [series x stamps]


@dataclass(frozen=True)
class Wanted:
    """What is asked of roll-ups."""

    start: int  # ms
    end: int  # ms
    resolution: int
    """ms: where there is a choice, buckets are no wider."""
    kinds: Sequence[int]
    most: float
    """So many samples are still read as they are."""
    at_once: float
    """TooMany: more values than that would have to be read."""


class TooMany(Exception):
    """More samples than are taken; the number that was found."""

    def __init__(self, samples: int) -> None:
        super().__init__(f"{samples:,} samples")
        self.samples = samples


class Samples(Protocol):
    def select(self, matchers: Sequence[Matcher], start: int, end: int, most: int) -> list[Group]:
        """Every series that matches, with its samples of start <= t <= end (ms). TooMany: more than `most` samples."""
        ...

    def rolled(self, matchers: Sequence[Matcher], wanted: Wanted) -> list[Rolled] | None:
        """Roll-ups, of start - 2 h <= t <= end + 1 h; None: `select` has it all, in no more samples than `most`."""
        ...


def matches(labels: Mapping[str, str], matchers: Sequence[Matcher]) -> bool:
    return all(matcher(labels.get(matcher.label, "")) for matcher in matchers)
