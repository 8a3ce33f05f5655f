"""A message as plain text: whole, or short for push services. Pure."""

from alerts.message import words
from alerts.message.build import Message
from alerts.message.sections import counts, sections


def text(message: Message) -> str:
    """Line 1 says it all; the rest is for who opens it."""
    parts = [message.headline]
    for section in sections(message):
        lines = [f"  {line}" for line in section.lines] if section.title else section.lines
        parts.append("\n".join([f"{section.title}:", *lines] if section.title else lines))
    if message.links:
        parts.append("\n".join(f"{link.text}: {link.url}" for link in message.links))
    return "\n\n".join(parts) + "\n"


def short(message: Message, most_bytes: int = 1000) -> str:
    """The symptom, what it means and the likeliest cause, for a locked screen."""
    lines = [message.headline]
    if message.firing + message.resolved > 1:
        lines.append(counts(message))
    lines.append(message.description)
    context = message.context
    if context:
        lines += [words.sparkline(context.series), context.symptom, context.impact]
        lines += [f"Probably because: {cause}" for cause in context.causes[:1]]
    return words.cut_bytes("\n".join(line for line in lines if line), most_bytes)
