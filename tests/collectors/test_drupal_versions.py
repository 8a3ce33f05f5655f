"""Drupal's versions: their order is total and the one people mean."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal.versions import Version, same, version
from collectors.errors import ParseError

INCREASING = (
    "6.x-2.16", "7.0-dev", "7.0-unstable10", "7.0-alpha1", "7.0-beta3", "7.0-rc1", "7.0-rc4", "7.0", "7.9", "7.103",
    "7.x-dev",
)  # fmt: skip
CONTRIB = (
    "7.x-3.0-alpha1", "7.x-3.0-alpha1+4-dev", "7.x-3.0-beta2", "7.x-3.0-rc1", "7.x-3.4", "7.x-3.4+5-dev",
    "7.x-3.4+12-dev", "7.x-3.5", "7.x-3.23", "7.x-3.x-dev", "7.x-4.0", "8.x-1.0-alpha9", "8.x-1.0-alpha10",
    "8.x-1.0-beta2", "8.x-1.0-RC1", "8.x-1.0", "8.x-1.2", "8.x-1.10", "8.x-1.x-dev", "2.0.0-alpha1", "2.0.0", "2.0.1",
    "2.0.x-dev", "2.1.0-beta1", "2.1.0", "2.x-dev", "10.3.0", "10.3.1-dev", "10.3.1", "10.3.x-dev", "11.0.0-rc1",
)  # fmt: skip
ORDERED = pytest.mark.parametrize(
    ("lower", "higher"), [*pairwise(INCREASING[1:]), *pairwise(CONTRIB), ("6.x-2.16", "7.x-1.0")]
)


@ORDERED
def test_each_is_lower_than_the_next(lower: str, higher: str) -> None:
    assert version(lower) < version(higher)
    assert not version(higher) <= version(lower)


@pytest.mark.parametrize(
    ("text", "major", "minor", "dev", "extra"),
    [("8.x-1.0-beta2", 1, None, False, "beta2"), ("10.3.x-dev", 10, 3, True, "dev"), ("6.2.9", 6, 2, False, ""),
     ("7.x-3.4+5-dev", 3, None, True, "5-dev"), ("7.103", 7, None, False, ""), ("dev-1.x", 1, None, True, "dev"),
     ("8.x-dev", 8, None, True, "dev")],
)  # fmt: skip
def test_what_a_version_says(text: str, major: int, minor: int | None, dev: bool, extra: str) -> None:
    found = version(text)
    assert (found.major, found.minor, found.dev, found.extra) == (major, minor, dev, extra)


@pytest.mark.parametrize("text", ["", "dev-main", "dev-1.0-fix", "main", "8.x-", "1" * 200, "١.٢", "8.x-x-dev", "-1.0"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ParseError):
        version(text)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("8.x-1.5", "1.5.0", True), ("8.x-1.5-beta2", "1.5.0-beta2", True), ("10.6.0", "10.6.0", True),
     ("7.x-1.5", "1.5.0", False), ("8.x-1.5", "1.5.1", False), ("main", "main", True), ("main", "1.0", False)],
)  # fmt: skip
def test_composers_name_and_drupals_are_one(one: str, other: str, alike: bool) -> None:
    assert same(one, other) is alike


numbers = st.integers(0, 30).map(str)
released = st.builds(
    "{}{}".format,
    st.lists(numbers, min_size=2, max_size=3).map(".".join),
    st.sampled_from(["", "-dev", "-alpha1", "-beta12", "-rc3", "+5-dev", "-beta1+2-dev", "-bugfix"]),
)
branches = st.builds("{}.x-dev".format, st.lists(numbers, min_size=1, max_size=2).map(".".join))
texts = st.builds("{}{}".format, st.sampled_from(["", "7.x-", "8.x-"]), released | branches)


@given(st.lists(texts, min_size=3, max_size=3))
def test_the_order_is_total(three: list[str]) -> None:
    one, other, third = sorted(map(version, three), key=lambda each: each.key)
    assert one <= other <= third
    assert one <= third
    assert (one < other) + (other < one) + (one.key == other.key) == 1


@given(st.text() | texts)
def test_any_text_is_a_version_or_a_parse_error(text: str) -> None:
    try:
        found = version(text)
    except ParseError:
        return
    assert isinstance(found, Version)
    assert found <= version(text)
