"""Reading files: whole, but not without end, and never more at once than is needed."""

from pathlib import Path

import pytest

from collectors.errors import Absent
from collectors.sources import files
from collectors.sources.files import PIECE_BYTES, read_text


def test_a_long_file_is_read_whole(tmp_path: Path) -> None:
    text = "".join(f"{number}\n" for number in range(3 * PIECE_BYTES // 5))
    (tmp_path / "long").write_text(text)
    assert read_text(tmp_path / "long") == text


def test_a_file_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", PIECE_BYTES + 7)
    assert read_text("/dev/zero") == "\0" * (PIECE_BYTES + 7)


def test_bytes_that_are_no_text_are_replaced_also_between_two_pieces(tmp_path: Path) -> None:
    (tmp_path / "mixed").write_bytes(b"a" * (PIECE_BYTES - 1) + "é".encode() + b"\xff")
    assert read_text(tmp_path / "mixed") == "a" * (PIECE_BYTES - 1) + "é\ufffd"


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="no such file"):
        read_text(tmp_path / "nothing")


def test_what_would_be_inside_a_file_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Absent, match="no such file"):
        read_text(tmp_path / "file" / "inside")
