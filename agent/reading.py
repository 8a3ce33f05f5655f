"""One read of one part, and the boundary at which anything that goes wrong becomes an outcome."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from collectors.config import Config
from collectors.errors import Absent, CollectError, ParseError
from collectors.model import Collector, Follower, Part, Sample

MOST_SAMPLES = 50_000
"""Of one read; a host with a thousand tables and all their figures has 20,000."""


@dataclass(frozen=True)
class Reading:
    """What one read gave: its outcome, and its samples all or none."""

    part: Part
    outcome: str
    """ok, absent, unreachable, denied, unsupported, parse, timeout or bug."""
    error: str = ""
    samples: tuple[Sample, ...] = ()
    read_seconds: float = 0.0
    parse_seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of our own thread."""
    payload: Any = None
    bug: BaseException | None = None

    @property
    def answered(self) -> bool:
        return self.outcome in ("ok", "absent")

    @property
    def seconds(self) -> float:
        return self.read_seconds + self.parse_seconds


def outcome_of(error: BaseException) -> str:
    """The word for an exception that left `read` or `parse`."""
    if isinstance(error, Absent):
        return "absent"
    if isinstance(error, CollectError):
        return error.reason
    if isinstance(error, PermissionError):
        return "denied"
    if isinstance(error, OSError):  # refused, reset, no such socket, timed out
        return "unreachable"
    return "bug"


def failed(part: Part, error: BaseException, read_seconds: float = 0.0, parse_seconds: float = 0.0) -> Reading:
    outcome = outcome_of(error)
    text = "" if outcome == "absent" else str(error) or type(error).__name__
    return Reading(
        part, outcome, text, read_seconds=read_seconds, parse_seconds=parse_seconds,
        bug=error if outcome == "bug" else None,
    )  # fmt: skip


def sound(sample: Sample) -> Sample:
    """What pages and history can take. TypeError, ValueError or OverflowError for what no collector should make."""
    family, labels, value = sample
    if type(value) is not float:
        if not isinstance(value, int | float):
            raise TypeError(f"{family.name}: expected a number, found {value!r}")
        float(value)  # an integer may be too large to be one
    if len(labels) != len(family.labels):
        raise ValueError(f"{family.name} has labels {family.labels}, found {labels}")
    if not labels or "".join(labels).isascii():
        return sample
    # A file's name may be any bytes; what is no UTF-8 in it would break the whole page.
    return sample._replace(labels=tuple(label.encode(errors="replace").decode() for label in labels))


def _bounded(samples: Iterable[Sample]) -> list[Sample]:
    """A server may have a million of anything, or say so."""
    found = list(islice(samples, MOST_SAMPLES + 1))
    if len(found) > MOST_SAMPLES:
        raise ParseError(f"expected at most {MOST_SAMPLES} figures, found more, at last of {found[-1].family.name}")
    return found


def read_part(part: Part, source: Any) -> Reading:
    """Never raises. `source` is what the part reads from: the configuration, or the kept connection."""
    started, cpu = time.perf_counter(), time.thread_time()
    read_end = None
    try:
        payload = part.read(source)
        read_end = time.perf_counter()
        samples = tuple(map(sound, _bounded(part.parse(payload))))
    except Exception as error:  # noqa: BLE001 # the one boundary of collecting
        now = time.perf_counter()
        found = failed(part, error, (read_end or now) - started, now - (read_end or now))
        return replace(found, cpu_seconds=time.thread_time() - cpu)
    parsed = time.perf_counter() - read_end
    return Reading(part, "ok", "", samples, read_end - started, parsed, time.thread_time() - cpu, payload)


def renewed(samples: Sequence[Sample], before: Sequence[Sample]) -> list[Sample] | None:
    """The series of the read before with what they say now; None: they are other ones, or in another order.

    Most values of a host do not change from read to read. Of those the sample before is taken: who finds the very same
    object need not look further.
    """
    if len(samples) != len(before):
        return None
    found = []
    for sample, there in zip(samples, before, strict=True):
        if sample[0] is not there[0] or sample[1] != there[1]:
            return None
        found.append(there if sample[2] == there[2] else sample)
    return found


@contextmanager
def opened(collector: Collector, config: Config) -> Iterator[Any]:
    """What the collector's parts read from; a kept connection is closed at the end."""
    if collector.connect is None:
        yield config
    else:
        with collector.connect(config) as connection:
            yield connection


def trial(collector: Collector, config: Config) -> tuple[Reading, ...]:
    """Each part read once, over one connection, and each follower's source from its end.

    A connection that cannot be had fails every part.
    """
    parts = (*collector.parts_of(config), *(once(follower, config) for follower in collector.followers_of(config)))
    try:
        with opened(collector, config) as source:
            return tuple(read_part(part, source) for part in parts)
    except Exception as error:  # noqa: BLE001 # the same boundary: connecting is part of reading
        reason = error
    return tuple(failed(part, reason) for part in parts)


def once(follower: Follower, config: Config) -> Part:
    """One look at the source, for a trial or a capture."""

    def samples(payload: Any) -> list[Sample]:
        return list(follower.samples(follower.step({}, payload)[0] if payload is not None else {}))

    return Part(
        follower.name, follower.families, lambda _: follower.read(config, None)[0], samples, follower.interval,
        beside=follower.beside,
    )  # fmt: skip
