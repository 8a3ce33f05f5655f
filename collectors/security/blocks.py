"""The exact words that would shut out an event's sources: printed for people, and never carried out.

Source: https://nginx.org/en/docs/http/ngx_http_access_module.html https://httpd.apache.org/docs/2.4/howto/access.html
https://wiki.nftables.org/ https://docs.crowdsec.net/docs/cscli/ https://github.com/fail2ban/fail2ban/wiki
"""

import ipaddress
from collections.abc import Iterable, Mapping

from collectors.model import Event

MOST_SOURCES = 50
NAMED = ("source", "sources", "network", "address")
"""Fields of evidence that say where something came from."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def sources(event: Event) -> list[Network]:
    """Addresses and networks only, whatever else an attacker made stand there; none of this host."""
    texts = [record[name] for record in event.evidence for name in NAMED if name in record]
    words = (word for text in (*texts, event.dedup_key) for word in text.replace(",", " ").split())
    found = dict.fromkeys(network for word in words if (network := _network(word)) is not None)
    outer = [each for each in found if not any(each != one and _within(each, one) for one in found)]
    return sorted(outer, key=lambda each: (each.version, each))[:MOST_SOURCES]


def _network(word: str) -> Network | None:
    try:
        network = ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None
    if network.is_loopback or network.is_unspecified or network.is_multicast or network.prefixlen < 8:
        return None
    return network


def _within(one: Network, other: Network) -> bool:
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and one.subnet_of(other)


def blocks(event: Event) -> Mapping[str, str]:
    """Tool -> what to put into its configuration, or to run. Empty without a source."""
    found = sources(event)
    if not found:
        return {}
    names = [_name(each) for each in found]
    jail = "sshd" if any("ssh" in record.get("service", "") for record in event.evidence) else "drupal-auth"
    return {
        "nginx, in http, server or location": "\n".join(f"deny {name};" for name in names),
        "Apache, in the site's <Directory>": "\n".join(
            ["<RequireAll>", "    Require all granted", *(f"    Require not ip {name}" for name in names),
             "</RequireAll>"]
        ),
        "nftables": "\n".join(_nftables(found)),
        "CrowdSec": "\n".join(
            f"cscli decisions add --{'ip' if _is_one(each) else 'range'} {_name(each)} --duration 4h"
            f" --reason raingauge-{event.kind.rpartition('.')[2]}"
            for each in found
        ),
        "fail2ban": "\n".join(f"fail2ban-client set {jail} banip {name}" for name in names),
    }  # fmt: skip


def is_private(event: Event) -> bool:
    """One of them is an address of one's own networks: a proxy, more likely than an attacker."""
    return any(each.is_private and not _is_documentation(each) for each in sources(event))


def _is_documentation(each: Network) -> bool:
    return any(_within(each, ipaddress.ip_network(known))
               for known in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))  # fmt: skip


def _nftables(found: Iterable[Network]) -> Iterable[str]:
    yield "nft add table inet raingauge"
    yield "nft 'add chain inet raingauge input { type filter hook input priority -10; }'"
    found = list(found)
    for version, word in ((4, "ip"), (6, "ip6")):
        if names := [_name(each) for each in found if each.version == version]:
            yield f"nft 'add rule inet raingauge input {word} saddr {{ {', '.join(names)} }} drop'"


def _is_one(each: Network) -> bool:
    return each.prefixlen == each.max_prefixlen


def _name(each: Network) -> str:
    return str(each.network_address) if _is_one(each) else str(each)
