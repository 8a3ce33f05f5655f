import struct

import numpy as np
import pcodec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.samples import Floats, blank
from history.store import codec
from history.store.page import Page, pack, pack_stamps, split, unpack_stamps

BITS = st.integers(0, 2**64 - 1)
FLOATS = st.one_of(
    st.floats(),
    BITS.map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]),
    st.integers(-(2**54), 2**54).map(float),
    st.integers(-(10**9), 10**9).map(lambda n: n / 100),
)
ROWS = st.one_of(
    st.lists(FLOATS, min_size=1, max_size=300),
    st.tuples(FLOATS, st.integers(1, 500)).map(lambda pair: [pair[0]] * pair[1]),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=300).map(lambda steps: np.cumsum(steps).tolist()),
)


@pytest.fixture(params=["pcodec", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "zlib":
        monkeypatch.setattr(codec, "standalone", None)
    return str(request.param)


def array(row: list[float]) -> Floats:
    return np.array(row, dtype=np.float64)


@given(row=ROWS, gaps=st.sets(st.integers(1, 499)))
@pytest.mark.parametrize("standalone", [pcodec.standalone, None], ids=["pcodec", "zlib"])
def test_values_come_back_bit_by_bit(standalone: object, row: list[float], gaps: set[int]) -> None:
    values = array(row)
    values[[gap for gap in gaps if gap < len(values)]] = blank(1, 1)[0, 0]
    if (values.view(np.uint64) == blank(1, 1).view(np.uint64)).all():
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "standalone", standalone)
        found = codec.decode(codec.encode(values), len(values))
    assert found.view(np.uint64).tolist() == values.view(np.uint64).tolist()


@given(first=st.integers(-(10**13), 10**13), steps=st.lists(st.integers(1, 10**7), max_size=500))
@pytest.mark.parametrize("standalone", [pcodec.standalone, None], ids=["pcodec", "zlib"])
def test_stamps_come_back(standalone: object, first: int, steps: list[int]) -> None:
    stamps = np.cumsum([first, *steps], dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "standalone", standalone)
        assert unpack_stamps(pack_stamps(stamps)).tolist() == stamps.tolist()


@pytest.mark.parametrize(
    ("row", "most"),
    [
        ([5.0] * 480, 9),
        (np.cumsum([3] * 480), 60),
        (np.round(np.linspace(0, 9, 480), 2), 200),
    ],
    ids=["constant", "even counter", "two decimals"],
)
def test_what_is_regular_takes_little_room(library: str, row: list[float], most: int) -> None:
    assert len(codec.encode(array(row))) <= most


def test_minus_zero_and_big_integers_are_not_rounded(library: str) -> None:
    values = array([-0.0, 0.0, 2.0**53 + 2, 2.0**62, 1e300])
    assert codec.decode(codec.encode(values), 5).view(np.uint64).tolist() == values.view(np.uint64).tolist()


def test_without_its_library_a_chunk_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.encode(array([1.5, 2.25, 9.0]))
    monkeypatch.setattr(codec, "standalone", None)
    with pytest.raises(codec.Unreadable, match="pcodec, which is not installed here"):
        codec.decode(data, 3)


IDS = np.array([3, 7, 9], dtype=np.uint32)
VALUES = np.cumsum(np.arange(3 * 50.0).reshape(3, 50), axis=1)


def test_a_page_gives_each_row_alone() -> None:
    page = Page(pack(IDS, 1000, VALUES), IDS, 1000, 50)
    assert page.row(2).tolist() == VALUES[2].tolist()
    assert page.row(0).tolist() == VALUES[0].tolist()


def test_every_flipped_bit_of_a_page_is_found() -> None:
    data = pack(IDS, 1000, VALUES)
    for bit in range(8 * len(data)):
        spoilt = bytearray(data)
        spoilt[bit // 8] ^= 1 << bit % 8
        with pytest.raises(codec.Unreadable):
            Page(bytes(spoilt), IDS, 1000, 50)


@pytest.mark.parametrize(
    ("ids", "t0", "cut"),
    [(IDS + 1, 1000, 0), (IDS, 1001, 0), (IDS, 1000, 1), (IDS, 1000, 10_000)],
    ids=["other series", "other block", "a byte short", "nothing"],
)
def test_a_page_in_the_wrong_place_is_found(
    ids: np.ndarray[tuple[int], np.dtype[np.uint32]], t0: int, cut: int
) -> None:
    data = pack(IDS, 1000, VALUES)
    with pytest.raises(codec.Unreadable):
        Page(data[: max(0, len(data) - cut)], ids, t0, 50)


def test_every_flipped_bit_of_the_stamps_is_found() -> None:
    data = pack_stamps(np.arange(0, 480_000, 1000))
    for bit in range(8 * len(data)):
        spoilt = bytearray(data)
        spoilt[bit // 8] ^= 1 << bit % 8
        with pytest.raises(codec.Unreadable):
            unpack_stamps(bytes(spoilt))


@given(st.integers(0, 3000))
def test_pages_are_of_about_one_size(count: int) -> None:
    pages = split(range(count))
    assert [at for page in pages for at in range(page.start, page.stop)] == list(range(count))
    sizes = [page.stop - page.start for page in pages]
    assert all(0 < size <= 250 for size in sizes)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
