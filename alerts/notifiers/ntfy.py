"""ntfy: push messages to telephones, from ntfy.sh or a server of one's own.

Source: https://docs.ntfy.sh/publish/#publish-as-json https://docs.ntfy.sh/publish/#attach-local-file
Limits: 4,096 bytes of message, three actions.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import model_validator

from alerts.message.build import Message, build
from alerts.message.text import short
from alerts.message.words import cut_bytes
from alerts.notices import Notice
from alerts.notifier import ChannelSettings, Notifier, Request, one_of
from collectors.config import HttpUrl, Secret, reveal

PRIORITIES = {"critical": 5, "error": 4, "warning": 4, "info": 2}
USUAL_PRIORITY = 3
MOST_BYTES = 3800
TITLE_BYTES = 200
ACTIONS = 3


class Ntfy(ChannelSettings):
    topic: Secret | None = None
    """The topic. Kept secret: on a public server whoever knows it reads along."""
    topic_file: Path | None = None
    """File with the topic, instead of `topic`; read at each message."""
    url: HttpUrl = "https://ntfy.sh"
    """The server."""
    token: Secret | None = None
    """Access token, sent as `Authorization: Bearer`."""
    token_file: Path | None = None
    """File with the token, instead of `token`; read at each message."""

    @model_validator(mode="after")
    def _a_topic(self) -> Self:
        one_of(self.topic, self.topic_file, "topic")
        return self


def render(notice: Notice, settings: Ntfy) -> Request:
    """OSError when a file of a secret cannot be read."""
    topic = reveal(settings.topic, settings.topic_file)
    token = reveal(settings.token, settings.token_file)
    message = build(notice)
    found = body(message)
    plain = Request(settings.url, {"topic": topic, **found}, token)
    chart = message.context.chart_png if message.context else b""
    if not chart:
        return plain
    url = f"{settings.url.rstrip('/')}/{quote(topic or '', safe='')}"
    return Request(url, None, token, _headers(found), picture=chart, plain=plain)


def body(message: Message) -> dict[str, Any]:
    over = message.status == "resolved"
    found: dict[str, Any] = {
        "title": cut_bytes(message.title, TITLE_BYTES),
        "message": short(message, MOST_BYTES),
        "priority": USUAL_PRIORITY if over else PRIORITIES.get(message.severity, USUAL_PRIORITY),
        "tags": ["white_check_mark" if over else "warning"],
    }
    if message.links:
        found["click"] = message.links[0].url
        shown = message.links[:ACTIONS]
        found["actions"] = [{"action": "view", "label": link.text, "url": link.url} for link in shown]
    return found


def _headers(found: Mapping[str, Any]) -> dict[str, str]:
    """The same message beside a file: https://docs.ntfy.sh/publish/#list-of-all-parameters."""
    texts = {**found, "tags": ",".join(found["tags"]), "filename": "chart.png"}
    if "actions" in found:
        texts["actions"] = json.dumps(found["actions"])
    return {name.capitalize(): _header(str(text)) for name, text in texts.items()}


def _header(text: str) -> str:
    """By RFC 2047 where it is not plain ASCII."""
    plain = text.isascii() and text.isprintable()
    return text if plain else f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="


NOTIFIER = Notifier("ntfy", Ntfy, "Topics of ntfy", render)
