"""`raingauge agent`: collect and export, and nothing else."""

import json

import click

from agent.cli.context import Context
from agent.cli.started import listening, logs_to_stderr, overridden
from agent.running import Agent, BusyError, alone, signals_held, until_stopped


@click.command()
@click.option("--exporter-listen", metavar="HOST:PORT", help="Where Prometheus scrapes; port 0 takes a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once it answers.")
@click.pass_obj
def command(context: Context, exporter_listen: str | None, as_json: bool) -> None:
    """Collect and export for a Prometheus elsewhere: no history, no rules, no pages."""
    logs_to_stderr()
    configuration = overridden(context.configuration(), exporter=exporter_listen)
    try:
        with signals_held(), listening(configuration):
            alone(context.state_dir)
            process = Agent(configuration, context.state_dir)
    except BusyError as error:
        raise click.ClickException(str(error)) from error

    def started() -> None:
        url = process.collecting.exporter.url
        click.echo(json.dumps({"exporter": url}) if as_json else f"Raingauge exports {configuration.host} at {url}")

    until_stopped(process, lambda: overridden(context.read(), exporter=exporter_listen), started)
