"""What the receivers' public documentation says of a body, as checks; each notifier module links to it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

PAGERDUTY_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}


def slack(body: Any, _path: str = "") -> None:
    assert body["text"]
    assert 1 <= len(body["blocks"]) <= 50
    for block in body["blocks"]:
        assert (block["type"], block["text"]["type"]) in (("header", "plain_text"), ("section", "mrkdwn"))
        assert 1 <= len(block["text"]["text"]) <= (150 if block["type"] == "header" else 3000)
    for marked in (body["text"], *(block["text"]["text"] for block in body["blocks"] if block["type"] == "section")):
        assert re.findall(r"&(?!amp;|lt;|gt;)", marked) == []
        assert all(re.fullmatch(r"<https?://[^<>|]+\|[^<>|]+>", found) for found in re.findall(r"<[^>]*>?", marked))


def mattermost(body: Any, _path: str = "") -> None:
    assert body.keys() == {"text"}
    assert 1 <= len(body["text"]) <= 16383
    assert re.findall("@(?!\u200b)", body["text"]) == []


def teams(body: Any, _path: str = "") -> None:
    assert len(json.dumps(body)) <= 28_000
    (attachment,) = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    for block in card["body"]:
        assert block["type"] == "RichTextBlock"
        assert all(run["type"] == "TextRun" and run["text"] for run in block["inlines"])
    for action in card["actions"]:
        assert action["type"] == "Action.OpenUrl"
        assert action["url"].startswith("https://")


def pagerduty(body: Any, _path: str = "") -> None:
    assert body["routing_key"]
    assert body["event_action"] in ("trigger", "resolve")
    assert 1 <= len(body["dedup_key"]) <= 255
    if body["event_action"] == "trigger":
        assert {"summary", "source", "severity"} <= body["payload"].keys() <= PAGERDUTY_PAYLOAD
        assert 1 <= len(body["payload"]["summary"]) <= 1024
        assert body["payload"]["severity"] in ("critical", "error", "warning", "info")
        assert all(link.keys() == {"href", "text"} for link in body["links"])
        assert len(json.dumps(body)) <= 512_000


def opsgenie(body: Any, path: str) -> None:
    if path.endswith("/v2/alerts"):
        assert 1 <= len(body["message"]) <= 130
        assert 1 <= len(body["alias"]) <= 512
        assert len(body["description"]) <= 15_000
        assert len(body["entity"]) <= 512
        assert body["priority"] in ("P1", "P2", "P3", "P4", "P5")
        assert all(isinstance(value, str) for value in body["details"].values())
        assert sum(len(name) + len(value) for name, value in body["details"].items()) <= 8000
    else:
        assert re.search(r"/v2/alerts/raingauge-[0-9a-f]{40}/close\?identifierType=alias$", path)
        assert body.keys() <= {"source", "note", "user"}


def ntfy(body: Any, _path: str = "") -> None:
    assert body["topic"]
    assert len(body["message"].encode()) <= 4096
    assert 1 <= body["priority"] <= 5
    assert len(body.get("actions", [])) <= 3


def alertmanager(body: Any, path: str) -> None:
    assert path.endswith("/api/v2/alerts")
    assert isinstance(body, list)
    for alert in body:
        assert alert.keys() <= {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
        assert all(isinstance(value, str) for value in alert["labels"].values())
        assert alert["startsAt"] < alert["endsAt"]


def webhook(body: Any, _path: str = "") -> None:
    assert body["version"] == "4"
    assert body["truncatedAlerts"] == 0
    assert {
        "receiver",
        "status",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "groupKey",
    } <= body.keys()


CHECKS: dict[str, Callable[[Any, str], None]] = {
    each.__name__: each for each in (slack, mattermost, teams, pagerduty, opsgenie, ntfy, alertmanager, webhook)
}


def texts(body: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict):
        yield from (text for value in body.values() for text in texts(value))
    elif isinstance(body, list):
        yield from (text for value in body for text in texts(value))
