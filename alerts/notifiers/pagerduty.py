"""PagerDuty: Events API v2, one incident for each group of alerts, which it resolves again.

Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
Limits: 1,024 characters of summary, 255 of the key, 512 KB.
"""

from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from alerts.message.build import Message, build
from alerts.message.document import document
from alerts.message.words import cut, iso
from alerts.notices import Notice
from alerts.notifier import ChannelSettings, Notifier, Request, one_of
from collectors.config import HttpUrl, Secret, reveal

SEVERITIES = {"critical": "critical", "error": "error", "warning": "warning", "info": "info"}


class PagerDuty(ChannelSettings):
    routing_key: Secret | None = None
    """The integration's key."""
    routing_key_file: Path | None = None
    """File with the key, instead of `routing_key`; read at each message."""
    url: HttpUrl = "https://events.pagerduty.com/v2/enqueue"
    """Where events go; for the European region `https://events.eu.pagerduty.com/v2/enqueue`."""

    @model_validator(mode="after")
    def _a_key(self) -> Self:
        one_of(self.routing_key, self.routing_key_file, "routing_key")
        return self


def render(notice: Notice, settings: PagerDuty) -> Request:
    """OSError when `routing_key_file` cannot be read."""
    key = reveal(settings.routing_key, settings.routing_key_file)
    return Request(settings.url, {"routing_key": key, **body(build(notice), notice.external_url)})


def body(message: Message, external_url: str = "") -> dict[str, Any]:
    if message.status == "resolved":
        return {"event_action": "resolve", "dedup_key": f"raingauge-{message.key}"}
    payload = {
        "summary": cut(message.headline, 1024),
        "source": message.where or "raingauge",
        "severity": SEVERITIES.get(message.severity, "warning"),
        "timestamp": iso(message.began),
        "component": message.labels.get("job", ""),
        "group": message.labels.get("site", ""),
        "class": message.title,
        "custom_details": document(message),
    }
    event: dict[str, Any] = {
        "event_action": "trigger",
        "dedup_key": f"raingauge-{message.key}",
        "client": "Raingauge",
        "payload": {name: value for name, value in payload.items() if value},
        "links": [{"href": link.url, "text": link.text} for link in message.links],
    }
    return event | ({"client_url": external_url} if external_url else {})


NOTIFIER = Notifier("pagerduty", PagerDuty, "Services of PagerDuty", render)
