"""`raingauge capture`: what a target's parts answered, as files that tests read."""

import json
from pathlib import Path

import click

from agent.cli.chosen import CollectorName, chosen
from agent.cli.context import Context
from agent.reading import Reading, trial


@click.command()
@click.argument("collector", type=CollectorName())
@click.argument("instance", required=False)
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="Folder to write to, such as tests/data/nginx/nginx-1.24; made if it is not there.",
)  # fmt: skip
@click.pass_obj
def command(context: Context, collector: str, instance: str | None, folder: Path) -> None:
    """Write what one read of a target gives, before it is parsed. Read it before you share it."""
    watches = chosen(context, collector, instance)
    if len(watches) > 1:
        host = context.configuration().host
        names = ", ".join(watch.collector.target(watch.config, host).instance for watch in watches)
        raise click.UsageError(f"there are several {collector} targets; name one of: {names}")
    readings = trial(watches[0].collector, watches[0].config)
    answered = [reading for reading in readings if reading.payload is not None]
    if not answered:
        raise click.ClickException(f"nothing to write: {readings[0].outcome}: {readings[0].error}")
    folder.mkdir(parents=True, exist_ok=True)
    for reading in answered:
        click.echo(_write(folder, reading))


def _write(folder: Path, reading: Reading) -> str:
    """The path that was written."""
    text = reading.payload if isinstance(reading.payload, str) else json.dumps(reading.payload, indent=1) + "\n"
    suffix = "txt" if isinstance(reading.payload, str) else "json"
    path = folder / f"payload.{reading.part.name}.{suffix}"
    path.write_text(text)
    return str(path)
