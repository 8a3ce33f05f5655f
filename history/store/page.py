"""A page: the chunks of up to some hundred series of one block, as one blob with its checksum.

    version u8 | CRC-32 u32 | series u16 | length of each chunk u16 ... | chunk ...

The checksum also covers which series these are and which block it is, so that no byte of the database can go wrong
unseen. Which series a page holds is its layout, a row of its own that blocks with the same series share.
"""

import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from history.samples import Floats, Ints
from history.store.codec import FAST, Unreadable, decode, decode_stamps, encode, encode_stamps

VERSION = 1
HEAD = struct.Struct("<BIH")
CHECK = struct.Struct("<BI")
SERIES = 250
"""Most series of a page. More would be read for few; fewer pack worse."""

Ids = NDArray[np.uint32]


def pack(ids: Ids, t0: int, values: Floats, level: int = FAST) -> bytes:
    """`values` [series x stamps]; each series has a sample. `t0` is the block's first stamp (ms)."""
    chunks = [encode(row, level) for row in values]
    lengths = np.array([len(chunk) for chunk in chunks], dtype="<u2")
    body = struct.pack("<H", len(chunks)) + lengths.tobytes() + b"".join(chunks)
    return CHECK.pack(VERSION, _checksum(ids, t0, body)) + body


class Page:
    """A page that was read. Unreadable if a bit of it is not as it was written."""

    def __init__(self, data: bytes, ids: Ids, t0: int, count: int) -> None:
        if len(data) < HEAD.size:
            raise Unreadable(f"a page of {len(data)} bytes")
        version, checksum, series = HEAD.unpack_from(data)
        if version != VERSION:
            raise Unreadable(f"a page of version {version}, expected {VERSION}")
        if checksum != _checksum(ids, t0, data[CHECK.size :]):
            raise Unreadable("the checksum of a page is wrong")
        self._data, self._count = data, count
        lengths = np.frombuffer(data, dtype="<u2", count=series, offset=HEAD.size)
        self._ends = HEAD.size + 2 * series + np.cumsum(lengths, dtype=np.int64)
        self._lengths = lengths

    def row(self, at: int) -> Floats:
        end = int(self._ends[at])
        return decode(self._data[end - int(self._lengths[at]) : end], self._count)


def pack_stamps(stamps: Ints) -> bytes:
    body = encode_stamps(stamps)
    return CHECK.pack(VERSION, zlib.crc32(body)) + body


def unpack_stamps(data: bytes) -> Ints:
    """ms, ascending. Unreadable if a bit is not as it was written."""
    if len(data) <= CHECK.size or CHECK.unpack_from(data) != (VERSION, zlib.crc32(data[CHECK.size :])):
        raise Unreadable("the checksum of a block's time stamps is wrong")
    return decode_stamps(data[CHECK.size :])


def split(ids: Sequence[int] | Ids) -> list[slice]:
    """Into pages of about the same size."""
    pages = -(-len(ids) // SERIES)
    ends = [len(ids) * page // pages for page in range(pages + 1)] if pages else [0]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _checksum(ids: Ids, t0: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(ids.astype("<u4").tobytes(), zlib.crc32(struct.pack("<q", t0))))
