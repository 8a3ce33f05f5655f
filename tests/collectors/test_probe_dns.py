"""Checks of name servers that answer well, badly, late or not at all."""

import socket
import threading
from contextlib import closing
from typing import Any

import dns.message
import pytest

from collectors.probe.dns import server
from tests.collectors.answering import answering
from tests.collectors.checking import check, failed
from tests.lab.dns import NameServer


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, ""),
        ({"expect": ["192.0.2.2"]}, ""),
        ({"expect": ["192.0.2.1", "192.0.2.9"]}, "body"),
        ({"type": "MX", "expect": ["10 MAIL.shop.example"]}, ""),
        ({"type": "TXT", "expect": ["v=spf1 -all"]}, ""),
        ({"type": "MX", "must_match": ["^10 "]}, ""),
        ({"type": "MX", "must_match": ["^20 "]}, "body"),
        ({"must_not_match": [r"^192\.0\.2\."]}, "body"),
        ({"name": "nowhere.shop.example"}, "status"),
        ({"name": "nowhere.shop.example", "expect_code": "NXDOMAIN"}, ""),
        ({"name": "other.example", "expect_code": "REFUSED"}, ""),
        ({"type": "AAAA"}, ""),
        ({"type": "AAAA", "expect": ["2001:db8::1"]}, "body"),
        ({"name": "x" * 70 + ".example"}, "protocol"),
    ],
)
def test_what_a_good_answer_of_a_name_server_is(asked: dict[str, Any], reason: str, protocol: str) -> None:
    with NameServer() as names:
        settings = {"server": names.address, "name": "shop.example", "protocol": protocol, **asked}
        assert failed({"dns": settings}) == reason


def test_records_and_serial_are_told() -> None:
    with NameServer() as names:
        found = check({"dns": {"server": names.address, "name": "shop.example", "type": "SOA"}})
    assert (found["probe_dns_serial"], found["probe_dns_query_succeeded"]) == (2026112501, 1)
    counts = [found[f"probe_dns_{section}_rrs"] for section in ("answer", "authority", "additional")]
    assert counts == [1, 1, 0]
    assert found["probe_dns_duration_seconds,request"] > 0


def test_a_silent_name_server() -> None:
    with NameServer(silent=True) as names:
        found = check({"dns": {"server": names.address, "name": "shop.example"}, "timeout": 0.2})
    assert (found["probe_success"], found["probe_dns_query_succeeded"]) == (0, 0)
    assert found["web_check_failed,timeout"] == 1


def test_answers_to_other_questions_and_rubbish_are_passed_over() -> None:
    with NameServer() as names, closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as noisy:
        noisy.bind(("127.0.0.1", 0))

        def answer() -> None:
            data, client = noisy.recvfrom(4096)
            other = dns.message.make_response(dns.message.make_query("other.example", "A"))
            for each in (b"", b"\x00" * 3, b"nonsense" * 9, other.to_wire(), names.answer(data)):
                noisy.sendto(each, client)

        thread = threading.Thread(target=answer)
        thread.start()
        asked = {"server": f"127.0.0.1:{noisy.getsockname()[1]}", "name": "shop.example"}
        assert failed({"dns": asked}) == ""
        thread.join(60)


@pytest.mark.parametrize("text", [b"", b"\x00", b"\x00\x10short", b"\xff\xff" + b"x" * 65535, b"\x00\x00"])
def test_no_dns_over_tcp(text: bytes) -> None:
    with answering(text, before=False) as port:
        asked = {"server": f"127.0.0.1:{port}", "name": "shop.example", "protocol": "tcp"}
        assert failed({"dns": asked}) == "protocol"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ns.example", ("ns.example", 53)), ("ns.example:5353", ("ns.example", 5353)), ("::1", ("::1", 53)),
     ("[::1]:5353", ("::1", 5353)), ("[::1]", ("::1", 53)), ("192.0.2.1", ("192.0.2.1", 53))],
)  # fmt: skip
def test_where_a_name_server_is(text: str, expected: tuple[str, int]) -> None:
    assert server(text) == expected
