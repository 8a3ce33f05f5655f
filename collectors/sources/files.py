"""Reading files of /proc, /sys and configurations."""

import os
from collections.abc import Iterator
from pathlib import Path

from collectors.errors import Absent, Denied

MOST_BYTES = 4_000_000
PAGE_BYTES = 4096
PIECE_BYTES = 65_536
"""For a file of /proc/sys the kernel clears a buffer of the size that is asked for, at each read."""


def read_text(path: str | Path) -> str:
    """The file's text, bytes that are no UTF-8 replaced. Absent without the file, Denied without the right to read."""
    try:
        file = os.open(path, os.O_RDONLY)  # pathlib and io take thrice as long, and the host has dozens each tick
        try:
            return b"".join(_pieces(file)).decode(errors="replace")
        finally:
            os.close(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Absent(f"{path}: no such file") from error
    except PermissionError as error:
        raise Denied(f"{path}: permission denied") from error


def _pieces(file: int) -> Iterator[bytes]:
    left = MOST_BYTES
    while left and (piece := os.read(file, min(left, PIECE_BYTES))):
        yield piece
        left -= len(piece)


def attribute(path: str | Path) -> str | None:
    """A file of /sys that holds one value; None when it is not there, or does not tell now."""
    try:
        return read_small(path).strip()
    except OSError:
        return None


def read_small(path: str | Path) -> str:
    """OSError. For what the kernel tells at once: hundreds are read each time, and pathlib takes thrice as long."""
    file = os.open(path, os.O_RDONLY)
    try:
        pieces = [os.read(file, PAGE_BYTES)]
        while len(pieces[-1]) == PAGE_BYTES:
            pieces.append(os.read(file, PAGE_BYTES))
        return b"".join(pieces).decode(errors="replace")
    finally:
        os.close(file)
