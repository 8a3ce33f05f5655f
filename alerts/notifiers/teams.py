"""Microsoft Teams: a webhook of Workflows with an adaptive card.

Source: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook and
https://adaptivecards.io/explorer/. Limit: 28 KB a message. Text stands in text runs, which know no Markdown.
"""

from collections.abc import Iterator
from typing import Any

from alerts.message.build import Message, build
from alerts.message.sections import sections
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import IncomingWebhook, Notifier, Request

COLOURS = {"critical": "Attention", "error": "Attention", "warning": "Warning"}
LINE = 600
ALL_LINES = 3600
"""Characters: below Teams' limit even where a character becomes six in JSON."""
OVERHEAD = 25
"""What the block around a line is worth, in such characters."""
HEADLINE = 400
LINKS = 6


def render(notice: Notice, settings: IncomingWebhook) -> Request:
    """OSError when `url_file` cannot be read."""
    return Request(settings.address(), body(build(notice)))


def body(message: Message) -> dict[str, Any]:
    colour = "Good" if message.status == "resolved" else COLOURS.get(message.severity, "Default")
    head = {"text": cut(message.headline, HEADLINE), "weight": "Bolder", "size": "Medium", "color": colour}
    card_body = [_block(head, "Default"), *_lines(message)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": card_body,
        "actions": _actions(message),
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _lines(message: Message) -> Iterator[dict[str, Any]]:
    """A block for each: not every client breaks a line within one."""
    room = ALL_LINES
    for section in sections(message):
        if section.title:
            yield _block({"text": section.title, "weight": "Bolder"}, "Medium")
        for number, line in enumerate(section.lines):
            text = cut(line, min(LINE, room))
            room -= len(text) + OVERHEAD
            if room < 0:
                return
            font = {"fontType": "Monospace"} if section.is_code else {}
            yield _block({"text": text, **font}, "None" if number or section.title else "Medium")


def _actions(message: Message) -> list[dict[str, Any]]:
    shown = message.links[:LINKS]
    return [{"type": "Action.OpenUrl", "title": cut(link.text, 60), "url": link.url} for link in shown]


def _block(run: dict[str, Any], spacing: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [{"type": "TextRun", **run}]}


NOTIFIER = Notifier("teams", IncomingWebhook, "Workflows of Microsoft Teams that take an adaptive card", render)
