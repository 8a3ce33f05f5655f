"""`raingauge dashboard`: for other hosts, or the pages alone over a history that is there."""

import json

import click

from agent.cli.context import Context, Misconfigured
from agent.cli.run import Listens, watch
from agent.cli.started import listening, logs_to_stderr, overridden
from agent.configuration import ConfigurationError
from agent.running import signals_held, until_stopped


@click.command()
@click.option("--exporter-listen", metavar="HOST:PORT", help="As in `raingauge run`.")
@click.option("--dashboard-listen", metavar="HOST:PORT", help="Where the pages are; port 0 takes a free one.")
@click.option("--read-only", is_flag=True, help="Show the state directory of another process, or a copy of one.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once it answers.")
@click.pass_obj
def command(
    context: Context, exporter_listen: str | None, dashboard_listen: str | None, read_only: bool, as_json: bool
) -> None:
    """Chart and alert for other hosts: those that `scrape_configs` names, or whose samples `history.url` has.

    Nothing of this host is collected. With --read-only nothing is: no rule is evaluated and nobody is told.
    """
    if read_only:
        _look(context, dashboard_listen, as_json)
    else:
        watch(context, Listens(exporter_listen, dashboard_listen, central=True), context.state_dir, as_json)


def _look(context: Context, listen: str | None, as_json: bool) -> None:
    logs_to_stderr()
    configuration = overridden(context.configuration(), dashboard=listen)
    try:
        with signals_held(), listening(configuration):
            from agent.following import Following  # Flask and numpy: only here

            process = Following(configuration, context.state_dir)
    except ConfigurationError as error:
        raise Misconfigured(str(error)) from error

    def started() -> None:
        login = process.login_link()
        addresses = {"dashboard": process.dashboard.url, "login": login}
        click.echo(json.dumps(addresses) if as_json else f"Open {login} (logs in once, within 15 minutes)")

    until_stopped(process, lambda: overridden(context.read(), dashboard=listen), started)
