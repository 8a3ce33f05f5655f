"""`raingauge version`."""

import json
import platform
from importlib.metadata import version

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def command(as_json: bool) -> None:
    """Print the version."""
    if as_json:
        click.echo(json.dumps({"version": version("raingauge"), "python": platform.python_version()}))
    else:
        click.echo(f"raingauge {version('raingauge')}")
