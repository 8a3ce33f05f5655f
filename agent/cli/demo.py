"""`raingauge demo`: Raingauge over a small private web stack with traffic, for hosts that have none."""

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from agent.cli.context import Context
from agent.cli.run import Listens, watch

CHECKOUT = Path(__file__).parents[2]
REQUESTS_PER_SECOND = 8
LONGEST_SECONDS = 8 * 3600


@click.command()
@click.option("--exporter-listen", metavar="HOST:PORT", default="127.0.0.1:0", help="As in `raingauge run`.")
@click.option("--dashboard-listen", metavar="HOST:PORT", default="127.0.0.1:0", help="As in `raingauge run`.")
@click.option("--json", "as_json", is_flag=True, help="As in `raingauge run`.")
@click.pass_obj
def command(context: Context, exporter_listen: str, dashboard_listen: str, as_json: bool) -> None:
    """Start nginx, PHP-FPM, MariaDB and Redis on free ports, send them traffic, and watch them.

    Everything is in one temporary folder and ends with the demo.
    """
    if (CHECKOUT / "tests" / "lab").is_dir():
        sys.path.append(str(CHECKOUT))  # the lab is never installed
    try:
        lab: Any = import_module("tests.lab.lab")
    except ModuleNotFoundError as error:
        raise click.ClickException("the demo is part of the source checkout: run `make demo` there") from error
    try:
        with (
            lab.Lab() as stack,
            stack.traffic(per_second=REQUESTS_PER_SECOND, seconds=LONGEST_SECONDS),
            tempfile.TemporaryDirectory(prefix="raingauge-demo-") as state,
        ):
            if not as_json:
                click.echo(
                    f"The demo's site is at {stack.url}/index.php?sleep=0.5 (or status=503, memory=64, queries=50)."
                )
            watch(context, Listens(exporter_listen, dashboard_listen), Path(state), as_json)
    except FileNotFoundError as error:
        raise click.ClickException(f"the demo needs servers: {error}") from error
