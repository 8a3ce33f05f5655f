import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.matchers import Matcher, matches, parse_matchers, written

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@pytest.mark.parametrize(("text", "expected"), [
    ('severity="critical"', [("severity", "=", "critical")]),
    ("severity=critical", [("severity", "=", "critical")]),
    ("{a!=b, c=~ d.* ,e!~\"f,g\"}", [("a", "!=", "b"), ("c", "=~", "d.*"), ("e", "!~", "f,g")]),
    ('a=""', [("a", "=", "")]), ("a=", [("a", "=", "")]),
    (r'a="x\"\\\n"', [("a", "=", 'x"\\\n')]),
])  # fmt: skip
def test_parsed(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(each.name, each.op, each.value) for each in parse_matchers(text)] == expected


@pytest.mark.parametrize("text", ["", "{}", "a", "=b", 'a="b', 'a="b" c="d"', "1a=b", 'a=~"("', 'a==b"', "a=~(?=x)"])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|invalid"):
        parse_matchers(text)


@pytest.mark.parametrize(("text", "fits"), [
    ("host=web1", True), ("host=web", False), ("host!=web", True), ("host=~web.", True), ("host=~eb1", False),
    ("host!~web", True), ("host!~web.*", False), ("site=", True), ("site=~.*", True), ("site!=", False),
    ("host=~a|web1", True), ("host=~a|web", False),
])  # fmt: skip
@pytest.mark.a3("Routing", "Matchers = != =~ !~ fit the whole value; a label that is not there is an empty one.")
def test_anchored_and_missing_is_empty(text: str, fits: bool) -> None:
    assert matches(parse_matchers(text), {"host": "web1"}) == fits


@given(st.lists(st.tuples(st.from_regex(r"[a-z_]{1,4}", fullmatch=True), TEXT), min_size=1, max_size=3))
def test_what_is_written_reads_back(pairs: list[tuple[str, str]]) -> None:
    matchers = [Matcher(name, "=", value) for name, value in pairs]
    assert sorted(map(str, parse_matchers(written(matchers)))) == sorted(map(str, matchers))


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        found = parse_matchers(text)
    except ValueError:
        return
    assert found
