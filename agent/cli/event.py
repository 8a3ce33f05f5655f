"""`raingauge event`: what people and their scripts do, among the events that Raingauge sees itself."""

import time
import uuid

import click

from agent.cli.context import Context
from collectors.model import Event
from history.events import Events

MOST_TITLE = 250


class Kind(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no argument
    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        plain = value.replace(".", "").replace("_", "").replace("-", "")
        if not (plain.isascii() and plain.isalnum() and value[:1].isalpha() and len(value) <= 50):
            self.fail(
                f"expected a word such as deploy, of letters, digits, '.', '_' and '-', found {value!r}", param, ctx
            )
        return value.lower()


@click.group()
def command() -> None:
    """Events: the dated facts beside the charts."""


@command.command()
@click.option("--kind", type=Kind(), required=True, help="What it is, such as deploy or maintenance.")
@click.option("--title", required=True, help="What happened, in a line.")
@click.option("--site", default="", help="The site that it happened to, by its name; without it, this host.")
@click.option("--at", type=click.FloatRange(min=0), help="When it happened, in Unix seconds; now if not given.")
@click.pass_obj
def add(context: Context, kind: str, title: str, site: str, at: float | None) -> None:
    """Add an event, such as a deploy from a script that makes it, and print its id."""
    words = "".join(each if each.isprintable() else " " for each in title).strip()
    if not words or len(words) > MOST_TITLE:
        raise click.BadParameter(f"expected 1 to {MOST_TITLE} characters, found {len(words)}", param_hint="--title")
    if len(site) > 200 or not site.isprintable():
        raise click.BadParameter("expected the name of a site", param_hint="--site")
    when = time.time() if at is None else at
    event = Event(
        f"cli:{uuid.uuid4()}", kind, "info", context.configuration().host, site, when, when, 1, words,
        dedup_key=f"cli:{kind}:{site}", source="cli",
    )  # fmt: skip
    Events(context.database()).record(event)
    click.echo(event.id)
