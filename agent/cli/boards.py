"""`raingauge boards`: boards of panels that people made, to and from YAML."""

import sys
from pathlib import Path

import click

from agent.cli.context import Context
from dashboard import board_files
from dashboard.boards import Boards


@click.group()
def command() -> None:
    """Boards that people made on the pages. Work on the database, whether the service runs or not."""


@command.command("export")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_obj
def write(context: Context, names: tuple[str, ...]) -> None:
    """Print boards as YAML: those named, or all."""
    found = Boards(context.database()).all()
    known = [board.name for board in found]
    if missing := next((name for name in names if name not in known), None):
        raise click.ClickException(f"no board is named {missing!r}; expected one of {', '.join(known) or 'none'}")
    click.echo(board_files.written(board for board in found if not names or board.name in names), nl=False)


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True, exists=True))
@click.pass_obj
def take(context: Context, file: Path) -> None:
    """Take boards from YAML, each in the place of the one with its name; all of the file, or none."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        boards = board_files.read(text, str(file))
        Boards(context.database()).take(boards)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for board in boards:
        click.echo(f"{board.name}: {len(board.panels)} {'panel' if len(board.panels) == 1 else 'panels'}")
