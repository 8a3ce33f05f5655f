"""The codec, against itself and against bytes written by hand from the specification."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.sources import fastcgi
from collectors.sources.fastcgi import PARAMS, STDERR, STDIN, STDOUT, Response, decode, encode, pairs, request

KINDS = st.sampled_from([PARAMS, STDIN, STDOUT, STDERR])
RECORDS = st.lists(st.tuples(KINDS, st.binary(max_size=300)), max_size=8)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(marks)]


@given(RECORDS, st.lists(st.integers(min_value=0)))
def test_records_come_back_whatever_the_pieces(records: list[tuple[int, bytes]], cuts: list[int]) -> None:
    found = []
    rest = b""
    for piece in pieces(b"".join(encode(*record) for record in records), cuts):
        whole, rest = decode(rest + piece)
        found += whole
    assert found == records
    assert rest == b""


@given(st.integers(min_value=0xFFFE, max_value=0x20003))
def test_long_content_is_split_and_comes_back(length: int) -> None:
    content = bytes(number % 251 for number in range(length))
    records, rest = decode(encode(STDOUT, content))
    assert b"".join(record.content for record in records) == content
    assert all(record.kind == STDOUT for record in records)
    assert rest == b""


def read_pairs(data: bytes) -> dict[str, str]:
    """As the specification describes the reader, written apart from the writer."""
    found = {}
    at = 0

    def length() -> int:
        nonlocal at
        long = data[at] >> 7
        value = int.from_bytes(data[at : at + 4], "big") & 0x7FFFFFFF if long else data[at]
        at += 4 if long else 1
        return value

    while at < len(data):
        name, value = length(), length()
        found[data[at : at + name].decode()] = data[at + name : at + name + value].decode()
        at += name + value
    return found


@given(st.dictionaries(st.text(max_size=150), st.text(max_size=300)))
def test_parameters(parameters: dict[str, str]) -> None:
    assert read_pairs(pairs(parameters)) == parameters


def test_a_request_byte_by_byte() -> None:
    assert request({"A": "bc"}) == (
        b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        b"\x01\x04\x00\x01\x00\x05\x00\x00\x01\x02Abc"
        b"\x01\x04\x00\x01\x00\x00\x00\x00"
        b"\x01\x05\x00\x01\x00\x00\x00\x00"
    )  # fmt: skip


ANSWER = (
    encode(STDERR, b"Primary script unknown\n")
    + encode(STDOUT, b"Status: 404 Not Found\r\nContent-type: text/html\r\n\r\nFile ")
    + b"\x01\x06\x00\x01\x00\x04\x04\x00not \xff\xff\xff\xff"  # with padding
    + encode(STDOUT, b"found.\r\n\r\n")
    + encode(fastcgi.END_REQUEST, bytes(8))
)


@given(st.lists(st.integers(min_value=0)))
def test_a_response_in_any_pieces(cuts: list[int]) -> None:
    response = Response()
    for piece in pieces(ANSWER, cuts):
        assert not response.ended
        response.feed(piece)
    assert response.ended
    assert (response.status, response.body) == (404, "File not found.\r\n\r\n")
    assert response.errors == b"Primary script unknown\n"


@pytest.mark.parametrize("head", ["Content-type: a", "Status: odd", "Status:", ""])
def test_without_a_status_it_is_200(head: str) -> None:
    response = Response()
    response.feed(encode(STDOUT, f"{head}\r\n\r\nStatus: 500".encode()))
    assert (response.status, response.body) == (200, "Status: 500")


@given(st.binary())
def test_other_bytes_are_refused_or_awaited(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        Response().feed(data)


def test_http_is_not_fastcgi() -> None:
    with pytest.raises(ValueError, match="expected FastCGI version 1, found 72"):
        Response().feed(b"HTTP/1.1 400 Bad Request\r\n")
