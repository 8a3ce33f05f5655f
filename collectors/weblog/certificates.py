"""Certificates that the web server shows for its sites: that one was renewed, or is another, is an event.

What is served counts and not what lies in a file: a renewed file is served only once the server has read it anew.
Source: https://www.rfc-editor.org/rfc/rfc5280
"""

import contextlib
import socket
import ssl
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from time import time as clock
from typing import Any

from collectors.errors import Unreachable
from collectors.model import Event, Follower, Sample, State
from collectors.weblog.config import Weblog, WebSite

LOOK_SECONDS, TIMEOUT = 600.0, 2.0
MOST_HOSTS, MOST_OF_A_SITE = 100, 10
MOST_CHARACTERS = 120


def read(config: Weblog, cursor: Any) -> tuple[Any, Any]:
    """Unreachable when no server shows any. What one does not answer now is left out."""
    now = clock()
    if cursor is not None and 0 <= now - cursor["at"] < LOOK_SECONDS:
        return None, cursor
    asked = [(site, host) for site in config.sites if site.tls for host in _plain(site)][:MOST_HOSTS]
    found = [[site.name, host, shown] for site, host in asked if (shown := _shown(site.tls, host))]
    if asked and not found:
        raise Unreachable(f"ask {asked[0][0].tls} for the certificate of {asked[0][1]}: no answer")
    return {"at": now, "found": found}, {"at": now}


def _plain(site: WebSite) -> Sequence[str]:
    return [host for host in site.hosts if "*" not in host][:MOST_OF_A_SITE]


@cache
def _context() -> ssl.SSLContext:
    """Any certificate is looked at; nothing is said to the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _shown(at: str, host: str) -> dict[str, Any] | None:
    address, _, port = at.rpartition(":")
    with (
        contextlib.suppress(OSError, ValueError),
        socket.create_connection((address, int(port)), TIMEOUT) as plain,
        _context().wrap_socket(plain, server_hostname=host) as secured,
    ):
        return _certificate(secured.getpeercert(binary_form=True) or b"")
    return None


def _certificate(der: bytes) -> dict[str, Any]:
    """ValueError where the reader is stricter than OpenSSL."""
    from cryptography import x509  # only for hosts with TLS

    found = x509.load_der_x509_certificate(der)
    return {
        "print": sha256(der).hexdigest()[:16],
        "subject": found.subject.rfc4514_string()[:MOST_CHARACTERS],
        "issuer": found.issuer.rfc4514_string()[:MOST_CHARACTERS],
        "end": found.not_valid_after_utc.timestamp(),
    }


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    """State: host -> its certificate. One event for a certificate, however many hosts of the site have it."""
    after = dict(state)
    changed: dict[tuple[str, str], list[tuple[str, Any, Any]]] = {}
    for site, host, now in payload["found"]:
        before = state.get(host)
        if before and before["print"] != now["print"]:
            changed.setdefault((site, now["print"]), []).append((host, before, now))
        after[host] = now
    return after, [_event(site, hosts, payload["at"]) for (site, _), hosts in changed.items()]


def _event(site: str, hosts: Sequence[tuple[str, Any, Any]], at: float) -> Event:
    host, before, now = hosts[0]
    done = "was renewed" if now["end"] > before["end"] else "is another one, which does not last longer"
    title = f"The certificate of {host} {done}: until {_day(now['end'])}, before until {_day(before['end'])}"
    evidence = {
        "hosts": ", ".join(each for each, _, _ in hosts)[:250], "subject": now["subject"], "issuer": now["issuer"],
        "ends": _day(now["end"]), "ended before": _day(before["end"]),
    }  # fmt: skip
    if before["subject"] != now["subject"]:
        evidence["subject before"] = before["subject"]
    return Event(
        f"certificate:{now['print']}:{before['print']}:{at:.0f}", "certificate", "info", "", site, at, at, 1,
        title[:250], (evidence,), dedup_key=f"certificate:{site}"[:255], source="web",
    )  # fmt: skip


def _day(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d")


def samples(_state: State) -> Iterable[Sample]:
    return ()


FOLLOWER = Follower(
    "certificates", (), read, step, samples, more=lambda _found: False, interval=60.0,
    wanted=lambda config: any(site.tls for site in config.sites), beside=True,
)  # fmt: skip
