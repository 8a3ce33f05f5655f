"""`raingauge ack`: I know of this alert and look after it."""

import time

import click

from agent import alerting
from agent.cli.context import Context
from agent.cli.shown import Moment, moment, whoever
from alerts import silences
from alerts.desk import Desk
from alerts.model import Alert


@click.command()
@click.argument("name", metavar="ALERT")
@click.option("--until", type=Moment(), default="4h", show_default=True, help="A duration from now, or a time.")
@click.option("--author", default=whoever, show_default="who runs this", help="Who.")
@click.option("--comment", default="", help="What is done about it.")
@click.pass_obj
def command(context: Context, name: str, until: float, author: str, comment: str) -> None:
    """Tell nobody of an alert until it is over, or until a time; then it is told again.

    ALERT is its fingerprint, or its name if only one of that name fires.
    """
    desk = alerting.desk(context.configuration(), context.database())
    alert = _only(desk, name)
    try:
        silences.acknowledge(desk.engine, alert, author, now=time.time(), until=until, comment=comment)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{alert.name} is acknowledged by {author} until it is over, or {moment(until)}")


def _only(desk: Desk, name: str) -> Alert:
    found = [one for one in desk.standings() if name in (one.fingerprint, one.alert.name)]
    if not found:
        raise click.ClickException(f"no alert {name!r} fires; `raingauge alerts` shows those that do")
    if len(found) > 1:
        lines = "".join(f"\n  {one.fingerprint}  {dict(one.alert.labels)}" for one in found)
        raise click.ClickException(f"{len(found)} alerts named {name!r} fire; say which by its fingerprint:{lines}")
    return found[0].alert
