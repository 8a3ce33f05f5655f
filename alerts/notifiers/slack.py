"""Slack: an incoming webhook with blocks.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and /reference/block-kit/blocks
Limits: 50 blocks, 3,000 characters a section, 150 a header. `&`, `<` and `>` are what could mention or link.
"""

import re
from typing import Any

from alerts.message.build import Message, build
from alerts.message.context import Link
from alerts.message.sections import Section, sections
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import IncomingWebhook, Notifier, Request

SECTION = 2900
HEADER = 150
LINK = 350
LINKS = 6
QUOTES = "'''"
HALF = re.compile(r"&[a-z]{0,3}$")


def render(notice: Notice, settings: IncomingWebhook) -> Request:
    """OSError when `url_file` cannot be read."""
    return Request(settings.address(), body(build(notice)))


def body(message: Message) -> dict[str, Any]:
    blocks = [_block("header", {"type": "plain_text", "text": cut(message.headline, HEADER), "emoji": False})]
    if len(message.headline) > HEADER:
        blocks.append(_text(_escaped(message.headline)))
    blocks += [_text(_section(section)) for section in sections(message)]
    shown = [link for link in message.links if len(link.url) <= LINK][:LINKS]
    if shown:
        blocks.append(_text(" · ".join(_link(link) for link in shown)))
    return {"text": _escaped(message.headline), "blocks": blocks}


def _section(section: Section) -> str:
    lines = _escaped("\n".join(section.lines))
    title = f"*{section.title}*\n" if section.title else ""
    return title + (f"```{lines.replace('```', QUOTES)}```" if section.is_code else lines)


def _link(link: Link) -> str:
    return f"<{_escaped(link.url).replace('|', '%7C')}|{_escaped(cut(link.text, 40))}>"


def _text(text: str) -> dict[str, Any]:
    return _block("section", {"type": "mrkdwn", "text": text})


def _block(kind: str, text: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "text": text}


def _escaped(text: str) -> str:
    """At most SECTION characters, and no half escape at the end."""
    whole = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return whole if len(whole) <= SECTION else HALF.sub("", whole[:SECTION]) + "…"


NOTIFIER = Notifier("slack", IncomingWebhook, "Incoming webhooks of Slack", render)
