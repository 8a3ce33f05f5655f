"""What happened around an event, exports, and addresses that are pseudonyms or forgotten."""

import csv
import ipaddress
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model import Event
from history.pseudonyms import forgotten, pseudonym, pseudonymised
from history.timeline import around, as_csv, as_json

KEY = b"k" * 32


def event(name: str, first: float, last: float | None = None, **more: Any) -> Event:
    known = {"kind": "security.code", "severity": "warning", "host": "web1", "site": "shop", "count": 1, "title": name}
    return Event(id=name, first=first, last=first if last is None else last, **{**known, **more})


def test_what_is_near_and_belongs_to_it_in_order() -> None:
    found = [
        event("later", 1500), event("far", 9000), event("long before", 0, 900), event("the host", 950, site=""),
        event("another site", 1000, site="blog"), event("another host", 1000, host="web2", site="docs"),
        event("same site elsewhere", 1001, host="web2"), event("deploy", 990, kind="deploy"),
    ]  # fmt: skip
    here = event("it", 1000)
    names = [each.id for each in around([*found, here], here, 600, 600)]
    assert names == ["long before", "the host", "deploy", "it", "same site elsewhere", "later"]
    assert [each.id for each in around([], here)] == ["it"]


@given(st.lists(st.builds(event, st.text(max_size=3), st.floats(0, 1e4), site=st.sampled_from(["", "a", "b"]))))
def test_the_order_of_what_is_given_does_not_matter(events: list[Event]) -> None:
    here = event("it", 5000.0)
    unique = list({each.id: each for each in events}.values())
    assert around(unique, here) == around(unique[::-1], here)
    assert here in around(unique, here)


def test_exports_can_be_read_again_and_carry_out_nothing() -> None:
    made = event("x", 1, title='=HYPERLINK("http://x")\nnew, line', evidence=({"source": "198.51.100.7"},))
    (header, row) = csv.reader(as_csv([made]).splitlines(keepends=True))
    known = dict(zip(header, row, strict=True))
    assert known["title"] == '\'=HYPERLINK("http://x")\nnew, line'
    assert json.loads(known["evidence"]) == [{"source": "198.51.100.7"}]
    (back,) = json.loads(as_json([made]))
    assert (back["id"], back["evidence"]) == ("x", [{"source": "198.51.100.7"}])


def common(one: str, other: str) -> int:
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    return first.max_prefixlen - (int(first) ^ int(second)).bit_length()


ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_pseudonyms_keep_networks(one: ipaddress.IPv4Address, other: ipaddress.IPv4Address) -> None:
    if any(each.is_loopback or each.is_unspecified for each in (one, other)):
        return
    assert common(pseudonym(str(one), KEY), pseudonym(str(other), KEY)) == common(str(one), str(other))


@given(ADDRESSES)
def test_a_pseudonym_is_an_address_of_the_same_kind(address: Any) -> None:
    made = ipaddress.ip_address(pseudonym(str(address), KEY))
    assert made.version == address.version


@pytest.mark.parametrize("address", ["198.51.100.7", "2001:db8::7", "2001:db8:1:2:3:4:5:6"])
def test_no_address_is_left_in_an_event(address: str) -> None:
    made = event(
        "x", 1, title=f"Logins failed from {address}, at 10:20:30",
        evidence=({"source": address, "account": "alice", "sources": f"{address}, 203.0.113.9", "why": "x"},),
        dedup_key=f"shop {address}",
    )  # fmt: skip
    for hidden in (pseudonymised(made, KEY), forgotten(made)):
        assert address not in repr(hidden)
        assert "203.0.113.9" not in repr(hidden)
        assert "10:20:30" in hidden.title
    assert pseudonymised(made, KEY) != pseudonymised(made, b"other")
    assert "alice" not in repr(forgotten(made))
    assert forgotten(forgotten(made)) == forgotten(made)
