"""`raingauge notify`: whether the channels work, what waits for them, and sending again what they did not take."""

import time

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.cli.context import Context
from alerts import outbox, registry
from alerts.attempt import attempt
from alerts.message.words import cut, duration
from alerts.notifier import Channel
from alerts.trial import trial


@click.group()
def command() -> None:
    """The channels through which people are told about alerts. Works whether Raingauge runs or not."""


@command.command()
@click.argument("channel", required=False)
@click.option("--resolved", is_flag=True, help="Say that the test is over, which closes what it opened.")
@click.pass_obj
def test(context: Context, channel: str | None, resolved: bool) -> None:
    """Send a test message now, to one channel or to all, and show what its receiver answers.

    Ends with 1 if a receiver did not take it. The message says that it is a test.
    """
    configuration = context.configuration()
    failed = False
    for each in chosen(context, channel):
        notice = trial(configuration.host, each, configuration.external_url, time.time(), resolved=resolved)
        tried = attempt(each, notice, time.time())
        failed |= tried.outcome != "done"
        click.echo(
            f"{each.name} ({each.notifier.name}): {'ok' if tried.outcome == 'done' else 'failed'}: {tried.words}"
        )
    raise SystemExit(1 if failed else 0)


@command.command("list")
@click.pass_obj
def show(context: Context) -> None:
    """List the channels: what waits, what was given up, and the last error."""
    standings, now = outbox.standings(context.database()), time.time()
    kinds = {each.name: each.notifier.name for each in registry.channels(context.configuration().notify)}
    if not kinds and not standings:
        click.echo("no channel is configured: nobody is told about alerts; see `notify` in the configuration")
        return
    table = Table("channel", "kind", "waiting", "oldest", "given up", "last error", box=None)
    for name in dict.fromkeys([*kinds, *sorted(standings)]):
        here = standings.get(name, outbox.Standing())
        oldest = "" if here.oldest is None else duration(now - here.oldest)
        kind = kinds.get(name, "configured no more")
        table.add_row(name, kind, str(here.waiting), oldest, str(here.dead), Text(cut(here.last_error, 100)))
    Console().print(table)


@command.command()
@click.argument("channel", required=False)
@click.pass_obj
def retry(context: Context, channel: str | None) -> None:
    """Send again what was given up, of one channel or of all; the running Raingauge does it within seconds.

    Each message tells how its alerts stand by now.
    """
    chosen(context, channel)
    count = outbox.requeue(context.database(), channel, time.time())
    click.echo(f"{count} {'message' if count == 1 else 'messages'} put back")


def chosen(context: Context, name: str | None) -> list[Channel]:
    """ClickException when there is none of that name, or none at all."""
    channels = list(registry.channels(context.configuration().notify))
    found = [each for each in channels if name in (None, each.name)]
    if not found:
        known = ", ".join(each.name for each in channels)
        raise click.ClickException(
            f"no channel is named {name!r}; expected one of {known}" if known else "no channel is configured"
        )
    return found
