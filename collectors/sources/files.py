"""Reading files of /proc, /sys and configurations."""

from pathlib import Path

from collectors.errors import Absent, Denied

MOST_BYTES = 4_000_000


def read_text(path: str | Path) -> str:
    """The file's text, bytes that are no UTF-8 replaced. Absent without the file, Denied without the right to read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES).decode(errors="replace")
    except FileNotFoundError as error:
        raise Absent(f"{path}: no such file") from error
    except PermissionError as error:
        raise Denied(f"{path}: permission denied") from error
