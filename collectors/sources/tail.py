"""What a log file has gained since a cursor, through rotation, truncation and compression.

A file is known by device, inode and its first bytes: an inode is used again, and a compressed file is another one.
"""

import gzip
import os
import re
import zlib
from hashlib import blake2b
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import TypedDict

from collectors.errors import Absent, Denied

MOST_BYTES = 2**20
"""Of one read; the rest comes with the next."""
FIRST_BYTES = 2**16
"""What is read of a file that is seen for the first time: its end."""
HEAD_BYTES = 256
ROTATED = re.compile(r"[.-](\d+|\d{8}(-\d+)?)(\.gz)?")


class Cursor(TypedDict):
    """Where we are in which file."""

    node: str
    """device:inode"""
    head: str
    """Hash of the file's first bytes."""
    head_bytes: int
    """How many of them are in the hash; a file that was shorter has grown since."""
    offset: int
    rest_of: str
    """Name of the rotated file that has to be read to its end first; "": none."""


class Piece(TypedDict):
    """Whole lines, and where they are: what an event's id derives from."""

    node: str
    offset: int
    text: str


def read_new(path: str, cursor: Cursor | None, most: int = MOST_BYTES) -> tuple[Piece | None, Cursor]:
    """None: nothing is new. Absent without the file, Denied without the right to read it."""
    try:
        return _read_new(Path(path), cursor, most)
    except FileNotFoundError as error:
        raise Absent(f"{path}: no such file") from error
    except PermissionError as error:
        raise Denied(f"{path}: permission denied") from error


def _read_new(path: Path, cursor: Cursor | None, most: int) -> tuple[Piece | None, Cursor]:
    if cursor is None:
        return _begin(path, most)
    if cursor["rest_of"]:
        return _finish(path, path.with_name(cursor["rest_of"]), cursor, most)
    with path.open("rb") as file:
        if _is_same(file, cursor):
            return _onward(file, cursor, most)
    rotated = _rotated(path, cursor)
    if rotated is None:  # it was truncated, or is gone with what we had not read
        return _from_start(path, most)
    return _finish(path, rotated, cursor, most)


def _begin(path: Path, most: int) -> tuple[Piece | None, Cursor]:
    with path.open("rb") as file:
        start = max(0, _size(file) - min(FIRST_BYTES, most))
        if start:
            file.seek(start - 1)
            start += len(file.readline()) - 1  # to the beginning of a line
        return _onward(file, _cursor(file, start), most)


def _from_start(path: Path, most: int) -> tuple[Piece | None, Cursor]:
    with path.open("rb") as file:
        return _onward(file, _cursor(file, 0), most)


def _finish(path: Path, rotated: Path, cursor: Cursor, most: int) -> tuple[Piece | None, Cursor]:
    """The rest of what was rotated away, then the file anew."""
    try:
        with _opened(rotated) as file:
            file.seek(cursor["offset"])
            data = file.read(most)
    except (FileNotFoundError, EOFError, zlib.error, gzip.BadGzipFile):
        data = b""
    if len(data) == most:
        data = _whole_lines(data, most)
    if not data:
        return _from_start(path, most)
    after = Cursor(**{**cursor, "offset": cursor["offset"] + len(data), "rest_of": rotated.name})
    return _piece(cursor, data), after


def _onward(file: BufferedReader, cursor: Cursor, most: int) -> tuple[Piece | None, Cursor]:
    file.seek(cursor["offset"])
    data = _whole_lines(file.read(most), most)
    after = _cursor(file, cursor["offset"] + len(data))
    return (_piece(cursor, data) if data else None), after


def _piece(cursor: Cursor, data: bytes) -> Piece:
    return Piece(node=cursor["node"], offset=cursor["offset"], text=data.decode(errors="replace"))


def _whole_lines(data: bytes, most: int) -> bytes:
    """Up to the last line's end; a line that is longer than what is read at once is cut."""
    end = data.rfind(b"\n") + 1
    return data[:end] if end or len(data) < most else data


def _cursor(file: BufferedReader, offset: int) -> Cursor:
    head = _head(file, HEAD_BYTES)
    return Cursor(node=_node(file), head=_hash(head), head_bytes=len(head), offset=offset, rest_of="")


def _is_same(file: BufferedReader, cursor: Cursor) -> bool:
    return _node(file) == cursor["node"] and _size(file) >= cursor["offset"] and _begins_so(file, cursor)


def _begins_so(file: BufferedIOBase, cursor: Cursor) -> bool:
    return _hash(_head(file, cursor["head_bytes"])) == cursor["head"]


def _rotated(path: Path, cursor: Cursor) -> Path | None:
    """The file beside it that begins as ours did; an empty beginning says nothing, there the inode has to."""
    for other in sorted(path.parent.glob(f"{path.name}*")):
        if not ROTATED.fullmatch(other.name.removeprefix(path.name)):
            continue
        try:
            with _opened(other) as file:
                alike = cursor["head_bytes"] > 0 and _begins_so(file, cursor)
            stat = other.stat()
        except (OSError, EOFError, zlib.error):
            continue
        if alike or f"{stat.st_dev}:{stat.st_ino}" == cursor["node"]:
            return other
    return None


def _opened(path: Path) -> BufferedIOBase:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _head(file: BufferedIOBase, length: int) -> bytes:
    file.seek(0)
    return file.read(length)


def _hash(head: bytes) -> str:
    return blake2b(head, digest_size=8).hexdigest()


def _size(file: BufferedReader) -> int:
    return os.fstat(file.fileno()).st_size


def _node(file: BufferedReader) -> str:
    stat = os.fstat(file.fileno())
    return f"{stat.st_dev}:{stat.st_ino}"
