"""Remote write's messages: Protocol Buffers, of which only these few fields are needed, packed with snappy.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cramjam

Labels = Mapping[str, str]
MOST_BYTES = 2**26
"""Of a message unpacked."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """Not what remote write sends."""


@dataclass(frozen=True)
class Series:
    labels: Labels
    points: Sequence[tuple[int, float]]
    """ms, value."""


def packed(message: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(message))


def unpacked(body: bytes) -> bytes:
    """WireError for what snappy cannot unpack, or what would be too much."""
    try:
        length, _ = _varint(body, 0)
        if length > MOST_BYTES:
            raise WireError(f"a message of {length:,} bytes, at most {MOST_BYTES:,} are taken")
        return bytes(cramjam.snappy.decompress_raw(body))
    except (IndexError, cramjam.DecompressionError) as error:
        raise WireError("expected a message packed with snappy") from error


def encode(series: Iterable[Series]) -> bytes:
    """A WriteRequest; two of them one after the other are one with the series of both."""
    return b"".join(_field(1, _series(each)) for each in series)


def _series(series: Series) -> bytes:
    labels = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(series.labels.items())
    )
    points = (
        _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _number(stamp)) for stamp, value in series.points
    )
    return labels + b"".join(points)


def _field(number: int, content: bytes) -> bytes:
    return _number(number << 3 | BYTES) + _number(len(content)) + content


def _number(value: int) -> bytes:
    value &= 2**64 - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def decode(message: bytes) -> list[Series]:
    """Of a WriteRequest. Metadata, exemplars and native histograms are passed over. WireError if it is none."""
    try:
        return [_read_series(content) for number, content in _fields(message) if number == 1]
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise WireError("expected a remote write message") from error


def _read_series(message: bytes) -> Series:
    labels: dict[str, str] = {}
    points: list[tuple[int, float]] = []
    for number, content in _fields(message):
        if number == 1:
            label = dict(_fields(content))
            labels[label[1].decode()] = label.get(2, b"").decode()
        elif number == 2:
            point = dict(_fields(content))
            stamp = point.get(2, 0)
            points.append((stamp - 2**64 if stamp >= 2**63 else stamp, point.get(1, 0.0)))
    return Series(labels, points)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == BYTES:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise WireError("a message that ends in the middle of a field")
            yield number, message[at : at + length]
            at += length
        elif kind == VARINT:
            value, at = _varint(message, at)
            yield number, value
        elif kind == FIXED64:
            yield number, struct.unpack_from("<d", message, at)[0]
            at += 8
        elif kind == FIXED32:
            yield number, struct.unpack_from("<f", message, at)[0]
            at += 4
        else:
            raise WireError(f"a field of the unknown kind {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise WireError("a number of more than 64 bits")
