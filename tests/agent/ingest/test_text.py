import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from agent.exposition import render
from agent.ingest.text import Parser, TextError
from collectors.model import Family, Sample

DATA = Path(__file__).parents[2] / "data"
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
        ("9a-b 1\n", "line 1: expected `name{labels} value`"),
        ("a 1_0\n", "line 1: expected `name{labels} value`"),
        ('a{x="1"}{y="2"} 1\n', "line 1: expected `name{labels} value`"),
        ("a{b=1} 2\n", 'line 1: expected labels as name="text"'),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(TextError) as caught:
        Parser().parse(text)
    assert message in str(caught.value)


def test_blanks_may_be_before_the_labels() -> None:
    page = Parser().parse('a {x="1"} 2\nb\t{} 3\nc\t4\n')
    assert page.samples == [({"__name__": "a", "x": "1"}, 2), ({"__name__": "b"}, 3), ({"__name__": "c"}, 4)]


def test_openmetrics_describes_a_counter_without_its_suffix() -> None:
    page = Parser().parse("# TYPE a counter\n# HELP a Help.\na_total 1\n# TYPE b gauge\nb 1\n# EOF\n")
    assert (page.types, page.help) == ({"a_total": "counter", "b": "gauge"}, {"a_total": "Help."})


@pytest.mark.parametrize("path", sorted(DATA.rglob("metrics.prom")), ids=lambda path: f"{path.parent.name}")
def test_every_page_of_ours_reads_back(path: Path) -> None:
    """Against the parser of Prometheus' Python client, which renames counters where it is told that they are some."""
    text = path.read_text(encoding="utf-8")
    untyped = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("# TYPE"))
    wanted = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(untyped)
        for sample in family.samples
    }
    found = {(labels["__name__"], *sorted((name, text) for name, text in labels.items() if name != "__name__")): value
             for labels, value in Parser().parse(text).samples}  # fmt: skip
    assert {key: repr(value) for key, value in found.items()} == {
        _filled(key): repr(float(value)) for key, value in wanted.items()
    }


def _filled(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A label without a value is none."""
    return (key[0], *(pair for pair in key[1:] if pair[1]))
