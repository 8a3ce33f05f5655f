"""A formatted expression is the same one, formatted again it stays, and Prometheus lays it out alike."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rulefile import parse as parse_rules
from history.model import QueryError
from history.promql.ast import Selector
from history.promql.format import format_expression
from history.promql.parse import parse
from tests.lab.prometheus import Prometheus, ask

ROOT = Path(__file__).parents[2]
RULES = [
    rule.expr
    for path in sorted((ROOT / "alerts" / "rules").glob("*.yml"))
    for group in parse_rules(path.read_text(), path.name)
    for rule in group.rules
]
EXPRESSIONS = [*Path(__file__).with_name("expressions.txt").read_text().splitlines(), *RULES]

name = st.sampled_from(["up", "a:b", "node_load1", "x"])
label = st.sampled_from(["host", "job", "le", "code"])
labels = st.lists(label, max_size=3, unique=True).map(", ".join)
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6).map(
    lambda value: '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
)
plain = st.sampled_from(['"a"', '""', '".+"', '"a|b"'])
duration = st.sampled_from(["5m", "1h30m", "90s", "1d", "250ms", "2w", "1y"])
number = st.floats(0, allow_nan=False).map(repr) | st.sampled_from(["1", "0.1", "Inf", "NaN", "1e9", "0x1F"])
matcher = st.tuples(label, st.sampled_from(["=", "!="]), text).map("".join) | st.tuples(
    label, st.sampled_from(["=~", "!~"]), plain
).map("".join)
braces = st.lists(matcher, max_size=3).map(lambda found: "{" + ", ".join(found) + "}")
selector = st.tuples(name, braces | st.just("")).map("".join)
shift = st.one_of(
    st.just(""), duration.map(" offset {}".format), duration.map(" offset -{}".format),
    st.sampled_from([" @ start()", " @ end()", " @ 1700000000", " @ 1700000000.5"]),
)  # fmt: skip
instant = st.tuples(selector, shift).map("".join)
ranged = st.tuples(selector, duration.map("[{}]".format), shift).map("".join)
modifier = st.just("") | st.tuples(st.sampled_from(["on", "ignoring"]), labels).map(lambda two: f" {two[0]}({two[1]})")
many = st.just("") | st.tuples(st.sampled_from(["group_left", "group_right"]), st.sampled_from(["", "zone"])).map(
    lambda two: f" {two[0]}({two[1]})"
)


def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions over vectors `inner`."""
    aggregated = st.tuples(st.sampled_from(["sum", "max", "count"]), st.sampled_from(["by", "without"]), labels, inner)
    subquery = st.tuples(inner, duration, duration | st.just(""))
    arithmetic = st.tuples(
        inner, st.sampled_from(["+", "-", "*", "/", "%", "^", ">", "<= bool", "atan2"]), modifier, inner
    )
    grouped = st.tuples(inner, st.sampled_from(["*", "/", "=="]), labels, many, inner)
    return st.one_of(
        aggregated.map(lambda of: f"{of[0]} {of[1]} ({of[2]}) ({of[3]})"),
        aggregated.map(lambda of: f"{of[0]}({of[3]}) {of[1]} ({of[2]})"),
        inner.map("topk(3, {})".format),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("abs({})".format),
        inner.map('label_replace({}, "a", "$1-\\\\d", "host", "(.*)")'.format),
        subquery.map(lambda of: f"max_over_time(({of[0]})[{of[1]}:{of[2]}])"),
        arithmetic.map(lambda of: f"{of[0]} {of[1]}{of[2]} {of[3]}"),
        grouped.map(lambda of: f"{of[0]} {of[1]} on({of[2]}){of[3]} {of[4]}"),
        st.tuples(inner, st.sampled_from(["and", "or", "unless"]), modifier, inner).map(" ".join),
        st.tuples(inner, st.sampled_from(["*", ">", "^"]), number).map(" ".join),
    )


vectors = st.recursive(instant | ranged.map("rate({})".format), wider, max_leaves=6)


def normal(node: Any) -> Any:
    """The tree with matchers in one order: the formatter sorts them, and they mean the same."""
    if isinstance(node, Selector):
        return replace(node, alternatives=tuple(tuple(sorted(each, key=repr)) for each in node.alternatives))
    if isinstance(node, tuple):
        return tuple(map(normal, node))
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{each.name: normal(getattr(node, each.name)) for each in fields(node)})
    return node


def same(text: str) -> str:
    formatted = format_expression(text)
    assert normal(parse(formatted)) == normal(parse(text))
    assert format_expression(formatted) == formatted
    return formatted


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_every_expression_of_ours(expr: str) -> None:
    same(expr)


@given(vectors | number | text | ranged)
def test_any_expression(expr: str) -> None:
    same(expr)


def test_a_long_one_is_broken_where_it_has_parts() -> None:
    assert same(f"sum by (host) (rate({'x' * 90}[5m])) / on(host) sum({'y' * 90}) by (host)").splitlines() == [
        "  sum by (host) (",
        f"    rate({'x' * 90}[5m])",
        "  )",
        "/ on (host)",
        "  sum by (host) (",
        f"    {'y' * 90}",
        "  )",
    ]


@pytest.mark.parametrize("expr", ["1 +", "", "(" * 5000, "a @ -1", "{}"])
def test_what_is_no_expression_is_refused(expr: str) -> None:
    with pytest.raises(QueryError) as caught:
        format_expression(expr)
    assert caught.value.kind == "bad_data"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Prometheus(tmp_path_factory.mktemp("theirs")) as running:
        yield running.url


@pytest.mark.servers
def test_prometheus_lays_them_out_alike(theirs: str) -> None:
    """But for what it writes with an exponent and we as a number, so that other lines are too long."""
    compared = 0
    for expr in EXPRESSIONS:
        status, found = ask(theirs, "format_query", query=expr)
        if status == 200 and not re.search(r"\de\+\d\d", found["data"]):  # nor what Debian's does not know yet
            compared += 1
            assert format_expression(expr) == found["data"]
    assert compared > len(EXPRESSIONS) / 2
