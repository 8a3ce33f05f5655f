"""PHP's serialized values -> Python, within bounds. Nothing is made but numbers, texts, arrays and objects' fields.

Source: https://www.php.net/manual/en/function.serialize.php
"""

import re
from dataclasses import dataclass
from typing import Any

from collectors.errors import ParseError

MOST_BYTES = 4_000_000
MOST_VALUES = 200_000
DEEPEST = 60
NUMBER = re.compile(rb"-?[0-9]{1,20};")
FLOAT = re.compile(rb"(-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|-?INF|NAN);")
LENGTH = re.compile(rb"([0-9]{1,10}):")

Value = Any
"""None, bool, int, float, str, an Object, or a dict from str and int to these: an array. A reference is what it
refers to, and None where that holds the reference."""


@dataclass(frozen=True)
class Object:
    name: str
    """Of its class."""
    fields: dict[str | int, Value]
    """By name, private and protected ones without PHP's marks."""


def unserialize(data: bytes) -> Value:
    """ParseError for anything that PHP did not write, or that is larger than anything that we read."""
    if len(data) > MOST_BYTES:
        raise ParseError(f"a serialized value of {len(data)} bytes: expected at most {MOST_BYTES}")
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise reader.wrong("its end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.seen: list[Value] = []
        """What r: and R: refer to, by number."""

    def wrong(self, expected: str) -> ParseError:
        return ParseError(f"a serialized value: expected {expected} at byte {self.at} of {len(self.data)}")

    def take(self, text: bytes) -> None:
        if not self.data.startswith(text, self.at):
            raise self.wrong(repr(text.decode()))
        self.at += len(text)

    def match(self, pattern: re.Pattern[bytes], expected: str) -> bytes:
        found = pattern.match(self.data, self.at)
        if not found:
            raise self.wrong(expected)
        self.at = found.end()
        return found[0][:-1]

    def value(self, depth: int, slot: bool = True) -> Value:
        if depth > DEEPEST or len(self.seen) > MOST_VALUES:
            raise self.wrong("fewer values")
        kind = self.data[self.at : self.at + 2]
        self.at += 2
        if kind in (b"r:", b"R:"):
            return self._reference(slot and kind == b"r:")
        place = len(self.seen)
        if slot:
            self.seen.append(None)
        value = self._value(kind, depth)
        if slot:
            self.seen[place] = value
        return value

    def _value(self, kind: bytes, depth: int) -> Value:
        if kind in (b"a:", b"O:"):
            return self._pairs(depth) if kind == b"a:" else self._object(depth)
        if kind in (b"s:", b"E:"):
            text = self._text()
            self.take(b";")
            return text
        return self._scalar(kind)

    def _scalar(self, kind: bytes) -> Value:
        if kind == b"N;":
            return None
        if kind in (b"b:", b"i:"):
            number = int(self.match(NUMBER, "an integer"))
            return number != 0 if kind == b"b:" else number
        if kind == b"d:":
            return float(self.match(FLOAT, "a number").decode())
        self.at -= 2
        raise self.wrong("a kind of value")

    def _object(self, depth: int) -> Object:
        name = self._text()
        self.take(b":")
        return Object(name, {_plain(key): inner for key, inner in self._pairs(depth).items()})

    def _reference(self, slot: bool) -> Value:
        number = int(self.match(NUMBER, "a number"))
        if not 1 <= number <= len(self.seen):
            raise self.wrong("a value that came before")
        value = self.seen[number - 1]
        if slot:
            self.seen.append(value)
        return value

    def _text(self) -> str:
        """Its length is in bytes; those that are no UTF-8 are replaced."""
        length = int(self.match(LENGTH, "a length"))
        self.take(b'"')
        data = self.data[self.at : self.at + length]
        if len(data) != length:
            raise self.wrong(f"{length} bytes of text")
        self.at += length
        self.take(b'"')
        return data.decode(errors="replace")

    def _pairs(self, depth: int) -> dict[str | int, Value]:
        count = int(self.match(LENGTH, "a count"))
        self.take(b"{")
        found: dict[str | int, Value] = {}
        for _ in range(count):
            key = self.value(depth + 1, slot=False)
            if not isinstance(key, int | str) or isinstance(key, bool):
                raise self.wrong("a key")
            found[key] = self.value(depth + 1)
        self.take(b"}")
        return found


def _plain(key: str | int) -> str | int:
    return key.rpartition("\0")[2] if isinstance(key, str) else key
