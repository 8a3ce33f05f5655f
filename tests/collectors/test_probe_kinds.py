"""Checks over TCP, ICMP and FastCGI against servers that answer well, badly, late or not at all."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import trial
from collectors.inventory import Inventory, Pool
from collectors.probe import COLLECTOR, icmp, read
from collectors.probe.config import Probe
from collectors.probe.discovery import discover
from tests.collectors.answering import answering
from tests.collectors.checking import check, failed
from tests.lab.certificates import Authority
from tests.lab.servers import PhpFpm
from tests.lab.talking import IMAP, POP3, SMTP, SSH, Talking


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize(("protocol", "says"), [("smtp", SMTP), ("imap", IMAP), ("pop3", POP3)])
def test_starttls(authority: Authority, protocol: str, says: Mapping[str, str]) -> None:
    with Talking(says, authority.certified("mail.example")) as mail:
        tcp = {"address": mail.address, "starttls": protocol, "server_name": "mail.example"}
        found = check({"tcp": tcp, "ca_file": authority.file})
        assert (found["probe_success"], found["probe_tls_version_info,TLS 1.3"]) == (1, 1)
        assert found["probe_ssl_earliest_cert_expiry"] > 0
        assert found["probe_ssl_last_chain_expiry_timestamp_seconds"] == found["probe_ssl_earliest_cert_expiry"]
        assert failed({"tcp": tcp}) == "certificate"
        assert check({"tcp": tcp})["probe_ssl_earliest_cert_expiry"] == found["probe_ssl_earliest_cert_expiry"]
        assert failed({"tcp": {**tcp, "server_name": "other.example"}, "ca_file": authority.file}) == "certificate"
        assert failed({"tcp": tcp, "verify_tls": False}) == ""


def test_mail_that_offers_no_tls(authority: Authority) -> None:
    with Talking({**SMTP, "EHLO": "250 mail.example"}) as mail:
        tcp = {"address": mail.address, "starttls": "smtp"}
        assert failed({"tcp": tcp, "timeout": 0.3}) == "timeout"


def test_an_authority_that_is_renewed_or_cannot_be_read(tmp_path: Path) -> None:
    first, second = (Authority(made) for made in (tmp_path / "1", tmp_path / "2"))
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(first.file.read_bytes())
    with Talking(IMAP, second.certified("mail.example"), tls=True) as mail:
        settings = {"tcp": {"address": mail.address, "tls": True, "server_name": "mail.example"}, "ca_file": trusted}
        assert failed(settings) == "certificate"
        trusted.write_bytes(second.file.read_bytes())
        os.utime(trusted, ns=(1, 1))
        assert failed(settings) == ""
        for broken in (lambda: trusted.write_text("nonsense"), trusted.unlink):
            broken()
            (reading,) = trial(COLLECTOR, Probe.model_validate(settings))
            assert (reading.outcome, str(trusted) in reading.error) == ("denied", True)


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ({}, ""),
        ({"days_left": 50}, ""),
        ({"days_left": 70}, "certificate"),
        ({"name": "imap.example"}, ""),
        ({"name": "a.wild.example"}, ""),
        ({"name": "a.b.wild.example"}, "certificate"),
        ({"name": "other.example"}, "certificate"),
        ({"issuer": "Lab"}, ""),
        ({"issuer": "Other"}, "certificate"),
    ],
)
def test_what_a_good_certificate_is(authority: Authority, certificate: dict[str, Any], reason: str) -> None:
    file = authority.certified("imap.example", "*.wild.example", days=60)
    with Talking(IMAP, file, tls=True) as mail:
        tcp = {"address": mail.address, "tls": True, "server_name": "imap.example"}
        assert failed({"tcp": tcp, "ca_file": authority.file, "certificate": certificate}) == reason


def test_a_certificate_is_expected_where_there_is_no_tls() -> None:
    with Talking(SSH) as ssh:
        assert failed({"tcp": {"address": ssh.address}, "certificate": {"days_left": 1}}) == "certificate"


def test_lines_are_expected_and_sent() -> None:
    with Talking(SSH) as ssh:
        talk = [{"expect": "^SSH-([0-9.]+)-", "send": "SSH-${1}-prober ${7}"}]
        found = check({"tcp": {"address": ssh.address, "talk": talk}})
    assert (found["probe_success"], found["probe_failed_due_to_regex"]) == (1, 0)
    assert ssh.lines == ["SSH-2.0-prober "]


def test_a_line_that_does_not_come_is_told_apart() -> None:
    with answering(b"421 busy\r\n") as port:
        found = check({"tcp": {"address": f"127.0.0.1:{port}", "talk": [{"expect": "^220"}]}})
    assert (found["probe_success"], found["probe_failed_due_to_regex"]) == (0, 1)
    assert found["web_check_failed,body"] == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "body"),
        (b"\xff\xfe\x00 220\r\n", "body"),
        (b"x" * 200_000, "protocol"),
        (b"x\n" * 600_000, "protocol"),
        (b"220 without an end of the line", ""),
    ],
)
def test_odd_lines(text: bytes, reason: str) -> None:
    with answering(text) as port:
        assert failed({"tcp": {"address": f"127.0.0.1:{port}", "talk": [{"expect": "^220"}]}}) == reason


def test_a_check_ends_before_its_interval() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        facts = read(Probe.model_validate({"url": url, "interval": 1, "timeout": 5}))
    assert (facts["reason"], facts["limit"]) == ("timeout", 0.9)


def test_tls_asked_of_what_speaks_none() -> None:
    with answering(b"HTTP/1.1 400 Bad\r\n\r\n", before=False) as port:
        assert failed({"tcp": {"address": f"127.0.0.1:{port}", "tls": True}, "verify_tls": False}) == "tls"


def test_nobody_there() -> None:
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        assert failed({"tcp": {"address": f"127.0.0.1:{shut.getsockname()[1]}"}}) == "connect"
        asked = {"server": f"127.0.0.1:{shut.getsockname()[1]}", "name": "shop.example"}
        assert failed({"dns": asked}) == "connect"
    assert failed({"tcp": {"address": "nobody.invalid:25"}}) == "resolve"
    assert failed({"icmp": {"address": "nobody.invalid"}}) == "resolve"
    assert failed({"fastcgi": {"address": "unix:/nowhere/fpm.sock"}}) == "connect"


def may_ping() -> bool:
    try:
        icmp._socket(socket.AF_INET).close()
    except PermissionError:
        return False
    return True


@pytest.mark.skipif(not may_ping(), reason="neither net.ipv4.ping_group_range nor CAP_NET_RAW lets us ping")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_ping(address: str) -> None:
    try:
        found = check({"icmp": {"address": address, "ttl": 5}})
    except OSError:
        pytest.skip("this host has no IPv6")
    if not found["probe_success"] and address == "::1":
        pytest.skip("this host has no IPv6")
    assert found["probe_success"] == 1
    assert found["probe_icmp_reply_hop_limit"] > 0
    assert found["probe_icmp_duration_seconds,rtt"] > 0
    assert found["probe_ip_protocol"] == (6 if ":" in address else 4)


def test_a_ping_that_is_not_allowed_says_what_would_allow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(icmp, "_socket", refused)
    (reading,) = trial(COLLECTOR, Probe.model_validate({"icmp": {"address": "127.0.0.1"}}))
    assert reading.outcome == "denied"
    assert "net.ipv4.ping_group_range" in reading.error
    assert "CAP_NET_RAW" in reading.error


@given(st.binary(max_size=80))
def test_a_packet_is_the_reply_or_not(data: bytes) -> None:
    for family in (socket.AF_INET, socket.AF_INET6):
        for raw in (True, False):
            assert not icmp.answers(data, (0, 1, 2), raw, family) or icmp.DATA in data


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_a_packet_with_its_checksum_sums_up_to_nothing(own: int, number: int) -> None:
    assert icmp.checksum(icmp.packet(8, own, number)) == 0


@pytest.mark.servers
def test_the_pool_itself_answers(tmp_path: Path) -> None:
    with PhpFpm(tmp_path, settings="ping.path = /alive\nping.response = still here\n") as php:
        asked = {"address": f"unix:{php.socket}", "ping_path": "/alive", "expect": "still here"}
        found = check({"fastcgi": asked, "height": "fpm"})
        assert (found["probe_success"], found["probe_http_status_code"]) == (1, 200)
        assert found["probe_http_duration_seconds,processing"] > 0
        assert failed({"fastcgi": {**asked, "expect": "pong"}}) == "body"
        assert failed({"fastcgi": {**asked, "ping_path": "/other"}}) == "status"
        pool = Pool("lab", f"unix:{php.socket}", ping_path="/alive")
        (proposal,) = discover(Inventory("h", pools=(pool,)))
        assert isinstance(proposal.config, Probe)
        assert COLLECTOR.target(proposal.config, "h").labels == {
            "job": "blackbox", "instance": f"h:{php.socket}", "host": "h", "module": "fpm_ping", "height": "fpm",
        }  # fmt: skip
    assert failed({"fastcgi": asked}) == "connect"


@pytest.mark.parametrize("text", [b"HTTP/1.1 200 OK\r\n\r\n", b"", b"\x01\x06\x00\x01\xff\xff\x00\x00" + b"x" * 70_000])
def test_no_fastcgi(text: bytes) -> None:
    with answering(text, before=False) as port:
        assert failed({"fastcgi": {"address": f"127.0.0.1:{port}"}}) == "protocol"


@pytest.mark.parametrize(
    ("settings", "instance", "module"),
    [
        ({"tcp": {"address": "mail.example:25"}}, "mail.example:25", "tcp_connect"),
        ({"tcp": {"address": "mail.example:25", "starttls": "smtp"}}, "mail.example:25", "smtp_starttls"),
        ({"tcp": {"address": "mail.example:993", "tls": True}}, "mail.example:993", "tcp_connect_tls"),
        ({"dns": {"server": "::1", "name": "a.example"}}, "dns://::1/a.example?type=A", "dns_udp"),
        ({"icmp": {"address": "192.0.2.1"}}, "192.0.2.1", "icmp"),
        ({"fastcgi": {"address": "127.0.0.1:9000"}}, "127.0.0.1:9000", "fpm_ping"),
        ({"url": "http://a.example/"}, "http://a.example/", "http_2xx"),
        ({"url": "http://a.example/", "method": "POST"}, "http://a.example/", "http_post_2xx"),
        ({"url": "http://a.example/", "module": "front"}, "http://a.example/", "front"),
    ],
)
def test_how_a_check_is_called(settings: dict[str, Any], instance: str, module: str) -> None:
    labels = COLLECTOR.target(Probe.model_validate(settings), "h").labels
    assert (labels["instance"], labels["module"]) == (instance, module)
