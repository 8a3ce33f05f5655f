"""Mattermost: an incoming webhook with text in Markdown.

Source: https://developers.mattermost.com/integrate/webhooks/incoming/
Limit: 16,383 characters. `@` is followed by a blank of no width, so that no label can call a channel.
"""

import re
from typing import Any

from alerts.message.build import Message, build
from alerts.message.sections import Section, sections
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import IncomingWebhook, Notifier, Request

LONGEST = 16000
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+|~<>!-])")


def render(notice: Notice, settings: IncomingWebhook) -> Request:
    """OSError when `url_file` cannot be read."""
    return Request(settings.address(), body(build(notice)))


def body(message: Message) -> dict[str, Any]:
    parts = [f"#### {_escaped(message.headline)}", *(_section(section) for section in sections(message))]
    if message.links:
        parts.append(" · ".join(f"[{_escaped(link.text)}]({_address(link.url)})" for link in message.links))
    return {"text": cut("\n\n".join(parts), LONGEST)}


def _section(section: Section) -> str:
    if section.is_code:
        lines = "\n".join(_quiet(line).replace("```", "'''") for line in section.lines)
        text = f"```\n{lines}\n```"
    else:
        bullet = "- " if section.title else ""
        text = "\n".join(f"{bullet}{_escaped(line)}" for line in section.lines)
    return f"**{section.title}**\n\n{text}" if section.title else text


def _escaped(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", _quiet(text))


def _quiet(text: str) -> str:
    return text.replace("@", "@\u200b")


def _address(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")


NOTIFIER = Notifier("mattermost", IncomingWebhook, "Incoming webhooks of Mattermost", render)
