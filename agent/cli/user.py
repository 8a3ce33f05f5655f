"""`raingauge user`: who may log in to the pages, and as what."""

import getpass
import os
import sys
import time
from datetime import UTC, datetime

import click

from agent.cli.context import Context
from history.access import Access
from history.audit import Entry
from history.users import Role

ROLE = click.Choice(["viewer", "responder", "admin"])


@click.group()
def command() -> None:
    """People who log in to the pages with name and password.

    A viewer looks; a responder also acknowledges and silences; an admin also changes settings, users and tokens.
    """


@command.command()
@click.argument("name")
@click.option("--role", type=ROLE, default="viewer", show_default=True, help="What the user may do.")
@click.pass_obj
def add(context: Context, name: str, role: Role) -> None:
    """Add a user; the password is asked for, or read as a line of standard input."""
    access = _access(context)
    try:
        access.users.add(name, _password(), role, time.time())
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    _note(access, f"user {name} added, {role}")
    click.echo(f"{name} may log in as {role}")


@command.command("list")
@click.pass_obj
def show(context: Context) -> None:
    """List the users with their roles."""
    for user in _access(context).users.all():
        click.echo(f"{user.name}\t{user.role}\tadded {datetime.fromtimestamp(user.created, UTC):%Y-%m-%d %H:%M} UTC")


@command.command()
@click.argument("name")
@click.pass_obj
def passwd(context: Context, name: str) -> None:
    """Set another password; the user's sessions end."""
    access = _access(context)
    try:
        _there(name, access.users.set_password(name, _password()))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    access.sessions.close_all(user=name)
    _note(access, f"password of {name} changed")
    click.echo(f"{name} has another password")


@command.command("role")
@click.argument("name")
@click.argument("role", type=ROLE)
@click.pass_obj
def change(context: Context, name: str, role: Role) -> None:
    """Give another role, from the next request on."""
    access = _access(context)
    _there(name, access.users.set_role(name, role))
    _note(access, f"user {name} is {role} now")
    click.echo(f"{name} is {role} now")


@command.command()
@click.argument("name")
@click.pass_obj
def remove(context: Context, name: str) -> None:
    """Remove a user; the user's sessions end."""
    access = _access(context)
    _there(name, access.users.remove(name))
    access.sessions.close_all(user=name)
    _note(access, f"user {name} removed")
    click.echo(f"{name} is removed")


def _access(context: Context) -> Access:
    return Access(context.database())


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _there(name: str, found: bool) -> None:
    if not found:
        raise click.ClickException(f"no user is named {name!r}; `raingauge user list` shows them")


def _note(access: Access, what: str) -> None:
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        who = str(os.getuid())
    access.audit.note(Entry(time.time(), f"{who} on the command line", "", what))
