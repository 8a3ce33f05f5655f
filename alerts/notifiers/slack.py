"""Slack: an incoming webhook with blocks.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and /reference/block-kit/blocks
Limits: 50 blocks, 3,000 characters a section, 150 a header. `&`, `<` and `>` are what could mention or link.
"""

from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from alerts.message.build import Message, build
from alerts.message.context import Link
from alerts.message.sections import Section, sections
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import ChannelSettings, Notifier, Request, SecretUrl, one_of
from collectors.config import reveal

SECTION = 2900
HEADER = 150
BLOCKS = 45


class Slack(ChannelSettings):
    url: SecretUrl | None = None
    """The webhook's address, which is its key."""
    url_file: Path | None = None
    """File with the address, instead of `url`; read at each message."""

    @model_validator(mode="after")
    def _an_address(self) -> Self:
        one_of(self.url, self.url_file, "url")
        return self


def render(notice: Notice, settings: Slack) -> Request:
    """OSError when `url_file` cannot be read."""
    return Request(reveal(settings.url, settings.url_file) or "", body(build(notice)))


def body(message: Message) -> dict[str, Any]:
    blocks = [_block("header", {"type": "plain_text", "text": cut(message.headline, HEADER), "emoji": False})]
    if len(message.headline) > HEADER:
        blocks.append(_text(_escaped(message.headline)))
    blocks += [_text(_section(section)) for section in sections(message)]
    if message.links:
        blocks.append(_text(" · ".join(_link(link) for link in message.links)))
    return {"text": _escaped(message.headline), "blocks": blocks[:BLOCKS]}


def _section(section: Section) -> str:
    lines = _escaped(cut("\n".join(section.lines), SECTION // 2))  # escapes make it longer
    title = f"*{section.title}*\n" if section.title else ""
    return title + (f"```{lines.replace('```', chr(39) * 3)}```" if section.is_code else lines)


def _link(link: Link) -> str:
    return f"<{_escaped(link.url).replace('|', '%7C')}|{_escaped(link.text)}>"


def _text(text: str) -> dict[str, Any]:
    return _block("section", {"type": "mrkdwn", "text": text[:SECTION]})


def _block(kind: str, text: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "text": text}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


NOTIFIER = Notifier("slack", Slack, "Incoming webhooks of Slack", render)
