"""Addresses as pseudonyms: the same address is the same pseudonym, and neighbours stay neighbours.

Each bit is turned over or not by a keyed hash of the bits before it, as Crypto-PAn does: two addresses share as many
leading bits as before, so that networks can still be compared. Without the key nobody finds the address.

Source: https://en.wikipedia.org/wiki/Crypto-PAn
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from collectors.model import Event

ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9A-Fa-f]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{3,39}(?:\.\d{1,3}){0,3})(?![\w:])"
)
PERSONAL = ("source", "sources", "account", "address", "network", "user", "key", "as")
"""Fields of evidence that tell a person."""
FORGOTTEN = "(forgotten)"


def pseudonymised(event: Event, key: bytes) -> Event:
    """With a pseudonym for each address in it."""

    def said(text: str) -> str:
        return ADDRESS.sub(lambda found: pseudonym(found[0], key), text)

    evidence = tuple({name: said(value) for name, value in record.items()} for record in event.evidence)
    return replace(event, title=said(event.title), evidence=evidence, dedup_key=said(event.dedup_key))


def forgotten(event: Event) -> Event:
    """Without addresses and accounts; what happened, when and how often stays."""

    def said(text: str) -> str:
        return ADDRESS.sub(lambda found: FORGOTTEN if _address(found[0]) else found[0], text)

    def less(record: Mapping[str, str]) -> dict[str, str]:
        return {name: FORGOTTEN if name in PERSONAL else said(text) for name, text in record.items()}

    evidence = tuple(map(less, event.evidence))
    return replace(event, title=said(event.title), evidence=evidence, dedup_key=said(event.dedup_key))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=10_000)
def pseudonym(text: str, key: bytes) -> str:
    """Text that is no address stays as it is; so do loopback and the unspecified address."""
    address = _address(text)
    if address is None or address.is_loopback or address.is_unspecified:
        return text
    bits = f"{int(address):0{address.max_prefixlen}b}"
    turned = (int(bit) ^ _turn(bits[:at], key) for at, bit in enumerate(bits))
    made = int("".join(map(str, turned)), 2)
    return str(ipaddress.IPv4Address(made) if address.version == 4 else ipaddress.IPv6Address(made))


@lru_cache(maxsize=50_000)
def _turn(before: str, key: bytes) -> int:
    return blake2b(before.encode(), key=key[:64], digest_size=1).digest()[0] & 1
