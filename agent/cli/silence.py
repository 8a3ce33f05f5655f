"""`raingauge silence`: hold alerts back for a time, with a reason."""

import json
import time

import click
from rich.markup import escape

from agent.cli.context import Context
from agent.cli.shown import Moment, moment, table, whoever
from alerts import silences
from alerts.matchers import parse_all, written
from alerts.silences import Kind, Silence, UnknownSilence
from history.database import make_tables


@click.group()
def command() -> None:
    """Silences and maintenance. Work on the database, whether the service runs or not; it takes them within 10 s."""


@command.command()
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHER...")
@click.option("--comment", required=True, help="Why.")
@click.option("--author", default=whoever, show_default="who runs this", help="Who.")
@click.option("--until", type=Moment(), default="2h", show_default=True, help="A duration from now, or a time.")
@click.option("--start", type=Moment(), help="When it begins; now if not given.")
@click.option("--maintenance", is_flag=True, help="Lets critical alerts of security through.")
@click.pass_obj
def add(  # noqa: PLR0917 # click passes them by name
    context: Context, matchers: tuple[str, ...], comment: str, author: str, until: float, start: float | None,
    maintenance: bool,
) -> None:  # fmt: skip
    """Hold back what fits all of the matchers, such as 'alertname="DiskFull"' 'host=~"web.*"'; print the id."""
    now = time.time()
    kind: Kind = "maintenance" if maintenance else "silence"
    engine = context.database()
    make_tables(engine, [silences.silence_table])
    try:
        given = Silence(parse_all(matchers), now if start is None else start, until, author, comment, kind)
        click.echo(silences.post(engine, given, now))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@command.command("list")
@click.option("--expired", is_flag=True, help="Also those that have ended.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def show(context: Context, expired: bool, as_json: bool) -> None:
    """List silences, acknowledgements and maintenance."""
    now = time.time()
    engine = context.database()
    make_tables(engine, [silences.silence_table])
    with engine.connect() as connection:
        found = silences.silences(connection, 0.0 if expired else now)
    if as_json:
        click.echo(json.dumps([_plain(one, now) for one in found]))
    elif not found:
        click.echo("nothing is silenced")
    else:
        rows = ((one.kind, one.state(now), escape(written(one.matchers)), moment(one.starts), moment(one.ends),
                 escape(one.author), escape(one.comment), one.id) for one in found)  # fmt: skip
        table(("Kind", "State", "Matchers", "From", "Until", "By", "Comment", "Id"), rows)


def _plain(one: Silence, now: float) -> dict[str, object]:
    return {
        "id": one.id, "kind": one.kind, "state": one.state(now), "matchers": [str(each) for each in one.matchers],
        "starts": one.starts, "ends": one.ends, "author": one.author, "comment": one.comment,
        "fingerprint": one.fingerprint,
    }  # fmt: skip


@command.command()
@click.argument("silence_id", metavar="ID")
@click.pass_obj
def expire(context: Context, silence_id: str) -> None:
    """End a silence or an acknowledgement now."""
    engine = context.database()
    make_tables(engine, [silences.silence_table])
    try:
        silences.expire(engine, silence_id, time.time())
    except UnknownSilence as error:
        words = f"no silence has the id {silence_id!r}; `raingauge silence list` shows them"
        raise click.ClickException(words) from error
    click.echo(f"{silence_id} has ended")
