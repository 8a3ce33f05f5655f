"""Reading files of /proc, /sys and configurations."""

from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from collectors.errors import Absent, Denied

MOST_BYTES = 4_000_000
PIECE_BYTES = 65_536
"""For a file of /proc/sys the kernel clears a buffer of the size that is asked for, at each read."""


def read_text(path: str | Path) -> str:
    """The file's text, bytes that are no UTF-8 replaced. Absent without the file, Denied without the right to read."""
    try:
        with Path(path).open("rb", buffering=0) as file:
            return b"".join(_pieces(file)).decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Absent(f"{path}: no such file") from error
    except PermissionError as error:
        raise Denied(f"{path}: permission denied") from error


def _pieces(file: FileIO) -> Iterator[bytes]:
    left = MOST_BYTES
    while left and (piece := file.read(min(left, PIECE_BYTES))):
        yield piece
        left -= len(piece)


def attribute(path: str | Path) -> str | None:
    """A file of /sys that holds one value; None when it is not there, or does not tell now."""
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return None
