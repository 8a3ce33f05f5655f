"""The command line, from click's own description of it."""

from collections.abc import Iterator

import click

from agent.cli import NOUNS, main
from docs.markdown import code, table


def commands() -> str:
    return "".join(_section(path, command) for path, command in walk())


def walk() -> Iterator[tuple[str, click.Command]]:
    """`raingauge`, then every command with the words that call it."""
    yield "raingauge", main
    with click.Context(main, info_name="raingauge") as context:
        for noun in NOUNS:
            command = main.get_command(context, noun)
            assert command
            yield f"raingauge {noun}", command
            if isinstance(command, click.Group):
                yield from ((f"raingauge {noun} {verb}", inner) for verb, inner in command.commands.items())


def _section(path: str, command: click.Command) -> str:
    with click.Context(command, info_name=path) as context:
        usage = " ".join(command.collect_usage_pieces(context))
        options = [one for one in command.params if isinstance(one, click.Option)]
        rows = [row for one in options if (row := one.get_help_record(context))]
    listed = table(("Option", "What it does"), [(code(name), text) for name, text in rows]) + "\n" if rows else ""
    return f"### {path}\n\n`{path} {usage}`\n\n{_help(command)}\n\n{listed}"


def _help(command: click.Command) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n"))
