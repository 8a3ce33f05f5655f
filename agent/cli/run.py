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
    central: bool = False
    """For other hosts: nothing is looked for on this one."""

    def over(self, configuration: Configuration) -> Configuration:
        if self.central:
            configuration = configuration.model_copy(update={"discovery": False})
        return overridden(configuration, exporter=self.exporter, dashboard=self.dashboard)


MISSING = "  Missing  raingauge discover says what cannot be read, and what would allow it\n"


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
            everything = Everything(configuration, state_dir, central=listens.central)
    except BusyError as error:
        look = "; to look at what it keeps: raingauge dashboard --read-only" if listens.central else ""
        raise click.ClickException(f"{error}{look}") from error
    except ConfigurationError as error:
        raise Misconfigured(str(error)) from error

    def started() -> None:
        exporter, dashboard = everything.collecting.exporter.url, everything.dashboard.url
        login = everything.login_link()
        if as_json:
            click.echo(json.dumps({"exporter": exporter, "dashboard": dashboard, "login": login}))
        else:
            watches = _whom(configuration) if listens.central else configuration.host
            click.echo(
                f"Raingauge watches {watches}.\n\n"
                f"  Open     {login}\n"
                f"           (logs in once, within 15 minutes; raingauge token login prints a new link)\n"
                f"  Scrape   {exporter}/metrics, or all targets by {exporter}/sd\n"
                + ("" if listens.central else MISSING)
            )

    until_stopped(everything, lambda: listens.over(context.read()), started)


def _whom(configuration: Configuration) -> str:
    """Of whom a dashboard for other hosts has its samples."""
    jobs = ", ".join(config.job_name for config in configuration.scrape_configs)
    ways = [f"what it scrapes ({jobs})"] if jobs else []
    ways += ["what the server of history.url keeps"] if configuration.history.url else []
    return " and ".join(ways) or "nobody yet: scrape_configs or history.url in the configuration say whom"
