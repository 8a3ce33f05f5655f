"""Opsgenie, and Jira Service Management's alerts: an alert for each group, closed by its alias.

Source: https://docs.opsgenie.com/docs/alert-api
Limits: 130 characters of message, 15,000 of description, 512 of alias and entity, 100 of source.
"""

from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import model_validator

from alerts.message.build import Message, build
from alerts.message.text import text
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import ChannelSettings, Notifier, Request, one_of
from collectors.config import HttpUrl, Secret, reveal

PRIORITIES = {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}
USUAL_PRIORITY = "P3"


class Opsgenie(ChannelSettings):
    api_key: Secret | None = None
    """The integration's key."""
    api_key_file: Path | None = None
    """File with the key, instead of `api_key`; read at each message."""
    url: HttpUrl = "https://api.opsgenie.com"
    """Its address; for the European region `https://api.eu.opsgenie.com`."""

    @model_validator(mode="after")
    def _a_key(self) -> Self:
        one_of(self.api_key, self.api_key_file, "api_key")
        return self


def render(notice: Notice, settings: Opsgenie) -> Request:
    """OSError when `api_key_file` cannot be read."""
    message = build(notice)
    key = reveal(settings.api_key, settings.api_key_file)
    url = f"{settings.url.rstrip('/')}/v2/alerts"
    if message.status == "resolved":
        url = f"{url}/{quote(_alias(message))}/close?identifierType=alias"
    return Request(url, body(message), headers={"Authorization": f"GenieKey {key}"})


def body(message: Message) -> dict[str, Any]:
    if message.status == "resolved":
        return {"source": "Raingauge", "note": cut(message.headline, 5000)}
    return {
        "message": cut(message.headline, 130),
        "alias": _alias(message),
        "description": cut(text(message), 15000),
        "details": dict(message.labels),
        "entity": message.where,
        "source": "Raingauge",
        "tags": [message.severity],
        "priority": PRIORITIES.get(message.severity, USUAL_PRIORITY),
    }


def _alias(message: Message) -> str:
    return f"raingauge-{message.key}"


NOTIFIER = Notifier("opsgenie", Opsgenie, "Teams of Opsgenie", render)
