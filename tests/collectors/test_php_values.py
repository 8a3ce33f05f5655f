"""Serialized PHP: what PHP wrote comes back, anything else is refused."""

import math
import re
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal.php_values import Object, unserialize
from collectors.errors import ParseError

texts = st.text(max_size=20)
keys = st.integers(-(2**40), 2**40) | texts.filter(lambda text: not re.fullmatch(r"-?\d+", text))
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts
values = st.recursive(scalars, lambda inner: st.dictionaries(keys, inner, max_size=4), max_leaves=20)


def serialized(value: Any) -> bytes:
    if value is None:
        return b"N;"
    if isinstance(value, bool):
        return b"b:%d;" % value
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, float):
        return b"d:%s;" % repr(value).upper().replace("INF", "INF").encode()
    if isinstance(value, str):
        data = value.encode()
        return b's:%d:"%s";' % (len(data), data)
    inner = b"".join(serialized(key) + serialized(each) for key, each in value.items())
    return b"a:%d:{%s}" % (len(value), inner)


@given(values)
def test_what_was_serialized_comes_back(value: Any) -> None:
    assert unserialize(serialized(value)) == value


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    return st.integers(0, len(data)).map(lambda at: data[:at] + b"x" + data[at + 1 :])


@given(st.binary(max_size=60) | values.map(serialized).flatmap(damaged))
def test_anything_else_is_refused(data: bytes) -> None:
    try:
        unserialize(data)
    except ParseError:
        return


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'O:6:"Markup":1:{s:9:"\0*\0string";s:2:"hi";}', Object("Markup", {"string": "hi"})),
        (b'O:1:"A":1:{s:4:"\0A\0x";i:1;}', Object("A", {"x": 1})),
        (b'a:2:{i:0;a:1:{i:0;s:1:"x";}i:1;R:2;}', {0: {0: "x"}, 1: {0: "x"}}),
        (b'a:3:{i:0;s:1:"x";i:1;r:2;i:2;r:3;}', {0: "x", 1: "x", 2: "x"}),
        (b"a:1:{i:0;R:1;}", {0: None}),
        (b's:2:"\xff\xfe";', "\ufffd\ufffd"),
        (b's:3:"a";";', 'a";'),
        (b"d:-INF;", -math.inf),
        (b"d:1.0E+25;", 1e25),
    ],
)  # fmt: skip
def test_objects_references_and_bytes(data: bytes, value: Any) -> None:
    assert unserialize(data) == value


@pytest.mark.parametrize(
    "data",
    [b"", b"N", b"i:;", b"i:1", b's:5:"ab";', b's:99999999999:"a";', b"a:9999999:{", b"a:1:{i:0;i:1;", b"b:1;b:1;",
     b"R:1;", b"a:1:{i:0;R:9;}", b"a:1:{N;i:1;}", b"x:1;", b"a:1:{i:0;" * 100 + b"N;" + b"}" * 100,
     b"i:999999999999999999999999;", b'C:1:"A":0:{}', b"a:-1:{}", b"i:1;" * 1_000_001,
     b"a:300000:{" + b"".join(b"i:%d;N;" % n for n in range(300_000)) + b"}"],
    ids=lambda data: str(data[:20]),
)  # fmt: skip
def test_what_is_cut_or_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(ParseError):
        unserialize(data)


@pytest.mark.servers
@pytest.mark.skipif(not shutil.which("php"), reason="PHP's command line is not here")
def test_phps_own_words() -> None:
    code = (
        'class P { public $a = 1; protected $b = "p"; private $c = [1.5, NULL, TRUE]; } $x = new P;'
        'echo serialize(["é" => -3, 7 => "q\\"", "o" => $x, "again" => $x, "f" => 0.1, "i" => INF]);'
    )
    said = subprocess.run(["php", "-n", "-r", code], capture_output=True, check=True).stdout
    thing = Object("P", {"a": 1, "b": "p", "c": {0: 1.5, 1: None, 2: True}})
    assert unserialize(said) == {"é": -3, 7: 'q"', "o": thing, "again": thing, "f": 0.1, "i": math.inf}
