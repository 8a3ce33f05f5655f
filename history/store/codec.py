"""One series' values of one block as bytes, bit for bit the same when read back.

A chunk is a byte that says how it is coded, then for a series with gaps which scrapes it has, then its values. What is
constant is stored once. Decimals (most gauges and counters are) become integers, which pack far better than floats.

pcodec packs best (https://github.com/pcodec/pcodec); where it is not installed, zlib of the differences does.
"""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from history.samples import Floats, Ints, absent, blank

try:
    from pcodec import ChunkConfig, standalone
except ImportError:  # no wheel for this machine
    standalone = None

CONSTANT, PACKED_INTS, PACKED_FLOATS, ZIPPED_INTS, ZIPPED_FLOATS = range(5)
GAPS = 0x80
DECIMALS = 4
EXACT = 2.0**53
FAST, SMALL = 4, 8
"""Levels of effort: while sealing, and while compacting."""


class Unreadable(ValueError):
    """The bytes are not what was written, or need a library that is not here."""


def encode(values: Floats, level: int = FAST) -> bytes:
    """`values` with at least one sample; where they are absent the series has none."""
    gaps = absent(values)
    if not gaps.any():
        codec, payload = _encode_dense(values, level)
        return bytes((codec,)) + payload
    codec, payload = _encode_dense(values[~gaps], level)
    mask = zlib.compress(np.packbits(gaps).tobytes())
    return struct.pack("<BH", codec | GAPS, len(mask)) + mask + payload


def decode(data: bytes, count: int) -> Floats:
    """The `count` values. Unreadable if the bytes show that they are damaged; the CRC of the page finds the rest."""
    try:
        if not data[0] & GAPS:
            return _decode_dense(data[0], data[1:], count)
        codec, length = struct.unpack_from("<BH", data)
        mask = np.frombuffer(zlib.decompress(data[3 : 3 + length]), dtype=np.uint8)
        there = np.unpackbits(mask, count=count) == 0
        values: Floats = blank(1, count)[0]
        values[there] = _decode_dense(codec & ~GAPS, data[3 + length :], int(there.sum()))
        return values
    except (ValueError, IndexError, zlib.error, struct.error, RuntimeError, TypeError) as error:
        raise Unreadable(f"a chunk cannot be decoded: {error}") from error


def encode_stamps(stamps: Ints) -> bytes:
    if standalone is None:
        return bytes((ZIPPED_INTS,)) + _zip_ints(stamps)
    return bytes((PACKED_INTS,)) + bytes(standalone.simple_compress(stamps, ChunkConfig(compression_level=SMALL)))


def decode_stamps(data: bytes) -> Ints:
    try:
        if data[0] == PACKED_INTS:
            stamps: Ints = np.asarray(_unpack(data[1:]), dtype=np.int64)
            return stamps
        if data[0] == ZIPPED_INTS:
            return _unzip_ints(data[1:])
    except (ValueError, IndexError, zlib.error, RuntimeError, TypeError) as error:
        raise Unreadable(f"time stamps cannot be decoded: {error}") from error
    raise Unreadable(f"time stamps of the unknown coding {data[0]}")


def _encode_dense(values: Floats, level: int) -> tuple[int, bytes]:
    bits = values.view(np.uint64)
    if (bits == bits[0]).all():
        return CONSTANT, values[:1].tobytes()
    scaled = _as_integers(values)
    if scaled is None:
        if standalone is None:
            return ZIPPED_FLOATS, zlib.compress(_shuffled(np.diff(bits, prepend=np.uint64(0))))
        return PACKED_FLOATS, bytes(standalone.simple_compress(values, ChunkConfig(compression_level=level)))
    decimals, integers = scaled
    if standalone is None:
        return ZIPPED_INTS, bytes((decimals,)) + _zip_ints(integers)
    packed = bytes(standalone.simple_compress(integers, ChunkConfig(compression_level=level)))
    return PACKED_INTS, bytes((decimals,)) + packed


def _decode_dense(codec: int, data: bytes, count: int) -> Floats:
    values: Floats
    if codec == CONSTANT:
        values = np.full(count, np.frombuffer(data, dtype="<u8")[0], dtype=np.uint64).view(np.float64)
    elif codec == PACKED_FLOATS:
        values = np.asarray(_unpack(data), dtype=np.float64)
    elif codec == ZIPPED_FLOATS:
        values = np.cumsum(_unshuffled(zlib.decompress(data)), dtype=np.uint64).view(np.float64)
    elif codec in (PACKED_INTS, ZIPPED_INTS):
        integers = _unpack(data[1:]) if codec == PACKED_INTS else _unzip_ints(data[1:])
        values = integers.astype(np.float64) / 10.0 ** data[0]
    else:
        raise ValueError(f"unknown coding {codec}")
    if len(values) != count:
        raise ValueError(f"expected {count} values, found {len(values)}")
    return values


def _as_integers(values: Floats) -> tuple[int, Ints] | None:
    """Decimal places and integers from which exactly these floats come back; None if there are none."""
    if not np.isfinite(values).all():
        return None
    bits = values.view(np.uint64)
    for decimals in range(DECIMALS + 1):
        factor = 10.0**decimals
        scaled = np.rint(values * factor)
        if np.abs(scaled).max() >= EXACT:
            return None
        integers = scaled.astype(np.int64)
        if np.array_equal((integers / factor).view(np.uint64), bits):  # by bits: -0.0 is not 0.0
            return decimals, integers
    return None


def _unpack(data: bytes) -> NDArray[Any]:
    if standalone is None:
        raise ValueError("it was packed with pcodec, which is not installed here")
    values: NDArray[Any] | None = standalone.simple_decompress(data)
    if values is None:
        raise ValueError("no values")
    return values


def _zip_ints(values: Ints) -> bytes:
    steps = np.diff(values, prepend=np.int64(0))
    steps[1:] = np.diff(steps)  # of the differences: what grows evenly becomes zeros
    return zlib.compress(_shuffled(steps.view(np.uint64)))


def _unzip_ints(data: bytes) -> Ints:
    steps = _unshuffled(zlib.decompress(data)).view(np.int64).copy()
    steps[1:] = np.cumsum(steps[1:]) + steps[0]
    values: Ints = np.cumsum(steps, dtype=np.int64)
    return values


def _shuffled(words: NDArray[np.uint64]) -> bytes:
    """First all low bytes, then the next ones: alike bytes stand together."""
    return words.astype("<u8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _unshuffled(data: bytes) -> NDArray[np.uint64]:
    if len(data) % 8:
        raise ValueError(f"{len(data)} bytes are no whole words")
    return np.frombuffer(data, dtype=np.uint8).reshape(8, -1).T.copy().view("<u8").reshape(-1)
