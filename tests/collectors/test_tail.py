"""Following a log: every line once, whatever rotates, truncates or compresses it."""

import gzip
import os
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import Absent, Denied
from collectors.sources.tail import Cursor, read_new


def drained(path: Path, cursor: Cursor | None, most: int = 64) -> tuple[list[str], Cursor]:
    """Read on until nothing is new."""
    lines: list[str] = []
    while True:
        piece, cursor = read_new(str(path), cursor, most)
        if piece is None:
            return lines, cursor
        lines += piece["text"].splitlines()


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def rotate(path: Path) -> None:
    for number in (3, 2, 1):
        for suffix in ("", ".gz"):
            old = path.with_name(f"{path.name}.{number}{suffix}")
            if old.exists():
                old.rename(path.with_name(f"{path.name}.{number + 1}{suffix}"))
    path.rename(path.with_name(f"{path.name}.1"))
    path.touch()


def compress(path: Path) -> None:
    for old in path.parent.glob(f"{path.name}.[0-9]"):
        with old.open("rb") as plain, gzip.open(f"{old}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        old.unlink()


def truncate_copied(path: Path) -> None:
    shutil.copy(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


STEPS = st.lists(st.sampled_from(["append", "append", "append", "read", "rotate", "compress", "truncate"]), max_size=25)


@settings(deadline=None)
@given(STEPS, st.integers(0, 2**32))
def test_every_line_comes_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int
) -> None:
    """As long as we see some of a file before it is rotated, as with logs that are rotated each day."""
    path = tmp_path_factory.mktemp("log") / "access.log"
    dice = random.Random(seed)
    path.touch()
    _, cursor = read_new(str(path), None)
    written: list[str] = []
    found: list[str] = []
    looked = False
    for step in steps:
        if step == "append":
            new = [f"line {len(written) + n} {'x' * dice.randrange(90)}" for n in range(dice.randrange(1, 5))]
            append(path, *new)
            written += new
        elif step == "read":
            lines, cursor = drained(path, cursor)
            found += lines
            looked = cursor["head_bytes"] > 0
        elif step == "compress":
            compress(path)
        elif looked and path.stat().st_size:
            {"rotate": rotate, "truncate": truncate_copied}[step](path)
            looked = False
    # A line longer than what is read at once comes in several pieces.
    assert "".join(found + drained(path, cursor)[0]) == "".join(written)


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntw")
    piece, cursor = read_new(str(path), None)
    assert piece
    assert piece["text"] == "one\n"
    assert read_new(str(path), cursor)[0] is None
    append(path, "o")
    piece, _ = read_new(str(path), cursor)
    assert piece
    assert (piece["text"], piece["offset"]) == ("two\n", 4)


def test_of_a_large_file_only_the_end_is_read_at_first(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, *(f"line {number}" for number in range(100_000)))
    piece, _ = read_new(str(path), None)
    assert piece
    lines = piece["text"].splitlines()
    assert lines[-1] == "line 99999"
    assert 1000 < len(lines) < 10_000
    assert lines[0].startswith("line ")


def test_an_inode_that_is_used_again_is_another_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "old 1", "old 2")
    _, cursor = read_new(str(path), None)
    path.write_text("new 1\nnew 2\nnew 3\n")
    assert drained(path, cursor)[0] == ["new 1", "new 2", "new 3"]


def test_a_file_that_is_gone_or_closed_to_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Absent):
        read_new(str(tmp_path / "log"), None)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Denied):
        read_new(str(tmp_path / "log"), None)
