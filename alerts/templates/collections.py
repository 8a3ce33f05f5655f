"""Go's index, slice and len, and what may be ranged over."""

from collections.abc import Iterator, Mapping
from typing import Any

from alerts.templates.values import Args, Data, Sample, TemplateError, Value, kind


def length(value: Value) -> int:
    """Of text, bytes."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list | Mapping) and not isinstance(value, Data):
        return len(value)
    raise TemplateError(f"len of {kind(value)}")


def index(value: Value, *keys: Value) -> Value:
    for key in keys:
        value = _at(value, key)
    return value


def _at(value: Value, key: Value) -> Value:
    if isinstance(value, Mapping) and not isinstance(value, Data):
        if not isinstance(key, str):
            raise TemplateError(f"cannot index a map with {kind(key)}")
        return value.get(key, None if isinstance(value, Args) else "")
    if not isinstance(value, str | list):
        raise TemplateError(f"can't index {kind(value)}")
    held: Any = value.encode() if isinstance(value, str) else value
    return held[_position(key, len(held) - 1)]


def part(value: Value, *borders: Value) -> Value:
    """`slice x 1 2` is x[1:2]; of text, by bytes."""
    if not isinstance(value, str | list):
        raise TemplateError(f"can't slice {kind(value)}")
    if len(borders) > 2:
        raise TemplateError("slice takes at most two positions")
    held: Any = value.encode() if isinstance(value, str) else value
    first, last = (*(_position(each, len(held)) for each in borders), *(0, len(held))[len(borders) :])
    if first > last:
        raise TemplateError(f"invalid positions of a slice: {first} > {last}")
    taken = held[first:last]
    return taken.decode(errors="replace") if isinstance(taken, bytes) else taken


def _position(value: Value, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TemplateError(f"cannot index with {kind(value)}")
    if not 0 <= value <= most:
        raise TemplateError(f"position {value} is out of range")
    return value


def items(value: Value) -> Iterator[tuple[Value, Value]]:
    """What `range` goes through: position or key, and element."""
    if isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, Mapping) and not isinstance(value, Data):
        yield from sorted(value.items())
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from ((at, at) for at in range(value))
    elif value is not None:
        raise TemplateError(f"range can't iterate over {kind(value)}")


def sort_by_label(name: Value, samples: Value) -> list[Sample]:
    return sorted(_samples(samples), key=lambda sample: sample.labels.get(name, ""))


def first(samples: Value) -> Sample:
    for sample in _samples(samples):
        return sample
    raise TemplateError("first() called on vector with no elements")


def _samples(value: Value) -> list[Sample]:
    if not isinstance(value, list):
        raise TemplateError(f"expected the result of a query, found {kind(value)}")
    return value
