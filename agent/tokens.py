"""Who may ask the exporter: the token in a request's header Authorization, as Bearer or as a password."""

import base64
import ipaddress

from agent.configuration import split_address
from agent.exporter import Authorised
from history.access import Access


def is_loopback(listen: str) -> bool:
    host, _ = split_address(listen)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def scrape_access(access: Access, listen: str) -> Authorised | None:
    """Who may scrape: on loopback everyone, else who shows a token."""
    return None if is_loopback(listen) else lambda header: access.token_scope(_shown(header)) is not None


def write_access(access: Access) -> Authorised:
    """Who may write samples to us, on loopback too: who shows a token of that scope."""
    return lambda header: access.token_scope(_shown(header)) == "write"


def events_access(access: Access) -> Authorised:
    """Who may read events, on loopback too, as they have addresses and accounts: who shows any token."""
    return lambda header: access.token_scope(_shown(header)) is not None


def _shown(header: str | None) -> str:
    kind, _, text = (header or "").partition(" ")
    if kind.lower() != "basic":
        return text.strip() if kind.lower() == "bearer" else ""
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except ValueError:  # no base64, or no UTF-8 in it
        return ""
