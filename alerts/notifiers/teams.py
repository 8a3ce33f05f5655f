"""Microsoft Teams: a webhook of Workflows with an adaptive card.

Source: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook and
https://adaptivecards.io/explorer/. Limit: 28 KB a message. Text stands in text runs, which know no Markdown.
"""

from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from alerts.message.build import Message, build
from alerts.message.sections import Section, sections
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import ChannelSettings, Notifier, Request, SecretUrl, one_of
from collectors.config import reveal

COLOURS = {"critical": "Attention", "error": "Attention", "warning": "Warning"}
SECTION = 1500
"""Characters: all sections together stay below Teams' limit, even where a character becomes six in JSON."""
ALL_SECTIONS = 3600
HEADLINE = 400
LINKS = 6


class Teams(ChannelSettings):
    url: SecretUrl | None = None
    """The workflow's address, which is its key."""
    url_file: Path | None = None
    """File with the address, instead of `url`; read at each message."""

    @model_validator(mode="after")
    def _an_address(self) -> Self:
        one_of(self.url, self.url_file, "url")
        return self


def render(notice: Notice, settings: Teams) -> Request:
    """OSError when `url_file` cannot be read."""
    return Request(reveal(settings.url, settings.url_file) or "", body(build(notice)))


def body(message: Message) -> dict[str, Any]:
    colour = "Good" if message.status == "resolved" else COLOURS.get(message.severity, "Default")
    head = {"text": cut(message.headline, HEADLINE), "weight": "Bolder", "size": "Medium", "color": colour}
    blocks = [_block([_run(head)])]
    room = ALL_SECTIONS
    for section in sections(message):
        text = cut("\n".join(section.lines), min(SECTION, room))
        room -= len(text)
        if room < 0 or not text:
            break
        blocks.append(_section(section, text))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": blocks,
        "actions": _actions(message),
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _section(section: Section, text: str) -> dict[str, Any]:
    title = [_run({"text": f"{section.title}\n", "weight": "Bolder"})] if section.title else []
    font = {"fontType": "Monospace"} if section.is_code else {}
    return _block([*title, _run({"text": text, **font})])


def _actions(message: Message) -> list[dict[str, Any]]:
    shown = message.links[:LINKS]
    return [{"type": "Action.OpenUrl", "title": cut(link.text, 60), "url": link.url} for link in shown]


def _block(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs}


def _run(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "TextRun", **fields}


NOTIFIER = Notifier("teams", Teams, "Workflows of Microsoft Teams that take an adaptive card", render)
