"""The comparison itself sees what it is there to see."""

import pytest

from tests.collectors.beside import differences

BEFORE = '# TYPE a counter\na{x="1"} 10\n# TYPE b gauge\nb 5\n# TYPE theirs gauge\ntheirs 1\n'
AFTER = BEFORE.replace("10", "12")


def ours(a: str = 'a{x="1"} 11', b: str = "b 5", kind: str = "counter") -> str:
    return f"# TYPE a {kind}\n{a}\n# TYPE b gauge\n{b}\n# TYPE ours gauge\nours 2\n"


def test_values_between_theirs_are_alike() -> None:
    for value in (10, 11, 12):
        assert differences(BEFORE, ours(f'a{{x="1"}} {value}'), AFTER) == {}


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (ours('a{x="1"} 13'), {"a{x=1}": "expected 10 to 12, found 13"}),
        (ours('a{x="1"} 9'), {"a{x=1}": "expected 10 to 12, found 9"}),
        (ours('a{x="2"} 11'), {"a{x=1}": "only theirs", "a{x=2}": "only ours"}),
        (ours('a{x="1",y=""} 11'), {"a{x=1}": "only theirs", "a{x=1,y=}": "only ours"}),
        (ours(kind="gauge"), {"a": "expected type counter, found gauge"}),
        (ours(b="b 6"), {"b{}": "expected 5 to 5, found 6"}),
        ("", {"": "no family is on both pages"}),
    ],
)
def test_what_is_not_alike_is_told(page: str, found: dict[str, str]) -> None:
    assert differences(BEFORE, page, AFTER) == found


def test_of_volatile_gauges_only_the_value_may_differ() -> None:
    assert differences(BEFORE, ours(b="b 6"), AFTER, volatile=["b"]) == {}
    assert differences(BEFORE, ours(b='b{z="1"} 6'), AFTER, volatile=["b"]) != {}
    assert differences(BEFORE, ours('a{x="1",y="2"} 11'), AFTER, newer_labels=["y"]) == {}
