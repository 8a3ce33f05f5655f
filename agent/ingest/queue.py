"""What waits to be sent, on disk: it outlives an outage of hours and kill -9, and never takes more room than allowed.

A directory of segments, each a sequence of records: length u32 | CRC-32 u32 | content. `sent` names the segment and the
offset up to which all was taken.
"""

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path

HEAD = struct.Struct("<II")
SEGMENT_BYTES = 2**22

Position = tuple[int, int]
"""Number of the segment, offset in it."""


class Queue:
    """One thread puts, another takes. OSError when the disk is full: what was put before is not touched."""

    def __init__(self, folder: Path, most_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._most = most_bytes
        self._segment_bytes = min(segment_bytes, max(HEAD.size + 1, most_bytes // 4))
        self._lock = threading.Lock()
        self.waiting = threading.Event()
        """Something may be there to take."""
        self.dropped = 0
        """Records that went because the queue was full."""
        self._segments = sorted(int(path.stem) for path in folder.glob("*.seg"))
        self._number, self._offset = self._read_position()
        self._trim_tail()
        self._file = self._open(self._segments[-1] if self._segments else self._number)
        self.waiting.set()

    def put(self, content: bytes) -> None:
        record = HEAD.pack(len(content), zlib.crc32(content)) + content
        with self._lock:
            if self._file.tell() and self._file.tell() + len(record) > self._segment_bytes:
                self._file.close()
                self._file = self._open(self._segments[-1] + 1)
            begin = self._file.tell()
            try:
                self._file.write(record)
                self._file.flush()
            except OSError:
                self._file.truncate(begin)
                self._file.seek(begin)
                raise
            while len(self._segments) > 1 and self._size() > self._most:
                self._drop_oldest()
        self.waiting.set()

    def batch(self, most_bytes: int) -> tuple[list[bytes], Position]:
        """The oldest records, up to so many bytes, at least one if there is any, and where they end."""
        with self._lock:
            found: list[bytes] = []
            size, end = 0, (self._number, self._offset)
            for number in (number for number in self._segments if number >= self._number):
                for content, after in self._records(number, self._offset if number == self._number else 0):
                    if found and size + len(content) > most_bytes:
                        return found, end
                    found.append(content)
                    size, end = size + len(content), (number, after)
            if not found:
                self.waiting.clear()
            return found, end

    def done(self, until: Position) -> None:
        """All up to there has been taken elsewhere."""
        with self._lock:
            self._number, self._offset = max((self._number, self._offset), until)
            self._write_position()
            for number in [number for number in self._segments if number < self._number]:
                self._path(number).unlink(missing_ok=True)
                self._segments.remove(number)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        with self._lock:
            return self._size()

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _size(self) -> int:
        return sum(self._path(number).stat().st_size for number in self._segments)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}.seg"

    def _open(self, number: int) -> BufferedWriter:
        if number not in self._segments:
            self._segments.append(number)
        return self._path(number).open("ab")

    def _records(self, number: int, offset: int) -> Iterator[tuple[bytes, int]]:
        """Content and where it ends; a record that is damaged ends the segment."""
        with self._path(number).open("rb") as file:
            file.seek(offset)
            while len(head := file.read(HEAD.size)) == HEAD.size:
                length, checksum = HEAD.unpack(head)
                content = file.read(length)
                if len(content) < length or zlib.crc32(content) != checksum:
                    return
                yield content, file.tell()

    def _trim_tail(self) -> None:
        """A record that was being written when the process ended goes: nobody was told that it was there."""
        if self._segments:
            last = self._segments[-1]
            end = max((end for _, end in self._records(last, 0)), default=0)
            os.truncate(self._path(last), end)
            if self._number == last:  # after a power cut the position may be ahead of what is left
                self._offset = min(self._offset, end)

    def _drop_oldest(self) -> None:
        oldest = self._segments.pop(0)
        begin = self._offset if oldest == self._number else 0
        self.dropped += sum(1 for _ in self._records(oldest, begin)) if oldest >= self._number else 0
        self._path(oldest).unlink(missing_ok=True)
        if oldest >= self._number:
            self._number, self._offset = self._segments[0], 0
            self._write_position()

    def _read_position(self) -> tuple[int, int]:
        try:
            number, offset = (self._folder / "sent").read_text().split()
            return int(number), int(offset)
        except (OSError, ValueError):
            return (self._segments[0] if self._segments else 1), 0

    def _write_position(self) -> None:
        part = self._folder / "sent.part"
        part.write_text(f"{self._number} {self._offset}\n")
        part.replace(self._folder / "sent")
