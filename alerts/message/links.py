"""Addresses in a message: our pages, the runbook, and links that are good for one thing and a time. Pure."""

import base64
import binascii
import hashlib
import hmac
from urllib.parse import quote_plus, urlencode, urlsplit

from alerts.message import words
from alerts.message.context import Link
from alerts.message.redact import redact_secrets
from alerts.model import Alert, Labels
from alerts.notices import Notice

LEAD_SECONDS = 3600.0
"""What a link shows before the alert began."""


def generator_url(alert: Alert, external_url: str) -> str:
    return f"{external_url}/alerts?name={quote_plus(alert.name)}" if external_url else ""


def links(notice: Notice, first: Alert, began: float, now: float) -> tuple[Link, ...]:
    """With the span as two moments, so that they show the same next week."""
    if not notice.external_url:
        return ()
    ended = first.resolved_at if notice.status == "resolved" and first.resolved_at else now
    span = {"from": words.iso(began - LEAD_SECONDS), "to": words.iso(max(ended, began + 60))}
    alert = f"{notice.external_url}/alerts?{urlencode({'name': first.name, **span})}"
    return Link("Alert", alert), Link("Charts", f"{notice.external_url}/host?{urlencode(span)}")


def runbook(annotations: Labels) -> tuple[Link, ...]:
    url = redact_secrets((annotations.get("runbook_url") or annotations.get("runbook", "")).strip())
    return (Link("Runbook", url),) if is_web(url) else ()


def is_web(url: str) -> bool:
    try:
        at = urlsplit(url)
    except ValueError:
        return False
    return at.scheme in ("http", "https") and bool(at.hostname) and url.isprintable() and " " not in url


def signed(path: str, expires: float, key: str) -> str:
    """A token for whoever holds it: what it is good for, until when (Unix seconds), and that we said so."""
    said = f"{expires:.0f} {path}".encode()
    return f"{_written(said)}.{_written(_signature(said, key))}"


def verify(token: str, key: str, now: float) -> str | None:
    """The path of a token that is ours and not too old; None for any other."""
    first, _, second = token.partition(".")
    try:
        said, signature = _read(first), _read(second)
        expires, _, path = said.decode().partition(" ")
        good = hmac.compare_digest(signature, _signature(said, key)) and now < float(expires)
    except (ValueError, binascii.Error):
        return None
    return path if good else None


def _signature(said: bytes, key: str) -> bytes:
    return hmac.digest(key.encode(), b"link " + said, hashlib.sha256)


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
