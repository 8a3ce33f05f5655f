"""The body of a message as titles with lines, in the order in which a tired reader needs them. Pure."""

from dataclasses import dataclass

from alerts.message import words
from alerts.message.build import Line, Message

NO_CAUSE = "no clear cause"


@dataclass(frozen=True)
class Section:
    title: str
    """ "" for what needs none."""
    lines: tuple[str, ...]
    is_code: bool = False
    """Commands and log lines, for a fixed width."""


def sections(message: Message) -> tuple[Section, ...]:
    context = message.context
    found = [
        Section("", (message.description,)),
        Section("", (facts(message),)),
    ]
    if context:
        found += [
            Section("", (words.sparkline(context.series),), is_code=True),
            Section("Impact", ("" if context.symptom in message.headline else context.symptom, context.impact)),
            Section("Probably because", context.causes or (NO_CAUSE,)),
            Section("Run next", (context.command,), is_code=True),
            Section("Changed before", context.changes),
            Section("Moved most", context.movers),
            Section("Top offenders", context.offenders, is_code=True),
            Section("Seen", context.evidence, is_code=True),
        ]
    if len(message.lines) > 1:
        more = (f"and {message.more} more",) if message.more else ()
        found.append(Section(counts(message), (*(line_text(line) for line in message.lines), *more)))
    found.append(Section("First steps", message.first_steps, is_code=True))
    kept = [Section(each.title, tuple(line for line in each.lines if line), each.is_code) for each in found]
    return tuple(section for section in kept if section.lines)


def facts(message: Message) -> str:
    """`severity warning · host web1 · since 2023-11-14 22:12 UTC`."""
    labels = [f"{name} {value}" for name, value in message.labels.items()]
    return " · ".join([*labels, f"since {words.moment(message.began)}"])


def counts(message: Message) -> str:
    both = [(message.firing, "firing"), (message.resolved, "resolved")]
    return ", ".join(f"{count} {word}" for count, word in both if count)


def line_text(line: Line) -> str:
    own = ", ".join(f"{name} {value}" for name, value in line.labels.items())
    return f"{'resolved: ' if line.status == 'resolved' else ''}{line.text}{f' ({own})' if own else ''}"
