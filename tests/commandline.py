"""Command lines in documents and files, read by the product's own parser and by the Makefile's targets."""

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from agent.cli import main

ROOT = Path(__file__).parent.parent
TARGET = re.compile(r"^([a-z]+):(?!=)", re.MULTILINE)


def accepts(words: Sequence[str]) -> None:
    """Raise click.UsageError for a `raingauge` command line that the product would refuse. Runs nothing."""
    _parse(main, words[1:], None)


def _parse(command: click.Command, words: Sequence[str], above: click.Context | None) -> None:
    context = command.make_context(command.name or "raingauge", list(words), parent=above)
    if isinstance(command, click.Group):
        _, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert inner
        _parse(inner, rest, context)


def targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text()))


def commands(lines: Iterable[str]) -> Iterable[list[str]]:
    """The words of each line that calls raingauge or make, as who and from where ever."""
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:1] == ["sudo"]:
            words = words[3:] if words[1] == "-u" else words[1:]
        if words and (name := Path(words[0]).name) in ("raingauge", "make"):
            yield [name, *words[1:]]
