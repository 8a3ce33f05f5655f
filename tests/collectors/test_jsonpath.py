"""The subset of JSONPath: any document, any path, and what is no path of ours."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.probe.jsonpath import Missing, assertion, look_up, path

names = st.text(st.characters(codec="utf-8"), max_size=8)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def places(document: Any, at: str = "$") -> list[tuple[str, Any]]:
    """Every place with its path."""
    found = [(at, document)]
    if isinstance(document, dict):
        for name, inner in document.items():
            found += places(inner, f"{at}[{json.dumps(name)}]")
    elif isinstance(document, list):
        for number, inner in enumerate(document):
            found += places(inner, f"{at}[{number}]")
    return found


@given(documents, st.data())
def test_every_place_of_a_document_is_found_and_equals_itself(document: Any, data: st.DataObject) -> None:
    document = json.loads(json.dumps(document))
    at, value = data.draw(st.sampled_from(places(document)))
    assert look_up(document, path(at)) == value
    if len(at) < 900:
        assert assertion(f"{at} == {json.dumps(value)}").holds(document)
        assert not assertion(f"{at} != {json.dumps(value)}").holds(document)
        assert assertion(at).holds(document) == (value is not None and value is not False)


@given(documents, documents)
def test_no_document_breaks_a_comparison(document: Any, value: Any) -> None:
    for operator in ("==", "!="):
        text = f"$.a[0] {operator} {json.dumps(value)}"
        assert isinstance(assertion(text).holds(document), bool)
    for found in (document, {"a": [document]}):
        assert isinstance(assertion("$.a[0] < 3").holds(found), bool)
        assert isinstance(assertion('$.a[0] >= "b"').holds(found), bool)


@given(st.text() | st.from_regex(r"\$(\.\w+|\[\d+\])*( ?(==|<) ?.*)?", fullmatch=True))
def test_any_text_is_an_assertion_or_refused_in_words(text: str) -> None:
    found = None
    with contextlib.suppress(ValueError):
        found = assertion(text)
    assert found is None or isinstance(found.holds({"a": 1}), bool)


@given(documents, st.lists(st.integers(-5, 5) | names, max_size=4))
def test_a_place_is_there_or_missing(document: Any, steps: list[int | str]) -> None:
    try:
        look_up(document, tuple(steps))
    except Missing:
        return


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('$.status == "ok"', True),
        ("$.status", True),
        ("$.nothing", False),
        ("$.empty", False),
        ("$.off", False),
        ("$.off == false", True),
        ("$.off == 0", False),
        ("$.items[0].id == 7", True),
        ("$.items[0].id == 7.0", True),
        ("$.items[-1].id > 7", True),
        ("$.items[2].id > 7", False),
        ('$["a.b"][\'c d\'] != "x"', True),
        ('$.items[0].id < "8"', False),
        ('$.items == [{"id": 7}, {"id": 8}]', True),
        ("$.status[0]", False),
        ("$.nothing != 1", False),
    ],
)
def test_what_holds_of_a_document(text: str, holds: bool) -> None:
    document = {
        "status": "ok", "empty": None, "off": False, "items": [{"id": 7}, {"id": 8}], "a.b": {"c d": "y"},
    }  # fmt: skip
    assert assertion(text).holds(document) is holds


@pytest.mark.parametrize(
    "text",
    ["", "status", "$..status == 1", "$.a[*]", "$.a = 1", "$.a == ok", "$.a == ", "$.a < true", "$.a < [1]",
     "$.a == NaN", "$[a]", "$.a b", "$" + ".a" * 600, "$.a == " + "[" * 5000],
)  # fmt: skip
def test_what_is_no_assertion_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        assertion(text)
