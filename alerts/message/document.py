"""A message as JSON-able data, for receivers that keep details beside an incident. Pure."""

from typing import Any

from alerts.message import words
from alerts.message.build import Line, Message


def document(message: Message) -> dict[str, Any]:
    """Without what is empty, and without pictures."""
    context = message.context
    found: dict[str, Any] = {
        "headline": message.headline,
        "status": message.status,
        "severity": message.severity,
        "since": words.iso(message.began),
        "labels": dict(message.labels),
        "description": message.description,
        "firing": message.firing,
        "resolved": message.resolved,
        "alerts": [_line(line) for line in message.lines],
        "more": message.more,
        "first_steps": list(message.first_steps),
        "links": {link.text: link.url for link in message.links},
    }
    if context:
        found |= {
            "symptom": context.symptom,
            "impact": context.impact,
            "causes": list(context.causes),
            "changes": list(context.changes),
            "movers": list(context.movers),
            "run_next": context.command,
            "incident": "" if context.incident is None else context.incident,
            "offenders": list(context.offenders),
            "evidence": list(context.evidence),
            "chart": words.sparkline(context.series),
        }
    return {name: value for name, value in found.items() if value not in ("", [], {})}


def _line(line: Line) -> dict[str, Any]:
    ended = {"ended": words.iso(line.ended)} if line.ended is not None else {}
    found = {"text": line.text, "status": line.status, "began": words.iso(line.began), "labels": dict(line.labels)}
    return found | ended
