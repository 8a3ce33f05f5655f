"""`raingauge event`: what was recorded, for people in a hurry and for other programs; and what scripts add to it."""

import secrets
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from agent.cli.context import Context
from agent.cli.shown import whoever
from collectors.config import seconds
from collectors.model import Event
from collectors.security.blocks import blocks, is_private
from history import open_events
from history.declared import SEVERITIES, declared, kind_of
from history.events import Events
from history.pseudonyms import pseudonymised
from history.timeline import around, as_csv, as_json


class Duration(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no argument
    name = "duration"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(seconds(value))
        except (TypeError, ValueError):
            self.fail(f"expected a duration such as 30m, 12h or 7d, found {value!r}", param, ctx)


class Kind(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no argument
    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return kind_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group()
def command() -> None:
    """Events, the dated facts beside the charts: add one, show it, what happened around it, close it, export many."""


@command.command()
@click.option("--kind", type=Kind(), required=True, help="What it is, such as deploy or maintenance.")
@click.option("--title", required=True, help="What happened, in a line.")
@click.option("--site", default="", help="The site that it happened to, by its name; without it, this host.")
@click.option(
    "--severity", type=click.Choice(list(SEVERITIES)), default="info", help="info if not given; others alert."
)
@click.option("--at", type=click.FloatRange(min=0), help="When it happened, in Unix seconds; now if not given.")
@click.pass_obj
def add(context: Context, kind: str, title: str, *, site: str, severity: str, at: float | None) -> None:
    """Add an event, such as a deploy from a script that makes it, and print its id.

    One above info is an alert at once, until `raingauge event close`.
    """
    when = time.time() if at is None else at
    try:
        event = declared(
            str(uuid.uuid4()), kind, title, site=site, severity=severity, host=context.configuration().host, at=when,
            source="cli",
        )  # fmt: skip
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    Events(context.database()).record(event)
    click.echo(event.id)


@command.command()
@click.argument("event_id", metavar="ID")
@click.pass_obj
def show(context: Context, event_id: str) -> None:
    """Show an event, its evidence, and the exact words that would block its sources. Nothing is blocked."""
    event = _event(_recorded(context), event_id)
    click.echo(f"{event.title}\n")
    about = {"kind": event.kind, "severity": event.severity, "host": event.host, "site": event.site,
             "first": _when(event.first), "last": _when(event.last), "count": str(event.count), "state": event.state,
             "id": event.id}  # fmt: skip
    for name, value in about.items():
        if value:
            click.echo(f"{name:>10}  {value}")
    for record in event.evidence:
        click.echo("\nEvidence")
        for name, value in record.items():
            click.echo(f"{name:>10}  {value}")
    found = blocks(event)
    if found:
        click.echo("\nTo block its sources (Raingauge does not do it):")
        if is_private(event):
            click.echo("Careful: an address of a private network is among them, perhaps your own proxy.")
    for tool, text in found.items():
        click.echo(f"\n# {tool}\n{text}")


@command.command("around")
@click.argument("event_id", metavar="ID")
@click.option("--before", type=Duration(), default="30m", help="How long before it; 30m if not given.")
@click.option("--after", type=Duration(), default="30m", help="How long after it; 30m if not given.")
@click.pass_obj
def timeline(context: Context, event_id: str, before: float, after: float) -> None:
    """What happened on the same host and site around an event, in order; the event itself has a mark."""
    known = _recorded(context)
    event = _event(known, event_id)
    for each in around(known, event, before, after):
        mark = ">" if each.id == event.id else " "
        times = f" ({each.count} times)" if each.count > 1 else ""
        where = each.site or each.host
        click.echo(f"{mark} {_when(each.first)}  {each.severity:<8}  {where}  {each.kind}  {each.title}{times}")


@command.command()
@click.argument("event_id", metavar="ID")
@click.option("--note", required=True, help="What it was, or what was done about it.")
@click.option("--author", default=whoever, show_default="who runs this", help="Who.")
@click.pass_obj
def close(context: Context, event_id: str, note: str, author: str) -> None:
    """Close an event with a note, and with it those of its kind about the same; its alert ends."""
    event = _event(_recorded(context), event_id)
    with context.database().begin() as connection:
        closed = open_events.close(connection, event.id, time.time(), author, note)
    if not closed:
        raise click.ClickException(f"{event.id} is not open")
    others = f", and {closed - 1} more about the same" if closed > 1 else ""
    click.echo(f"{event.id} is closed{others}: {event.title}")


@command.command()
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", help="csv if not given.")
@click.option("--since", type=Duration(), default="1d", help="How far back, such as 12h or 30d; 1d if not given.")
@click.option("--kind", help="Only kinds that begin so, such as security.")
@click.option("--severity", type=click.Choice(["critical", "warning", "info"]), help="Only this one.")
@click.option("--site", help="Only events of this site.")
@click.option("--pseudonyms", is_flag=True, help="Put a pseudonym for each address; the key is thrown away.")
@click.pass_obj
def export(
    context: Context, form: str, since: float, *, kind: str | None, severity: str | None, site: str | None,
    pseudonyms: bool,
) -> None:  # fmt: skip
    """Print recorded events for a spreadsheet or another program, the oldest first."""
    now = time.time()
    found = Events(context.database()).events(now - since, now, severity=severity, site=site)
    chosen = [each for each in reversed(found) if each.kind.startswith(kind or "")]
    if pseudonyms:
        key = secrets.token_bytes(32)
        chosen = [pseudonymised(each, key) for each in chosen]
    click.echo(as_csv(chosen) if form == "csv" else as_json(chosen), nl=form == "json")


def _recorded(context: Context) -> Sequence[Event]:
    return Events(context.database()).events(0.0, time.time())


def _event(known: Sequence[Event], event_id: str) -> Event:
    """By its id, or the beginning of one."""
    found = [each for each in known if each.id == event_id] or [each for each in known if each.id.startswith(event_id)]
    if len(found) != 1:
        what = f"{len(found)} begin so" if found else "none is like it"
        raise click.ClickException(f"expected the id of an event, as `raingauge event export` shows it; {what}")
    return found[0]


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
