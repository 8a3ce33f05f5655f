"""`raingauge event`: what people and their scripts do, among the events that Raingauge sees itself."""

import time
import uuid

import click

from agent.cli.context import Context
from history.declared import SEVERITIES, declared, kind_of
from history.events import Events


class Kind(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no argument
    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return kind_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group()
def command() -> None:
    """Events: the dated facts beside the charts."""


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

    One above info is an alert at once, until `raingauge events close`.
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
