"""Directories of many files: what is in them, up to a bound, and when a file was made.

Source: https://man7.org/linux/man-pages/man2/statx.2.html
"""

import ctypes
import os
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from collectors.errors import Absent, Denied

AT_FDCWD = -100
NO_FOLLOW = 0x100
BORN = 0x800
BORN_AT = 80
DEEPEST = 4


class File(NamedTuple):
    path: str
    name: str
    size: int  # bytes


def files(directory: str | Path, depth: int = 0) -> Iterator[File]:
    """Every file below it; those that go meanwhile are left out. Absent: no such directory; Denied: no right to it."""
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if depth < DEEPEST:
                        yield from files(entry.path, depth + 1)
                elif (found := _file(entry)) is not None:
                    yield found
    except (FileNotFoundError, NotADirectoryError) as error:
        if depth == 0:
            raise Absent(f"{directory}: no such directory") from error
    except PermissionError as error:
        raise Denied(f"list {directory}: permission denied") from error


def _file(entry: "os.DirEntry[str]") -> File | None:
    try:
        return File(entry.path, entry.name, entry.stat(follow_symlinks=False).st_size)
    except FileNotFoundError:
        return None


def born(path: str) -> float | None:
    """Unix seconds, which neither writing nor renaming changes; None where the file system does not keep them."""
    if (statx := _statx()) is None:
        return None
    answer = ctypes.create_string_buffer(256)
    if statx(AT_FDCWD, os.fsencode(path), NO_FOLLOW, BORN, answer) != 0:
        return None
    if not struct.unpack_from("=I", answer)[0] & BORN:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", answer, BORN_AT)
    return float(seconds + nanoseconds / 1e9)


@cache
def _statx() -> Any:
    """Python has it only from 3.15 on; an old C library not at all."""
    return getattr(ctypes.CDLL(None), "statx", None)
