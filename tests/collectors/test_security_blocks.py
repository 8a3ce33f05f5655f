"""Text that would block an event's sources: exact, of addresses only, whatever an attacker wrote."""

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collectors.model import Event
from collectors.security.blocks import blocks, is_private, sources


def event(*evidence: dict[str, str], key: str = "") -> Event:
    return Event("i", "security.bruteforce", "info", "web1", "shop", 1.0, 2.0, 9, "t", evidence, key)


def test_the_words_for_each_tool() -> None:
    found = blocks(event({"source": "198.51.100.10"}, {"sources": "203.0.113.0/24, 2001:db8::7"}))
    assert found == {
        "nginx, in http, server or location": "deny 198.51.100.10;\ndeny 203.0.113.0/24;\ndeny 2001:db8::7;",
        "Apache, in the site's <Directory>": "<RequireAll>\n    Require all granted\n"
        "    Require not ip 198.51.100.10\n    Require not ip 203.0.113.0/24\n    Require not ip 2001:db8::7\n"
        "</RequireAll>",
        "nftables": "nft add table inet raingauge\n"
        "nft 'add chain inet raingauge input { type filter hook input priority -10; }'\n"
        "nft 'add rule inet raingauge input ip saddr { 198.51.100.10, 203.0.113.0/24 } drop'\n"
        "nft 'add rule inet raingauge input ip6 saddr { 2001:db8::7 } drop'",
        "CrowdSec": "cscli decisions add --ip 198.51.100.10 --duration 4h --reason raingauge-bruteforce\n"
        "cscli decisions add --range 203.0.113.0/24 --duration 4h --reason raingauge-bruteforce\n"
        "cscli decisions add --ip 2001:db8::7 --duration 4h --reason raingauge-bruteforce",
        "fail2ban": "fail2ban-client set drupal-auth banip 198.51.100.10\n"
        "fail2ban-client set drupal-auth banip 203.0.113.0/24\nfail2ban-client set drupal-auth banip 2001:db8::7",
    }


def test_where_sources_are_found() -> None:
    assert [str(each) for each in sources(event(key="shop 198.51.100.0/24 sqli attempt"))] == ["198.51.100.0/24"]
    inside = event({"source": "198.51.100.10"}, key="shop 198.51.100.0/24 sqli")
    assert [str(each) for each in sources(inside)] == ["198.51.100.0/24"]
    assert "set sshd banip" in blocks(event({"service": "sshd", "source": "198.51.100.1"}))["fail2ban"]
    assert blocks(event({"path": "198.51.100.10", "source": "127.0.0.1"})) == {}
    assert blocks(event({"source": "0.0.0.0/0"})) == {}


def test_an_address_of_ones_own_networks_is_said() -> None:
    assert is_private(event({"source": "10.0.0.7"}))
    assert not is_private(event({"source": "198.51.100.10"}))


@given(st.lists(st.text(), max_size=4), st.text())
def test_nothing_but_addresses_gets_in(texts: list[str], key: str) -> None:
    made = event(*({"source": text} for text in (*texts, "$(reboot)", "1.2.3.4'; reboot;")), key=key)
    found: Any = blocks(made)
    for line in found.get("nginx, in http, server or location", "").splitlines():
        ipaddress.ip_network(line.removeprefix("deny ").removesuffix(";"))
    assert "reboot" not in str(found)
