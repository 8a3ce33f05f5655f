"""`raingauge token`: who may use the HTTP interfaces."""

import time
from datetime import UTC, datetime

import click

from agent.cli.context import Context
from agent.configuration import split_address
from agent.running import PAGES_FILE
from history.access import Access, Scope


def _access(context: Context) -> Access:
    return Access(context.database())


@click.group()
def command() -> None:
    """Tokens for the HTTP interfaces, sent as `Authorization: Bearer TOKEN`."""


@command.command()
@click.option("--scope", type=click.Choice(["read", "write"]), required=True, help="What the token may do.")
@click.option("--name", default="", help="How it is listed; made up if not given.")
@click.pass_obj
def create(context: Context, scope: Scope, name: str) -> None:
    """Make a token and print it; it is shown this once."""
    try:
        click.echo(_access(context).create_token(scope, time.time(), name))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@command.command("list")
@click.pass_obj
def show(context: Context) -> None:
    """List the tokens by name."""
    for token in _access(context).tokens():
        click.echo(
            f"{token.name}\t{token.scope}\tcreated {datetime.fromtimestamp(token.created, UTC):%Y-%m-%d %H:%M} UTC"
        )


@command.command()
@click.argument("name")
@click.pass_obj
def revoke(context: Context, name: str) -> None:
    """End a token at once."""
    if not _access(context).revoke_token(name):
        raise click.ClickException(f"no token is named {name!r}; `raingauge token list` shows them")
    click.echo(f"{name} is revoked")


@command.command()
@click.pass_obj
def login(context: Context) -> None:
    """Print a new link that logs in to the pages once, within 15 minutes."""
    from dashboard.login import login_url  # Flask: only here

    secret = _access(context).create_login(time.time())
    click.echo(login_url(pages_url(context), secret))


def pages_url(context: Context) -> str:
    """Where the running process said its pages are; else where the configuration puts them."""
    try:
        return (context.state_dir / PAGES_FILE).read_text().strip()
    except FileNotFoundError:
        host, port = split_address(context.configuration().dashboard.listen)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
