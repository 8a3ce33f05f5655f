import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.exposition import render
from agent.ingest.text import Parser, TextError
from collectors.model import Family, Sample

NAMES = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
LABEL_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,5}", fullmatch=True).filter(lambda name: name != "__name__")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(NAMES, st.dictionaries(LABEL_NAMES, TEXTS, max_size=3), st.floats())
def test_what_we_write_is_what_we_read(name: str, labels: dict[str, str], value: float) -> None:
    family = Family(name, "Help.", tuple(labels))
    page = Parser().parse(render([Sample(family, tuple(labels.values()), value)]).decode())
    [(found, number)] = page.samples
    assert found == {"__name__": name, **labels}
    assert number == value or (math.isnan(number) and math.isnan(value))
    assert (page.types, page.help) == ({name: "gauge"}, {name: "Help."})


def test_stamps_exemplars_and_odd_spaces_are_understood() -> None:
    text = (
        "# HELP a Several\\nlines \\\\ of help.\n# TYPE a counter\n"
        'a{x="1 } # {",y="\\"}\\n"}  1.5e3 1700000000000\n\n a 2\nb{} NaN\n'
        'c_bucket{le="+Inf"} 7 1.1 # {trace="x"} 3 1\n# EOF\n'
    )
    page = Parser().parse(text)
    assert [(dict(labels), value) for labels, value in page.samples[:2]] == [
        ({"__name__": "a", "x": "1 } # {", "y": '"}\n'}, 1500.0), ({"__name__": "a"}, 2.0),
    ]  # fmt: skip
    assert page.help["a"] == "Several\nlines \\ of help."
    assert [labels["__name__"] for labels, _ in page.samples] == ["a", "a", "b", "c_bucket"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1\nb\n", "line 2: expected `name{labels} value`, found 'b'"),
        ("a one\n", "line 1: expected `name{labels} value`, found 'a one'"),
        ('a{b="1} 2\n', "line 1: expected `name{labels} value`"),
        ("a{b=1} 2\n", 'line 1: expected labels as name="text"'),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(TextError) as caught:
        Parser().parse(text)
    assert message in str(caught.value)
