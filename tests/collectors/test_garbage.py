"""Whatever a server says, `parse` gives samples or raises ParseError: anything else would be counted as our bug."""

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.exposition import render
from collectors.errors import Absent, ParseError
from collectors.model import Part
from tests.collectors.captures import captures

Place = tuple[str | int, ...]

OUR_OWN = {
    "host/processes": "numbers, added up",
    "host/tcpstat": "numbers, added up",
    "mail/queue": "files, counted",
    "host/timex": "the kernel's numbers",
    "security/outbound": "the kernel's sockets",
    "probe/check": "made from what ssl and sockets say",
    "host/time": "the C library's",
    "host/uname": "the kernel's",
}
"""Payloads without a word of a server in them."""
FREE_FORM = {"phpfpm/status": "status", "phpfpm/opcache": "answer"}
"""Where a payload holds JSON as the server sent it: there anything may take any place."""
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def places(payload: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in a payload, containers included."""
    yield at
    if isinstance(payload, dict | list):
        for key, inner in payload.items() if isinstance(payload, dict) else enumerate(payload):
            yield from places(inner, (*at, key))


def inside(payload: Any, at: Place) -> Any:
    for step in at:
        payload = payload[step]
    return payload


PAYLOADS = [
    pytest.param(f"{capture.collector.name}/{part.name}", part, payload, id=f"{capture}-{part.name}")
    for capture in captures()
    for part, payload in capture.parts()
    if f"{capture.collector.name}/{part.name}" not in OUR_OWN
    and any(isinstance(inside(payload, at), str) for at in places(payload))  # an empty site has only numbers
]


def with_other(payload: Any, at: Place, other: Any) -> Any:
    if not at:
        return other
    payload = copy.deepcopy(payload)
    inside(payload, at[:-1])[at[-1]] = other
    return payload


def garbled(text: str) -> st.SearchStrategy[str]:
    """Other text, or this one with a part cut out and something else in its place."""
    cut = st.tuples(st.integers(0, len(text)), st.integers(0, 30), st.text(max_size=5))
    return st.text() | cut.map(lambda how: text[: how[0]] + how[2] + text[how[0] + how[1] :])


@pytest.mark.parametrize(("name", "part", "payload"), PAYLOADS)
@given(data=st.data())
@settings(deadline=None)
def test_anything_is_parsed_or_refused(name: str, part: Part, payload: Any, data: st.DataObject) -> None:
    free = [at for at in places(payload) if at[:1] == (FREE_FORM.get(name),) and len(at) > 1]
    texts = [at for at in places(payload) if isinstance(inside(payload, at), str)]
    if data.draw(st.booleans() if free else st.just(False), "free form"):
        at = data.draw(st.sampled_from(free), "at")
        other = data.draw(anything, "other")
    else:
        at = data.draw(st.sampled_from(texts), "at")
        other = data.draw(garbled(inside(payload, at)), "other")
    try:
        samples = list(part.parse(with_other(payload, at, other)))
    except (ParseError, Absent):
        return
    render(samples).decode()
    assert all(isinstance(sample.value, int | float) for sample in samples)
    assert not any(math.isnan(sample.value) for sample in samples)
