"""A message as HTML for mail: no script, no style sheet, nothing from elsewhere but links. Pure."""

from html import escape

from alerts.message.build import Message
from alerts.message.sections import Section, sections

COLOURS = {"critical": "#b3261e", "error": "#b3261e", "warning": "#8a5300", "info": "#1f5fa8"}
OVER = "#1b6e3a"
BODY = "font-family:sans-serif;font-size:15px;line-height:1.4;color:#1c1c1c;max-width:44em"
CHART = "chart"
"""Content-ID of the picture beside it."""


def html(message: Message, *, with_chart: bool = False) -> str:
    """`with_chart`: a picture with that Content-ID comes along."""
    colour = OVER if message.status == "resolved" else COLOURS.get(message.severity, COLOURS["info"])
    parts = [
        f'<h1 style="font-size:18px;border-left:6px solid {colour};padding-left:10px">{escape(message.headline)}</h1>',
        *(_section(section) for section in sections(message)),
    ]
    if with_chart:
        parts.insert(1, f'<p><img src="cid:{CHART}" alt="Chart of the last hours" style="max-width:100%"/></p>')
    if message.links:
        anchors = " · ".join(f'<a href="{escape(link.url)}">{escape(link.text)}</a>' for link in message.links)
        parts.append(f"<p>{anchors}</p>")
    head = f'<head><meta charset="utf-8"/><title>{escape(message.title)}</title></head>'
    return f'<html lang="en">{head}<body style="{BODY}">\n' + "\n".join(parts) + "\n</body></html>\n"


def _section(section: Section) -> str:
    title = f'<h2 style="font-size:15px">{escape(section.title)}</h2>' if section.title else ""
    if section.is_code:
        lines = "\n".join(escape(line) for line in section.lines)
        return f'{title}<pre style="white-space:pre-wrap;background:#f3f3f3;padding:8px">{lines}</pre>'
    if section.title:
        items = "".join(f"<li>{escape(line)}</li>" for line in section.lines)
        return f"{title}<ul>{items}</ul>"
    return "".join(f"<p>{escape(line)}</p>" for line in section.lines)
