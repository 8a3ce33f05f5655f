"""Addresses in a message: our pages, and the runbook. Pure."""

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
