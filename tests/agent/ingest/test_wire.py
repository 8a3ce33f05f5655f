import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.ingest.wire import Series, WireError, decode, encode, packed, unpacked

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
SERIES = st.builds(
    Series,
    st.dictionaries(TEXTS, TEXTS, max_size=4),
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), max_size=4),
)


@given(st.lists(SERIES, max_size=5), st.lists(SERIES, max_size=3))
def test_what_is_sent_is_what_is_read(some: list[Series], more: list[Series]) -> None:
    assert decode(unpacked(packed(encode(some) + encode(more)))) == some + more


@given(st.binary(max_size=60))
def test_anything_else_is_refused_or_read_without_harm(body: bytes) -> None:
    for read in (unpacked, decode):
        with contextlib.suppress(WireError):
            read(body)


def test_a_message_that_would_unpack_to_too_much_is_refused() -> None:
    with pytest.raises(WireError, match="at most 67,108,864 are taken"):
        unpacked(b"\xff\xff\xff\xff\x0f" + b"x")
