"""`raingauge run`: everything in one process on this host."""

import json
from dataclasses import dataclass
from pathlib import Path

import click

from agent.cli.context import Context, Misconfigured
from agent.cli.started import listening, logs_to_stderr, overridden
from agent.configuration import Configuration, ConfigurationError
from agent.running import BusyError, alone, signals_held, until_stopped


@dataclass(frozen=True)
class Listens:
    exporter: str | None
    dashboard: str | None

    def over(self, configuration: Configuration) -> Configuration:
        return overridden(configuration, exporter=self.exporter, dashboard=self.dashboard)


@click.command()
@click.option("--exporter-listen", metavar="HOST:PORT", help="Where Prometheus scrapes; port 0 takes a free one.")
@click.option("--dashboard-listen", metavar="HOST:PORT", help="Where the pages are; port 0 takes a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once both answer.")
@click.pass_obj
def command(context: Context, exporter_listen: str | None, dashboard_listen: str | None, as_json: bool) -> None:
    """Watch this host: collect, keep, chart and alert. Ends with SIGTERM or Ctrl-C; SIGHUP reloads."""
    watch(context, Listens(exporter_listen, dashboard_listen), context.state_dir, as_json)


def watch(context: Context, listens: Listens, state_dir: Path, as_json: bool) -> None:
    logs_to_stderr()
    configuration = listens.over(context.configuration())
    try:
        with signals_held(), listening(configuration):
            from agent.everything import Everything  # Flask and numpy: only here

            alone(state_dir)
            everything = Everything(configuration, state_dir)
    except BusyError as error:
        raise click.ClickException(str(error)) from error
    except ConfigurationError as error:
        raise Misconfigured(str(error)) from error

    def started() -> None:
        exporter, dashboard = everything.collecting.exporter.url, everything.dashboard.url
        login = everything.login_link()
        if as_json:
            click.echo(json.dumps({"exporter": exporter, "dashboard": dashboard, "login": login}))
        else:
            click.echo(
                f"Raingauge watches {configuration.host}.\n\n"
                f"  Open     {login}\n"
                f"           (logs in once, within 15 minutes; raingauge token login prints a new link)\n"
                f"  Scrape   {exporter}/metrics, or all targets by {exporter}/sd\n"
                f"  Missing  raingauge discover says what cannot be read, and what would allow it\n"
            )

    until_stopped(everything, lambda: listens.over(context.read()), started)
