"""FastCGI as a web server speaks it: records and parameters, as bytes in and out.

Source: https://fastcgi-archives.github.io/FastCGI_Specification.html
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
VERSION = 1
REQUEST_ID = 1
RESPONDER = struct.pack(">HB5x", 1, 0)  # role, and no wish to keep the connection
HEAD = struct.Struct(">BBHHBx")  # version, kind, request, content length, padding length
MOST_CONTENT = 0xFFFF


class Record(NamedTuple):
    kind: int
    content: bytes


def encode(kind: int, content: bytes = b"") -> bytes:
    """One record, or as many as it takes."""
    pieces = [content[at : at + MOST_CONTENT] for at in range(0, len(content), MOST_CONTENT)] or [b""]
    return b"".join(HEAD.pack(VERSION, kind, REQUEST_ID, len(piece), 0) + piece for piece in pieces)


def decode(data: bytes) -> tuple[list[Record], bytes]:
    """The whole records at the start, and the bytes that are left. ValueError when it is not FastCGI."""
    records = []
    at = 0
    while at + HEAD.size <= len(data):
        version, kind, _, length, padding = HEAD.unpack_from(data, at)
        if version != VERSION:
            raise ValueError(f"expected FastCGI version {VERSION}, found {version}")
        end = at + HEAD.size + length
        if end + padding > len(data):
            break
        records.append(Record(kind, data[at + HEAD.size : end]))
        at = end + padding
    return records, data[at:]


def pairs(parameters: Mapping[str, str]) -> bytes:
    encoded = ((name.encode(), value.encode()) for name, value in parameters.items())
    return b"".join(_length(name) + _length(value) + name + value for name, value in encoded)


def _length(text: bytes) -> bytes:
    return bytes([len(text)]) if len(text) < 0x80 else struct.pack(">I", len(text) | 0x80000000)


def request(parameters: Mapping[str, str]) -> bytes:
    """A whole request without a body."""
    return (
        encode(BEGIN_REQUEST, RESPONDER) + encode(PARAMS, pairs(parameters)) + encode(PARAMS) + encode(STDIN)
    )  # an empty record ends each of the two streams


@dataclass
class Response:
    """What came so far, in any pieces; `ended` once the server has said so."""

    output: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    ended: bool = False
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """ValueError when it is not FastCGI."""
        records, self._rest = decode(self._rest + data)
        self._take(records)

    def _take(self, records: Iterable[Record]) -> None:
        for kind, content in records:
            if kind == STDOUT:
                self.output += content
            elif kind == STDERR:
                self.errors += content
            elif kind == END_REQUEST:
                self.ended = True

    @property
    def status(self) -> int:
        """200 unless a header says otherwise."""
        for line in self._head.splitlines():
            name, _, value = line.partition(":")
            number = value.split(None, 1)[:1]
            if name.strip().lower() == "status" and number and number[0].isdecimal():
                return int(number[0])
        return 200

    @property
    def body(self) -> str:
        return bytes(self.output).partition(b"\r\n\r\n")[2].decode(errors="replace")

    @property
    def _head(self) -> str:
        return bytes(self.output).partition(b"\r\n\r\n")[0].decode(errors="replace")
