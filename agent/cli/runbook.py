"""`raingauge runbook`: what an alert means and what to do about it, offline."""

from difflib import get_close_matches

import click

from alerts import runbooks


@click.command()
@click.argument("alert", required=False)
def command(alert: str | None) -> None:
    """Print the page of an alert, such as DiskFull; without a name, all names."""
    names = {name.lower(): name for name in runbooks.names()}
    if alert is None:
        click.echo("\n".join(names.values()))
    elif alert.lower() in names:
        click.echo(runbooks.page(names[alert.lower()]), nl=False)
    else:
        close = [names[name] for name in get_close_matches(alert.lower(), names)]
        hint = f"there is {', '.join(close)}" if close else "`raingauge runbook` lists all"
        raise click.ClickException(f"no page for the alert {alert!r}; {hint}")
