"""`raingauge dashboard`: the pages alone, over a history that another process writes or that was copied here."""

import json

import click

from agent.cli.context import Context, Misconfigured
from agent.cli.started import listening, logs_to_stderr, overridden
from agent.configuration import ConfigurationError
from agent.running import signals_held, until_stopped


@click.command()
@click.option("--dashboard-listen", metavar="HOST:PORT", help="Where the pages are; port 0 takes a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once it answers.")
@click.pass_obj
def command(context: Context, dashboard_listen: str | None, as_json: bool) -> None:
    """Show the history of the state directory; collects nothing, evaluates no rule, tells nobody."""
    logs_to_stderr()
    configuration = overridden(context.configuration(), dashboard=dashboard_listen)
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

    until_stopped(process, lambda: overridden(context.read(), dashboard=dashboard_listen), started)
